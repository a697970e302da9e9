//! What stands behind Envoy: an application that remembers what reached it, and servers that misbehave.
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

use crate::http::{self, Request, Response};

/// What one connection is served with, until it returns.
type Serve = dyn Fn(TcpStream) + Send + Sync;

/// A listening socket and the thread that takes connections; closed on drop.
struct Listening {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Listening {
    fn start(serve: Arc<Serve>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream));
            }
        });
        Self { address, stop }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// The application. It answers 200 with JSON that says what it saw, `{"method", "path", "headers": [[name, value], ...], "body"}`
/// (bytes as Latin-1), or whatever a test makes it answer.
pub struct Upstream {
    listening: Listening,
    requests: Arc<Mutex<Vec<Request>>>,
    refusals: Arc<AtomicUsize>,
}

impl Upstream {
    pub fn start() -> Self {
        Self::answering(|request| {
            let latin1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
            let headers: Vec<_> = request
                .headers
                .iter()
                .map(|(name, value)| json!([latin1(name), latin1(value)]))
                .collect();
            let seen = json!({"method": latin1(&request.method), "path": latin1(&request.target), "headers": headers, "body": latin1(&request.body)});
            Response::new(200)
                .header("content-type", "application/json")
                .body(seen.to_string())
        })
    }

    /// With answers of the test's own.
    pub fn answering(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let refusals = Arc::<AtomicUsize>::default();
        let left = Arc::clone(&refusals);
        let answer = move |request: &Request| {
            let one_less = |left: usize| left.checked_sub(1);
            match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
                Ok(_) => {
                    Response::new(401).header("www-authenticate", "Bearer error=\"invalid_token\"")
                }
                Err(_) => answer(request),
            }
        };
        let listening = Listening::start(Arc::new(move |stream| converse(stream, &seen, &answer)));
        Self {
            listening,
            requests,
            refusals,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// All requests that have arrived whole, oldest first. Header names are in lower case.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic there").clone()
    }

    /// The only request; more or fewer fail the test.
    pub fn only(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "requests at the upstream: {requests:?}");
        requests.remove(0)
    }

    /// The values of this header in all requests, oldest first.
    pub fn values(&self, name: &str) -> Vec<String> {
        let requests = self.requests();
        requests
            .iter()
            .flat_map(|request| request.all(name))
            .collect()
    }

    /// The next requests, this many of them, get 401 for an answer.
    pub fn refuse(&self, times: usize) {
        self.refusals.store(times, Ordering::SeqCst);
    }

    pub fn forget(&self) {
        self.requests.lock().expect("no panic there").clear();
    }
}

fn converse(stream: TcpStream, seen: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Response) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    while let Ok((first, headers)) = http::head(&mut reader) {
        let Ok(body) = http::body(&mut reader, &headers, false) else {
            return;
        };
        let mut words = first.split(|byte| *byte == b' ');
        let mut word = || words.next().unwrap_or_default().to_vec();
        let (method, target) = (word(), word());
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.into_bytes(), value))
            .collect();
        let request = Request {
            method,
            target,
            headers,
            body,
        };
        seen.lock().expect("no panic there").push(request.clone());
        let response = answer(&request);
        let mut out = format!(
            "HTTP/1.1 {} \r\ncontent-length: {}\r\n",
            response.status,
            response.body.len()
        )
        .into_bytes();
        for (name, value) in &response.headers {
            out.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        out.extend_from_slice(b"\r\n");
        if request.method != b"HEAD" {
            out.extend_from_slice(&response.body);
        }
        if writer.write_all(&out).is_err() {
            return;
        }
    }
}

/// A server that does one wrong thing to everybody.
pub struct Misbehaving {
    listening: Listening,
}

impl Misbehaving {
    /// Takes the connection and the request, and never says a word.
    pub fn silent() -> Self {
        Self::with(|mut stream| {
            let mut ignored = [0; 4096];
            while stream.read(&mut ignored).is_ok_and(|read| read > 0) {}
        })
    }

    /// Hangs up as soon as a request comes.
    pub fn hanging_up() -> Self {
        Self::with(|mut stream| {
            let _ = stream.read(&mut [0; 1]);
        })
    }

    /// Announces more than it sends, and hangs up.
    pub fn cutting_short() -> Self {
        Self::with(|mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":");
        })
    }

    fn with(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self {
            listening: Listening::start(Arc::new(serve)),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }
}

/// An address where nobody listens.
pub fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], crate::port::free()))
}
