//! HTTP/1.1 by hand.
//!
//! The libraries refuse to send what a hostile client sends: bytes above 127 in a header, a space in a path, a name without a value,
//! the same header twice in an order that matters. Here a request is bytes, and an answer is what came, in the order it came.
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// A request, exactly as it will be sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.as_ref().to_vec(),
            target: target.as_ref().to_vec(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    pub fn post(target: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Self {
        Self {
            body: body.as_ref().to_vec(),
            ..Self::new("POST", target)
        }
    }

    /// One more header, after those that are there.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// All values of a header, as an upstream got them.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(key, _)| key == name.as_bytes())
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The value of a header that may be there once; twice fails the test.
    pub fn one(&self, name: &str) -> Option<String> {
        let mut all = self.all(name);
        assert!(all.len() < 2, "{name} is there more than once: {all:?}");
        all.pop()
    }

    /// The bytes on the wire. Where they are not given, `host` and (with a body) `content-length` are added.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = [&self.method[..], b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        let given = |name: &str| {
            self.headers
                .iter()
                .any(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
        };
        if !given("host") {
            out.extend_from_slice(b"host: app.localhost\r\n");
        }
        for (name, value) in &self.headers {
            out.extend_from_slice(&[&name[..], b": ", value, b"\r\n"].concat());
        }
        if !given("content-length")
            && !given("transfer-encoding")
            && (!self.body.is_empty() || self.method == b"POST")
        {
            out.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// Sends it over a connection of its own.
    pub fn send(&self, to: SocketAddr) -> io::Result<Response> {
        let mut connection = Connection::open(to)?;
        connection.write(&self.bytes())?;
        connection.response(&self.method)
    }
}

/// A received header: its name in lower case, its value as it came.
pub type Header = (String, Vec<u8>);

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<Header>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// One more header, after those that are there.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// All values of a header.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The value of a header that may be there once; twice fails the test.
    pub fn one(&self, name: &str) -> Option<String> {
        let mut all = self.all(name);
        assert!(
            all.len() < 2,
            "{name} is there {} times: {all:?}",
            all.len()
        );
        all.pop()
    }

    /// The stable code of one of Portero's answers to a fault: of a page for people, or of a problem for programs.
    pub fn code(&self) -> Option<String> {
        let text = self.text();
        if let Ok(problem) = serde_json::from_str::<serde_json::Value>(&text) {
            return Some(problem.get("code")?.as_str()?.to_owned());
        }
        let (_, rest) = text.split_once("<dt>Code</dt><dd>")?;
        Some(rest.split_once('<')?.0.to_owned())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; anything else fails the test.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!(
                "not JSON ({error}): status {}, body {:?}",
                self.status,
                self.text()
            )
        })
    }
}

/// One connection, for several requests, for half a request, or to walk away from.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(stream),
        })
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Waits for the first byte of an answer; whether the connection ended before it came.
    pub fn ends_silently(&mut self) -> bool {
        match self.reader.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
            ),
        }
    }

    /// Reads one answer to a request with this method.
    pub fn response(&mut self, method: &[u8]) -> io::Result<Response> {
        loop {
            let (first, headers) = head(&mut self.reader)?;
            let status = first
                .split(|byte| *byte == b' ')
                .nth(1)
                .and_then(|word| std::str::from_utf8(word).ok()?.parse().ok())
                .ok_or_else(|| invalid("the status line"))?;
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let bodiless = method == b"HEAD" || status == 204 || status == 304 || status == 101;
            let body = if bodiless {
                Vec::new()
            } else {
                body(&mut self.reader, &headers, true)?
            };
            return Ok(Response {
                status,
                headers,
                body,
            });
        }
    }
}

/// The first line and the headers that follow it.
pub(crate) fn head(reader: &mut impl BufRead) -> io::Result<(Vec<u8>, Vec<Header>)> {
    let first = line(reader)?;
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Ok((first, headers));
        }
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .ok_or_else(|| invalid("a header"))?;
        let (name, value) = line.split_at(colon);
        headers.push((
            String::from_utf8_lossy(name).to_ascii_lowercase(),
            value[1..].trim_ascii().to_vec(),
        ));
    }
}

/// The body that these headers announce. `until_end`: without an announcement it goes on until the connection ends (answers), or
/// there is none (requests).
pub(crate) fn body(
    reader: &mut impl BufRead,
    headers: &[Header],
    until_end: bool,
) -> io::Result<Vec<u8>> {
    let value = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase())
    };
    let mut body = Vec::new();
    if value("transfer-encoding").is_some_and(|codings| codings.contains("chunked")) {
        loop {
            let size = line(reader)?;
            let digits = String::from_utf8_lossy(
                size.split(|byte| *byte == b';').next().unwrap_or_default(),
            )
            .into_owned();
            let size =
                u64::from_str_radix(digits.trim(), 16).map_err(|_| invalid("a chunk's size"))?;
            if size == 0 {
                while !line(reader)?.is_empty() {}
                return Ok(body);
            }
            take(reader, size, &mut body)?;
            line(reader)?;
        }
    }
    if let Some(length) = value("content-length") {
        take(
            reader,
            length.parse().map_err(|_| invalid("content-length"))?,
            &mut body,
        )?;
    } else if until_end {
        reader.read_to_end(&mut body)?;
    }
    Ok(body)
}

fn take(reader: &mut impl BufRead, size: u64, into: &mut Vec<u8>) -> io::Result<()> {
    let got = reader.take(size).read_to_end(into)? as u64;
    if got == size {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_odd_bytes_and_the_order_of_its_headers() {
        let request = Request::post(b"/\xff", "ab")
            .header("x", b"\xfe")
            .header("Host", "h")
            .header("x", "2");
        assert_eq!(
            request.bytes(),
            b"POST /\xff HTTP/1.1\r\nx: \xfe\r\nHost: h\r\nx: 2\r\ncontent-length: 2\r\n\r\nab"
        );
    }

    #[test]
    fn a_chunked_body_is_put_together() {
        let mut wire = &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: 1\r\n\r\nnext"[..];
        let (_, headers) = head(&mut wire).unwrap();
        assert_eq!(body(&mut wire, &headers, true).unwrap(), b"abcde");
        assert_eq!(wire, b"next");
    }

    #[test]
    fn an_answer_cut_short_is_an_error() {
        let mut wire = &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc"[..];
        let (_, headers) = head(&mut wire).unwrap();
        assert!(body(&mut wire, &headers, true).is_err());
    }
}
