//! A way to a server that can be cut and mended, as networks are.
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Passes on connections to an address, from an address of its own.
pub struct Line {
    address: SocketAddr,
    far_end: SocketAddr,
    open: Option<Open>,
}

struct Open {
    stop: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    listening: JoinHandle<()>,
}

impl Line {
    /// A line that works.
    pub fn to(far_end: SocketAddr) -> Self {
        let mut line = Self::cut_to(far_end);
        line.mend();
        line
    }

    /// A line that is cut: connections to it are refused.
    pub fn cut_to(far_end: SocketAddr) -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], crate::port::free())),
            far_end,
            open: None,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on connections pass.
    pub fn mend(&mut self) {
        let listener = TcpListener::bind(self.address).expect("the same port again");
        let (stop, streams) = (
            Arc::<AtomicBool>::default(),
            Arc::<Mutex<Vec<_>>>::default(),
        );
        let far_end = self.far_end;
        let (stopped, kept) = (Arc::clone(&stop), Arc::clone(&streams));
        let listening = thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // Where nobody listens at the far end, the near end is hung up.
                let _ = join(near, far_end, &kept);
            }
        });
        self.open = Some(Open {
            stop,
            streams,
            listening,
        });
    }

    /// From now on connections lead to another server, as a balancer does it when one is lost; those that are open end.
    pub fn turn_to(&mut self, far_end: SocketAddr) {
        self.cut();
        self.far_end = far_end;
        self.mend();
    }

    /// Ends all connections and refuses new ones.
    pub fn cut(&mut self) {
        let Some(open) = self.open.take() else { return };
        open.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = open.listening.join();
        for stream in open.streams.lock().expect("no panic there").iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.cut();
    }
}

fn join(near: TcpStream, far_end: SocketAddr, kept: &Mutex<Vec<TcpStream>>) -> io::Result<()> {
    let far = TcpStream::connect(far_end)?;
    kept.lock()
        .expect("no panic there")
        .extend([near.try_clone()?, far.try_clone()?]);
    for (mut from, mut to) in [(near.try_clone()?, far.try_clone()?), (far, near)] {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    Ok(())
}
