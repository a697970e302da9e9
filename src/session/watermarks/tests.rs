use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{Given, OpenSession, Seal, Session, SharedMemory};
use super::{
    Bucket, Entry, KIND, MOST_ENTRIES, Mark, Name, Naming, NotRecorded, Recorded, Tag, Watermark,
    Watermarks, names_of,
};
use crate::host::{Host, RandomUnavailable, SharedValue, SignatureQuestion};
use crate::secret::Secret;
use crate::telemetry::{Level, Metric};
use crate::testing::{START, TestHost, session};
use crate::time::Timestamp;

const ISSUER: &str = "https://idp.example.com";
const SPAN: Duration = Duration::from_secs(1000);
const TICK: Duration = Duration::from_millis(1);
const QUIET: Result<Recorded, NotRecorded> = Ok(Recorded { overflowed: false });

/// A process; every [`Watermarks`] is a worker of it.
struct Place {
    host: Rc<dyn Host>,
    seal: Seal,
}

impl Place {
    fn new<H: Host + 'static>(host: &Rc<H>) -> Self {
        let host: Rc<H> = Rc::clone(host);
        let seal = Seal::new(&[Secret::new(b"a key of 32 bytes and even more".to_vec())]);
        Self { host, seal }
    }

    fn memory(&self) -> SharedMemory<'_> {
        SharedMemory {
            host: self.host.as_ref(),
            seal: &self.seal,
            scope: "tests",
        }
    }

    fn end(&self, worker: &Watermarks, mark: Mark<'_>) -> Result<Recorded, NotRecorded> {
        let now = self.host.now();
        let watermark = Watermark {
            issued_before: now,
            expires_at: now.after(SPAN),
        };
        worker.end(self.memory(), &naming(), mark, watermark)
    }

    fn ended(&self, worker: &Watermarks, open: &OpenSession) -> bool {
        worker.have_ended(self.memory(), &naming(), open)
    }
}

fn naming() -> Naming {
    Naming::of(ISSUER)
}

fn open(session: Session) -> OpenSession {
    OpenSession::new(session, None, Given::default())
}

fn named(sid: &str) -> OpenSession {
    open(Session {
        sid: Some(sid.to_owned()),
        ..session()
    })
}

#[test]
fn each_mark_ends_what_it_names() {
    const ID: [u8; 16] = [7; 16];
    let of = |sid, subject| Mark::SidOf { sid, subject };
    for (mark, with_sid, without_sid) in [
        (Mark::Family(&ID), true, true),
        (Mark::Family(&[8; 16]), false, false),
        (Mark::Sid("s"), true, false),
        (Mark::Sid(""), false, false),
        (Mark::Sid("alice"), false, false),
        (of("s", "alice"), true, true),
        (of("s", "bob"), false, false),
        (of("t", "alice"), false, true),
        (Mark::Subject("alice"), true, true),
        (Mark::Subject("s"), false, false),
    ] {
        let host = Rc::new(TestHost::default());
        let (place, worker) = (Place::new(&host), Watermarks::default());
        assert_eq!(place.end(&worker, mark), QUIET);
        assert_eq!(place.ended(&worker, &named("s")), with_sid);
        assert_eq!(place.ended(&worker, &open(session())), without_sid);
        assert_eq!(place.ended(&worker, &named("")), without_sid);
        // And the same with another provider ends nothing.
        let other = Naming::of("https://other");
        let elsewhere = worker.have_ended(place.memory(), &other, &named("s"));
        assert!(!elsewhere);
    }
}

#[test]
fn what_was_issued_later_lives() {
    let host = Rc::new(TestHost::default());
    let (place, worker) = (Place::new(&host), Watermarks::default());
    host.pass(SPAN / 2);
    assert_eq!(place.end(&worker, Mark::Subject("alice")), QUIET);
    for (issued_at, ended) in [
        (START, true),
        (host.now(), true),
        (host.now().after(TICK), false),
    ] {
        let mut session = session();
        session.authentication.issued_at = issued_at;
        assert_eq!(place.ended(&worker, &open(session)), ended);
    }
}

#[test]
fn the_other_worker_sees_it_at_once_whatever_it_remembers() {
    let host = Rc::new(TestHost::default());
    let place = Place::new(&host);
    let (one, other) = (Watermarks::default(), Watermarks::default());
    let [first, second] = [open(session()), open(session())];
    assert!(!place.ended(&other, &first));
    assert_eq!(place.end(&one, Mark::Subject("bob")), QUIET);
    assert!(!place.ended(&other, &first) && !place.ended(&one, &second));
    assert_eq!(place.end(&one, Mark::Subject("alice")), QUIET);
    assert!(place.ended(&other, &first) && place.ended(&one, &second));
    assert!(place.ended(&other, &first), "for good");
}

