//! The load: a few connections kept alive, each with one request on its way, in slices of so many requests.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use portero_envoy_tests::Envoy;

/// Enough that the worker never rests within a slice.
const CONNECTIONS: usize = 16;

/// Envoy finishes with a request a little after its answer.
const REST: Duration = Duration::from_millis(2);

/// Requests of one kind, sent over and over to one listener.
pub struct Load {
    connections: Vec<Connection>,
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl Load {
    pub fn new(to: SocketAddr, requests: Vec<Vec<u8>>) -> Self {
        Self {
            connections: (0..CONNECTIONS).map(|_| Connection::open(to)).collect(),
            requests,
            next: 0,
        }
    }

    /// Sends that many requests; any answer but 200 ends the run.
    pub fn send(&mut self, count: usize) -> Result<(), String> {
        let Self {
            connections,
            requests,
            next,
        } = self;
        let all = connections.len();
        for turn in 0..count {
            let connection = &mut connections[turn % all];
            if turn >= all {
                connection.answer()?;
            }
            connection.write(&requests[*next % requests.len()])?;
            *next += 1;
        }
        // Those that are still on their way, oldest first.
        for turn in count..count + all.min(count) {
            let which = if count < all {
                turn - count
            } else {
                turn % all
            };
            connections[which].answer()?;
        }
        Ok(())
    }

    /// Microseconds of the worker's time for each of so many requests.
    pub fn slice(&mut self, envoy: &Envoy, count: usize) -> Result<f64, String> {
        thread::sleep(REST);
        let before = envoy.worker_nanoseconds();
        self.send(count)?;
        thread::sleep(REST);
        let spent = envoy.worker_nanoseconds() - before;
        Ok(spent as f64 / 1000.0 / count as f64)
    }

    /// How many different requests there are.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    fn open(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).expect("Envoy listens");
        let patience = Some(Duration::from_secs(10));
        stream.set_nodelay(true).expect("a socket");
        stream.set_read_timeout(patience).expect("a socket");
        stream.set_write_timeout(patience).expect("a socket");
        Self {
            stream,
            read: Vec::new(),
        }
    }

    fn write(&mut self, request: &[u8]) -> Result<(), String> {
        self.stream
            .write_all(request)
            .map_err(|error| format!("a request could not be sent: {error}"))
    }

    /// Reads one answer, which says its length.
    fn answer(&mut self) -> Result<(), String> {
        self.read.clear();
        let mut chunk = [0; 4096];
        loop {
            if let Some(whole) = whole(&self.read) {
                if self.read.starts_with(b"HTTP/1.1 200 ") && self.read.len() == whole {
                    return Ok(());
                }
                return Err(String::from_utf8_lossy(&self.read).into_owned());
            }
            let count = self
                .stream
                .read(&mut chunk)
                .map_err(|error| format!("no answer: {error}"))?;
            if count == 0 {
                return Err("the connection was closed".to_owned());
            }
            self.read.extend_from_slice(&chunk[..count]);
        }
    }
}

/// The length of the answer that `bytes` hold whole, if they do.
fn whole(bytes: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    let head = bytes.windows(END.len()).position(|four| four == END)? + END.len();
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(Some(0), |length| length.trim().parse().ok())?;
    (bytes.len() >= head + length).then_some(head + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        assert_eq!(whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"), None);
        assert_eq!(whole(&[&head[..], b"o"].concat()), None);
        assert_eq!(whole(&[&head[..], b"ok"].concat()), Some(head.len() + 2));
    }
}
