//! One visit of one page.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, PoisonError};

use http_body_util::BodyExt;
use hyper::Request;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::{Handle, Id};
use tokio::time::timeout;

use super::{PATIENCE, doubled};
use crate::WorkError;
use crate::arithmetic::first_word;

/// The header that says the how-manieth try it is.
pub(super) const TRIED: &str = "x-tried";

/// What a visitor sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The page.
    Page { hash: u64 },
    /// Another status than 200.
    Status(u16),
    /// The connection ended before there was an answer.
    Reset,
    /// No answer in time.
    Late,
}

impl Seen {
    pub(super) fn page(text: &[u8]) -> Self {
        Self::Page { hash: first_word(blake3::hash(text).as_bytes()) }
    }

    fn response(status: u16, text: &[u8]) -> Self {
        match status {
            200 => Self::page(text),
            status => Self::Status(status),
        }
    }
}

/// Keeps connections for the next visit, with both faces.
pub(super) struct Visitor {
    agent: ureq::Agent,
    /// A connection is driven by a task, and ends with the runtime that it was
    /// opened on. So each runtime has a client of its own, and the last one's
    /// is kept: in a comparison, every run makes a runtime.
    client: Mutex<Option<(Id, Client)>>,
}

type Client = legacy::Client<HttpConnector, String>;

impl Visitor {
    pub(super) fn new() -> Self {
        let config = ureq::Agent::config_builder()
            // What the environment names knows no loopback of ours.
            .proxy(None)
            .http_status_as_error(false)
            // There are never more than there are workers.
            .max_idle_connections(usize::MAX)
            .max_idle_connections_per_host(usize::MAX)
            .build();
        Self { agent: config.into(), client: Mutex::new(None) }
    }

    /// Blocks until there is an answer, or there will be none.
    pub(super) fn visit(
        &self,
        url: &str,
        tried: u32,
    ) -> Result<Seen, WorkError> {
        let patience = Some(doubled(PATIENCE, tried));
        // With a time for the whole, it would look the address up on a thread
        // of its own.
        let request = self
            .agent
            .get(url)
            .header(TRIED, tried.to_string())
            .config()
            .timeout_connect(patience)
            .timeout_recv_response(patience)
            .timeout_recv_body(patience)
            .build();
        let read = request.call().and_then(|mut response| {
            let text = response.body_mut().read_to_vec()?;
            Ok(Seen::response(response.status().as_u16(), &text))
        });
        match read {
            Ok(seen) => Ok(seen),
            Err(ureq::Error::Timeout(_)) => Ok(Seen::Late),
            Err(ureq::Error::Io(error)) => ended(&error),
            Err(_) => Err(nonsense()),
        }
    }

    /// The same as a task.
    pub(super) async fn visit_async(
        &self,
        url: &str,
        tried: u32,
    ) -> Result<Seen, WorkError> {
        let talk = talk(self.client(), url, tried);
        match timeout(doubled(PATIENCE, tried), talk).await {
            Ok(Ok(seen)) => Ok(seen),
            Ok(Err(error)) => failed(&*error),
            Err(_) => Ok(Seen::Late),
        }
    }

    /// The client of this runtime.
    fn client(&self) -> Client {
        let here = Handle::current().id();
        let kept = self.client.lock();
        let mut kept = kept.unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((id, client)) if *id == here => client.clone(),
            _ => {
                let executor = TokioExecutor::new();
                let mut connector = HttpConnector::new();
                connector.set_nodelay(true);
                let client =
                    legacy::Client::builder(executor).build(connector);
                kept.insert((here, client)).1.clone()
            }
        }
    }
}

async fn talk(
    client: Client,
    url: &str,
    tried: u32,
) -> Result<Seen, Box<dyn Error + Send + Sync>> {
    let request = Request::get(url).header(TRIED, tried);
    let response = client.request(request.body(String::new())?).await?;
    let status = response.status().as_u16();
    let text = response.into_body().collect().await?.to_bytes();
    Ok(Seen::response(status, &text))
}

/// What it means that a connection failed with this error.
fn ended(error: &io::Error) -> Result<Seen, WorkError> {
    match error.kind() {
        ErrorKind::BrokenPipe
        | ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionReset
        | ErrorKind::UnexpectedEof => Ok(Seen::Reset),
        // No connection came about: that is no fault of the page.
        _ => Err(WorkError::network(error)),
    }
}