#[test]
fn as_long_as_nothing_changes_nothing_is_opened() {
    let host = Rc::new(TestHost::default());
    let (place, worker) = (Place::new(&host), Watermarks::default());
    assert_eq!(place.end(&worker, Mark::Subject("bob")), QUIET);
    let [seen, new] = [open(session()), open(session())];
    assert!(!place.ended(&worker, &seen));
    // Behind the back of the epoch: only who looks into a bucket could see it.
    let other = Watermarks::default();
    let epoch = place.memory().slot(KIND, "epoch").version();
    for tag in Mark::Subject("alice").tags(&naming()) {
        let entry = Entry {
            tag,
            watermark: Watermark {
                issued_before: host.now(),
                expires_at: host.now().after(SPAN),
            },
        };
        assert_eq!(other.write(place.memory(), &entry), Ok(false));
    }
    assert_eq!(place.memory().slot(KIND, "epoch").version(), epoch);
    assert!(!place.ended(&worker, &seen) && !place.ended(&worker, &new));
    assert!(place.ended(&Watermarks::default(), &open(session())));
    assert!(place.memory().slot(KIND, "epoch").touch());
    assert!(place.ended(&worker, &seen) && place.ended(&worker, &new));
}

#[test]
fn it_is_remembered_until_no_such_session_can_live() {
    let host = Rc::new(TestHost::default());
    let (place, worker) = (Place::new(&host), Watermarks::default());
    assert_eq!(place.end(&worker, Mark::Subject("alice")), QUIET);
    host.pass(SPAN - TICK);
    assert!(place.ended(&worker, &open(session())));
    host.pass(TICK);
    assert!(!place.ended(&worker, &open(session())));
}

#[test]
fn what_others_write_brings_no_session_back_where_its_end_was_seen() {
    let host = Rc::new(TestHost::default());
    let (place, worker) = (Place::new(&host), Watermarks::default());
    assert_eq!(place.end(&worker, Mark::Subject("alice")), QUIET);
    for slot in host.slots() {
        host.forge(&slot, b"forged");
    }
    assert!(place.ended(&worker, &open(session())));
    // Nor does a forged bucket keep anything from being noted, and what was known goes back into it.
    assert_eq!(place.end(&worker, Mark::Subject("alice")), QUIET);
    assert!(place.ended(&Watermarks::default(), &open(session())));
    // A bucket of ours in the place of another one is forged, too.
    let before = host.slots();
    assert_eq!(place.end(&worker, Mark::Subject("bob")), QUIET);
    let of_bob = host.slots().into_iter().find(|slot| !before.contains(slot));
    let of_bob = host.shared(&of_bob.unwrap()).unwrap();
    let of_alice = before.iter().find(|slot| !slot.ends_with("epoch")).unwrap();
    host.forge(of_alice, &of_bob.bytes);
    assert!(place.ended(&worker, &open(session())));
    assert!(!place.ended(&Watermarks::default(), &open(session())));
}

#[test]
fn what_is_noted_tells_nobody_who_it_is_about() {
    let host = Rc::new(TestHost::default());
    let (place, worker) = (Place::new(&host), Watermarks::default());
    assert_eq!(
        place.end(&worker, Mark::Subject("alice@example.com")),
        QUIET
    );
    for slot in host.slots() {
        let bytes = host.shared(&slot).unwrap().bytes;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!slot.contains("alice") && !text.contains("alice"));
    }
}

/// Another worker that is always faster, so many times, once so many writes have got through.
struct Busy {
    calm: TestHost,
    first: Cell<u32>,
    left: Cell<u32>,
}

impl Busy {
    fn new(first: u32, left: u32) -> Rc<Self> {
        Rc::new(Self {
            calm: TestHost::default(),
            first: Cell::new(first),
            left: Cell::new(left),
        })
    }
}

impl Host for Busy {
    fn now(&self) -> Timestamp {
        self.calm.now()
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        self.calm.fill_random(bytes)
    }

    fn shared(&self, slot: &str) -> Option<SharedValue> {
        self.calm.shared(slot)
    }

    fn set_shared(&self, slot: &str, value: &[u8], expected: Option<u32>) -> bool {
        if expected.is_some() && self.first.get() > 0 {
            self.first.set(self.first.get() - 1);
        } else if expected.is_some() && self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
            let theirs = self.calm.shared(slot).map(|value| value.bytes);
            self.calm.forge(slot, &theirs.unwrap_or_default());
        }
        self.calm.set_shared(slot, value, expected)
    }

    fn verify_signature(&self, question: &SignatureQuestion<'_>) -> Option<bool> {
        self.calm.verify_signature(question)
    }

    fn count(&self, metric: &Metric) {
        self.calm.count(metric);
    }

    fn record(&self, metric: &Metric, value: u64) {
        self.calm.record(metric, value);
    }

    fn log(&self, level: Level, line: &str) {
        self.calm.log(level, line);
    }
}

