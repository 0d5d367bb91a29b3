//! As much of an HTTP client as asking a local server takes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// The status and body that `http://host:port/path` answers; the error when it does not.
pub fn get(url: &str) -> std::io::Result<(u16, String)> {
    ask("GET", url, "")
}

/// The status and body that a POST of JSON is answered.
pub fn post(url: &str, json: &str) -> std::io::Result<(u16, String)> {
    ask("POST", url, json)
}

fn ask(method: &str, url: &str, body: &str) -> std::io::Result<(u16, String)> {
    let place = url.strip_prefix("http://").expect("an http address");
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let broken = || std::io::Error::other(format!("not an HTTP answer: {answer:?}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    Ok((status.ok_or_else(broken)?, body.to_owned()))
}