/// The same of hyper's errors, which have the cause in them somewhere.
fn failed(error: &(dyn Error + 'static)) -> Result<Seen, WorkError> {
    if let Some(error) = error.downcast_ref() {
        return ended(error);
    }
    let is_closed = error.downcast_ref().is_some_and(|it: &hyper::Error| {
        it.is_incomplete_message() || it.is_canceled() || it.is_closed()
    });
    match error.source() {
        Some(cause) => failed(cause),
        None if is_closed => Ok(Seen::Reset),
        None => Err(nonsense()),
    }
}

/// What came was no HTTP.
fn nonsense() -> WorkError {
    WorkError::network(&ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};
    use std::thread;

    use socket2::{Domain, Socket, Type};

    use super::super::tests::{runtime, within_time};
    use super::*;

    /// Gives a page to whom it lets in, and lets in only so many.
    fn serve(most: usize) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let let_in = listener.incoming().take(most).map(|stream| {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut request = [0; 1024];
                    while stream.read(&mut request).is_ok_and(|it| it > 0) {
                        let head = "HTTP/1.1 200 OK\r\ncontent-length: 4";
                        write!(stream, "{head}\r\n\r\npage").unwrap();
                    }
                })
            });
            for served in let_in.collect::<Vec<_>>() {
                served.join().unwrap();
            }
        });
        url
    }

    #[test]
    fn a_connection_serves_many_visits() {
        within_time(|| {
            let page = Ok(Seen::page(b"page"));
            let visitor = Visitor::new();
            let url = serve(1);
            for _ in 0..3 {
                assert_eq!(visitor.visit(&url, 3), page);
            }
            let url = serve(1);
            runtime().block_on(async {
                for _ in 0..3 {
                    assert_eq!(visitor.visit_async(&url, 3).await, page);
                }
            });
        });
    }

    #[test]
    fn a_runtime_is_not_left_with_the_connections_of_another() {
        within_time(|| {
            let page = Ok(Seen::page(b"page"));
            let visitor = Visitor::new();
            let url = serve(3);
            let visit = || visitor.visit_async(&url, 3);
            assert_eq!(runtime().block_on(visit()), page);
            // It is there, but moves no bytes when it is not asked to.
            let rests = runtime();
            assert_eq!(rests.block_on(visit()), page);
            assert_eq!(runtime().block_on(visit()), page);
        });
    }

    #[test]
    fn a_site_that_is_not_there_is_no_reset() {
        within_time(|| {
            // A port that is taken, by who does not listen.
            let port = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            port.bind(&any.into()).unwrap();
            let address = port.local_addr().unwrap().as_socket().unwrap();
            let url = format!("http://{address}");
            let visitor = Visitor::new();
            let blocking = visitor.visit(&url, 1);
            let task = runtime().block_on(visitor.visit_async(&url, 1));
            for seen in [blocking, task] {
                let error = seen.unwrap_err().to_string();
                assert_eq!(error, "no answer came: connection refused");
            }
        });
    }

    #[test]
    fn who_closes_without_an_answer_resets() {
        within_time(|| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
            let listener = listener.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            thread::spawn(move || {
                for stream in listener.incoming() {
                    // All of it, or the system resets.
                    let _ = stream.unwrap().read(&mut [0; 1024]);
                }
            });
            let visitor = Visitor::new();
            assert_eq!(visitor.visit(&url, 3), Ok(Seen::Reset));
            let task = visitor.visit_async(&url, 3);
            assert_eq!(runtime().block_on(task), Ok(Seen::Reset));
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_want_of_handles_is_told_from_a_reset() {
        for code in [libc::EMFILE, libc::ENFILE] {
            let error = io::Error::from_raw_os_error(code);
            assert_eq!(ended(&error), Err(WorkError::no_handle()));
        }
        let error = io::Error::from_raw_os_error(libc::ECONNRESET);
        assert_eq!(ended(&error), Ok(Seen::Reset));
        let error = io::Error::from_raw_os_error(libc::EADDRNOTAVAIL);
        assert!(ended(&error).is_err());
    }
}