#[test]
fn others_who_write_the_same_bucket_are_waited_for_and_not_for_ever() {
    for (others, expected) in [(3, QUIET), (15, QUIET), (16, Err(NotRecorded))] {
        let host = Busy::new(0, others);
        let (place, worker) = (Place::new(&host), Watermarks::default());
        assert_eq!(place.end(&worker, Mark::Subject("alice")), expected);
        let ended = place.ended(&Watermarks::default(), &open(session()));
        assert_eq!(ended, expected.is_ok());
    }
}

#[test]
fn what_was_noted_before_something_failed_is_seen() {
    let host = Busy::new(1, 16);
    let (place, worker, other) = (
        Place::new(&host),
        Watermarks::default(),
        Watermarks::default(),
    );
    assert!(!place.ended(&other, &named("s")));
    let mark = Mark::SidOf {
        sid: "s",
        subject: "alice",
    };
    assert_eq!(place.end(&worker, mark), Err(NotRecorded));
    assert!(place.ended(&other, &named("s")));
    assert!(!place.ended(&other, &open(session())));
}

#[test]
fn whoever_asks_whatever_is_remembered_looks_every_time() {
    let host = Rc::new(TestHost::default());
    let place = Place::new(&host);
    let (one, other) = (Watermarks::default(), Watermarks::default());
    let session = session();
    for (mark, of_family) in [
        (Mark::Subject("alice"), false),
        (Mark::Family(&session.family), true),
    ] {
        let marked = || one.have_marked(place.memory(), &naming(), &session);
        let family = || one.have_marked_family(place.memory(), &naming(), &session.family);
        assert!(!family() && marked() == of_family);
        assert_eq!(place.end(&other, mark), QUIET);
        assert!(marked() && family() == of_family);
    }
}

#[test]
fn what_two_workers_note_at_once_is_noted() {
    let host = Rc::new(TestHost::default());
    let place = Place::new(&host);
    let workers = [Watermarks::default(), Watermarks::default()];
    let subjects: Vec<String> = (0..600).map(|number| format!("user-{number}")).collect();
    for (index, subject) in subjects.iter().enumerate() {
        assert_eq!(
            place.end(&workers[index % 2], Mark::Subject(subject)),
            QUIET
        );
    }
    for subject in &subjects {
        let of = |subject: &str| {
            open(Session {
                subject: subject.to_owned(),
                ..session()
            })
        };
        assert!(
            workers
                .iter()
                .all(|worker| place.ended(worker, &of(subject)))
        );
    }
    assert!(host.slots().len() <= 257);
}

#[test]
fn without_randomness_nothing_is_promised() {
    let host = Rc::new(TestHost::default());
    let (place, worker) = (Place::new(&host), Watermarks::default());
    host.random_fails.set(true);
    assert_eq!(place.end(&worker, Mark::Subject("alice")), Err(NotRecorded));
}

fn entry(number: usize, issued_before: u64, expires_at: u64) -> Entry {
    let mut tag = Tag::default();
    tag[..8].copy_from_slice(&number.to_be_bytes());
    Entry {
        tag,
        watermark: Watermark {
            issued_before: Timestamp::from_secs(issued_before),
            expires_at: Timestamp::from_secs(expires_at),
        },
    }
}

fn ends(bucket: &Bucket, tag: &Tag, issued_at: u64, now: u64) -> bool {
    let issued_at = Timestamp::from_secs(issued_at);
    let name = Name {
        tag: *tag,
        issued_at,
    };
    bucket.ends(&name, issued_at, Timestamp::from_secs(now))
}

