//! A server on 127.0.0.1 that answers as a test tells it, right or wrong.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a request asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    pub(crate) if_range: Option<String>,
}

/// A running server; it ends with the test process.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// Every request so far.
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers every request with the bytes that `answer` gives, head and body, and closes.
    pub(crate) fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let request = read_request(&stream);
                let bytes = answer(&request);
                seen.lock().expect("not poisoned").push(request);
                // A client that has seen enough may have gone.
                let _ = stream.write_all(&bytes);
            }
        });
        Self { port, requests }
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        let requests = self.requests.lock().expect("not poisoned");
        requests
            .iter()
            .map(|request| request.path.clone())
            .collect()
    }
}

fn read_request(stream: &TcpStream) -> Request {
    let mut request = Request::default();
    for (i, line) in BufReader::new(stream).lines().enumerate() {
        let line = line.expect("a request line");
        if line.is_empty() {
            break;
        }
        if i == 0 {
            request.path = line.split(' ').nth(1).expect("a path").to_owned();
        } else if let Some((name, value)) = line.split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "range" => request.range = Some(value.to_owned()),
                "if-range" => request.if_range = Some(value.to_owned()),
                _ => {}
            }
        }
    }
    request
}

/// An answer with its length stated as `length`, whatever the body has.
pub(crate) fn answer(status: &str, headers: &str, length: usize, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A whole and right answer.
pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    answer("200 OK", "", body.len(), body)
}

/// A port at which nobody listens.
pub(crate) fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}
