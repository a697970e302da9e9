//! Redis' own protocol (RESP2), as much as tests need to look into a Redis past everything that speaks HTTP.
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What Redis answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Text(Vec<u8>),
    Number(i64),
    Nothing,
    List(Vec<Reply>),
    Refused(String),
}

/// Sends commands, each a list of words, over a connection of their own, and reads as many answers.
pub fn ask(to: SocketAddr, commands: &[&[&str]]) -> io::Result<Vec<Reply>> {
    let patience = Duration::from_secs(10);
    let mut stream = TcpStream::connect_timeout(&to, patience)?;
    stream.set_read_timeout(Some(patience))?;
    let mut out = Vec::new();
    for words in commands {
        write!(out, "*{}\r\n", words.len())?;
        for word in *words {
            write!(out, "${}\r\n{word}\r\n", word.len())?;
        }
    }
    stream.write_all(&out)?;
    let mut reader = BufReader::new(stream);
    commands.iter().map(|_| reply(&mut reader)).collect()
}

fn reply(reader: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.strip_suffix("\r\n").ok_or_else(invalid)?;
    let (kind, rest) = line.split_at_checked(1).ok_or_else(invalid)?;
    let number = || rest.parse::<i64>().map_err(|_| invalid());
    match kind {
        "+" => Ok(Reply::Text(rest.into())),
        "-" => Ok(Reply::Refused(rest.to_owned())),
        ":" => Ok(Reply::Number(number()?)),
        "$" | "*" if number()? < 0 => Ok(Reply::Nothing),
        "$" => {
            let size = usize::try_from(number()?).map_err(|_| invalid())?;
            let mut bytes = vec![0; size + 2];
            reader.read_exact(&mut bytes)?;
            bytes.truncate(size);
            Ok(Reply::Text(bytes))
        }
        "*" => (0..number()?)
            .map(|_| reply(reader))
            .collect::<io::Result<_>>()
            .map(Reply::List),
        _ => Err(invalid()),
    }
}

fn invalid() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "Redis' answer cannot be read, or ended early",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_reply_is_read() {
        let mut wire = &b"*5\r\n+OK\r\n:-2\r\n$-1\r\n$4\r\na\r\nb\r\n-ERR no\r\n+next\r\n"[..];
        let expected = Reply::List(vec![
            Reply::Text(b"OK".to_vec()),
            Reply::Number(-2),
            Reply::Nothing,
            Reply::Text(b"a\r\nb".to_vec()),
            Reply::Refused("ERR no".to_owned()),
        ]);
        assert_eq!(reply(&mut wire).unwrap(), expected);
        assert_eq!(wire, b"+next\r\n");
    }

    #[test]
    fn a_reply_cut_short_is_an_error() {
        for wire in ["", "+OK", "$4\r\nab", "*2\r\n:1\r\n", "?\r\n"] {
            assert!(reply(&mut wire.as_bytes()).is_err(), "{wire:?}");
        }
    }
}