#[test]
fn a_full_bucket_drops_the_oldest_and_ends_everybody_of_its_time() {
    let at = Timestamp::from_secs;
    let mut bucket = Bucket::default();
    for number in 0..MOST_ENTRIES {
        let issued_before = 100 + u64::try_from(number).unwrap();
        assert!(!bucket.add(&entry(number, issued_before, 9000), at(1000)));
    }
    let stranger = entry(9999, 0, 0).tag;
    assert!(!ends(&bucket, &stranger, 0, 1000));
    assert!(bucket.add(&entry(1000, 2000, 9500), at(1000)));
    assert_eq!(bucket.entries.len(), MOST_ENTRIES);
    // The one that went still ends what it named, and so do all the others.
    assert!(ends(&bucket, &entry(0, 0, 0).tag, 100, 1000));
    assert!(ends(&bucket, &entry(1, 0, 0).tag, 101, 1000));
    assert!(ends(&bucket, &entry(1000, 0, 0).tag, 2000, 1000));
    // And a few more, of the same time or earlier; nobody later.
    assert!(ends(&bucket, &stranger, 100, 1000));
    assert!(!ends(&bucket, &stranger, 101, 1000));
    assert!(
        !ends(&bucket, &stranger, 100, 9000),
        "for as long as it would have"
    );
    // One that is older than all the others goes itself, with the same effect.
    assert!(bucket.add(&entry(1001, 50, 9600), at(1000)));
    assert!(ends(&bucket, &entry(1001, 0, 0).tag, 50, 1000));
}

#[test]
fn what_has_expired_makes_room_first() {
    let at = Timestamp::from_secs;
    let mut bucket = Bucket::default();
    for number in 0..MOST_ENTRIES {
        let expires_at = if number % 2 == 0 { 1500 } else { 9000 };
        assert!(!bucket.add(&entry(number, 900, expires_at), at(1000)));
    }
    assert!(!bucket.add(&entry(1000, 2000, 9000), at(1500)));
    assert_eq!(bucket.entries.len(), MOST_ENTRIES / 2 + 1);
    assert!(bucket.floor.is_none());
}

#[test]
fn the_same_mark_again_takes_no_more_room_and_never_less_effect() {
    let at = Timestamp::from_secs;
    let mut bucket = Bucket::default();
    for (issued_before, expires_at) in [(100, 9000), (200, 8000), (150, 8500)] {
        assert!(!bucket.add(&entry(1, issued_before, expires_at), at(50)));
    }
    assert_eq!(bucket.entries.len(), 1);
    assert!(ends(&bucket, &entry(1, 0, 0).tag, 200, 8999));
}

/// Notes outlive the module that made them, in a session store and where Envoy loads another one.
#[test]
fn names_are_what_they_have_been() {
    let of = Mark::SidOf {
        sid: "s",
        subject: "alice",
    };
    let marks = [
        Mark::Family(&[7; 16]),
        Mark::Sid("s"),
        of,
        Mark::Subject("alice"),
    ];
    let tags = marks.iter().flat_map(|mark| mark.tags(&naming()));
    let tags: Vec<String> = tags.map(hex).collect();
    assert_eq!(
        tags,
        [
            "98f460c86edbef18520cad2dfbfc1ab6",
            "f6b956f04d100eb7e69402050d29f69c",
            "0de8d0a86ba58f6dd57090954c2ea536",
            "bfc8813fb6a5f47dfd1fd9581b9f6f33",
            "9c5e834535178fe93f878b752fb3acdd",
        ]
    );
}

fn hex(tag: Tag) -> String {
    tag.map(|byte| format!("{byte:02x}")).concat()
}

proptest! {
    /// Whatever comes in whatever order: a session that was ended stays ended for its time.
    #[test]
    fn no_note_is_dropped_without_its_effect(
        notes in vec((0..400_usize, 0..50_u64, 60..100_u64), 0..600),
        now in 0..60_u64,
    ) {
        let at = Timestamp::from_secs;
        let mut bucket = Bucket::default();
        for (number, issued_before, expires_at) in &notes {
            bucket.add(&entry(*number, *issued_before, *expires_at), at(now));
            prop_assert!(bucket.entries.len() <= MOST_ENTRIES);
        }
        for (number, issued_before, expires_at) in &notes {
            let tag = entry(*number, 0, 0).tag;
            let named = Name { tag, issued_at: at(*issued_before) };
            prop_assert!(bucket.ends(&named, at(*issued_before), at(*expires_at).before(TICK)));
        }
    }

    /// No two things that a session can be named by are taken for each other.
    #[test]
    fn tags_are_distinct(one in ".{0,3}", other in ".{0,3}") {
        let session = Session { subject: one.clone(), sid: Some(other.clone()), ..session() };
        let mut tags: Vec<Tag> = names_of(&session, &naming())
            .into_iter()
            .map(|name| name.tag)
            .collect();
        let count = tags.len();
        tags.sort();
        tags.dedup();
        prop_assert_eq!(tags.len(), count);
        let of = Mark::SidOf { sid: &one, subject: &other }.tags(&naming())[0];
        let shifted = format!("{one}{other}");
        let joined = Mark::SidOf { sid: &shifted, subject: "" }.tags(&naming())[0];
        prop_assert_eq!(of == joined, other.is_empty());
    }
}
