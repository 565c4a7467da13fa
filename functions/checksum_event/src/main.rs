//! Answers each event with its length and CRC-32, on the OS-only runtime.
//!
//! It speaks the Runtime API itself, with the standard library alone, to show how little that is. A function of
//! your own is better served by the crate `lambda_runtime`.
//!
//! Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const API: &str = "/2018-06-01/runtime/invocation";

struct Answer {
    request_id: Option<String>,
    body: Vec<u8>,
}

fn call(host: &str, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")?;
    stream.write_all(body)?;
    let mut reader = BufReader::new(stream);
    let mut answer = Answer { request_id: None, body: Vec::new() };
    let mut size = None;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => size = value.trim().parse::<u64>().ok(),
            "lambda-runtime-aws-request-id" => answer.request_id = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    match size {
        Some(bytes) => reader.take(bytes).read_to_end(&mut answer.body)?,
        None => reader.read_to_end(&mut answer.body)?,
    };
    Ok(answer)
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}

fn main() -> io::Result<()> {
    let host = env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
    loop {
        let event = call(&host, "GET", &format!("{API}/next"), b"")?;
        let Some(id) = event.request_id else { continue };
        let result = format!("{{\"bytes\":{},\"crc32\":\"{:08x}\"}}", event.body.len(), crc32(&event.body));
        call(&host, "POST", &format!("{API}/{id}/response"), result.as_bytes())?;
    }
}
