//! A site of a few hundred pages, on a port that was free.

use std::fmt::Write;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::visit::TRIED;
use crate::arithmetic::mix;
use crate::real::forget;
use crate::served::Served;

/// What a page does to who visits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Answers.
    Plain,
    /// Answers late.
    Slow,
    /// Is not there.
    Missing,
    /// Resets the connection, so many times.
    Resets(u32),
    /// Never answers.
    Silent,
}

/// How many there are of each but the plain ones.
const SLOW: usize = 8;
const MISSING: usize = 12;
const RESET_ONCE: usize = 4;
const RESET_TWICE: usize = 2;
const RESET: usize = 2;
const SILENT: usize = 1;

/// How many pages there are.
const PAGES: usize = 200;

/// How long an answer takes, and a late one.
const SERVICE: Duration = Duration::from_micros(500);
const LATE: Duration = Duration::from_millis(6);

/// It ends when it is dropped.
pub(super) struct Site {
    shared: Arc<Shared>,
    served: Served,
}

struct Shared {
    pages: Vec<Page>,
    /// Whether a visitor could not be let in.
    lacks_handles: AtomicBool,
}

struct Page {
    kind: Kind,
    text: String,
}

impl Site {
    /// Makes it up, and serves it.
    pub(super) fn open(seed: u64) -> io::Result<Self> {
        let shared = Shared {
            pages: pages(seed),
            lacks_handles: AtomicBool::new(false),
        };
        let shared = Arc::new(shared);
        let serving = Arc::clone(&shared);
        let served =
            Served::start("site", |listener| serving.accept(listener))?;
        Ok(Self { shared, served })
    }

    pub(super) fn len(&self) -> usize {
        PAGES
    }

    pub(super) fn summary(&self) -> String {
        let resets = RESET_ONCE + RESET_TWICE + RESET;
        format!(
            "{PAGES} pages, {SLOW} of them slow, {MISSING} missing, {resets} \
             that reset, {SILENT} silent"
        )
    }

    fn page(&self, index: u64) -> &Page {
        &self.shared.pages[place(index)]
    }

    pub(super) fn kind(&self, index: u64) -> Kind {
        self.page(index).kind
    }

    pub(super) fn text(&self, index: u64) -> &str {
        &self.page(index).text
    }

    pub(super) fn path(&self, index: u64) -> String {
        format!("/{}", place(index))
    }

    pub(super) fn url(&self, index: u64) -> String {
        format!("http://{}{}", self.served.address(), self.path(index))
    }

    /// True if it could not let everybody in.
    pub(super) fn lacks_handles(&self) -> bool {
        self.shared.lacks_handles.load(Ordering::SeqCst)
    }

    #[cfg(test)]
    pub(super) fn lack_handles(&self) {
        self.shared.lacks_handles.store(true, Ordering::SeqCst);
    }
}

fn place(index: u64) -> usize {
    (index % PAGES as u64) as usize
}

/// The pages, of each kind as many for any seed.
fn pages(seed: u64) -> Vec<Page> {
    let mut kinds = vec![Kind::Slow; SLOW];
    kinds.extend([Kind::Missing; MISSING]);
    kinds.extend([Kind::Resets(1); RESET_ONCE]);
    kinds.extend([Kind::Resets(2); RESET_TWICE]);
    kinds.extend([Kind::Resets(u32::MAX); RESET]);
    kinds.extend([Kind::Silent; SILENT]);
    kinds.resize(PAGES, Kind::Plain);
    let mut random = fastrand::Rng::with_seed(mix(seed));
    random.shuffle(&mut kinds);
    let text = |place| {
        let mut text = format!("<!DOCTYPE html>\n<title>{place}</title>\n");
        for _ in 0..random.usize(1..20) {
            let to = random.usize(..PAGES);
            // A `String` takes everything.
            let _ = writeln!(text, "<a href=\"/{to}\">{to}</a>");
        }
        text
    };
    let texts = (0..PAGES).map(text);
    kinds
        .into_iter()
        .zip(texts)
        .map(|(kind, text)| Page { kind, text })
        .collect()
}

impl Shared {
    /// Lets visitors in.
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    // Every end is a reset: no port is kept, by either side.
                    forget(&stream);
                    tokio::spawn(Arc::clone(&self).talk(stream));
                }
                // One that has gone before it was let in.
                Err(error)
                    if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    self.lacks_handles.store(true, Ordering::SeqCst);
                    sleep(LATE).await;
                }
            }
        }
    }

    /// Answers on one connection, until it ends.
    async fn talk(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| self.answer(request));
        let stream = TokioIo::new(stream);
        let talk = http1::Builder::new().serve_connection(stream, service);
        // Who has gone wants to hear nothing, a goodbye either.
        let _ = talk.without_shutdown().await;
    }

    /// The site remembers nobody: a visitor says the how-manieth try it is,
    /// and every run finds the site as the first did.
    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<String>, Reset> {
        let place = request.uri().path().strip_prefix('/');
        let place = place.and_then(|it| it.parse::<usize>().ok());
        let page = place.and_then(|place| self.pages.get(place));
        let tried = request.headers().get(TRIED);
        let tried = tried.and_then(|it| it.to_str().ok()?.parse::<u32>().ok());
        match page.map(|page| page.kind) {
            Some(Kind::Silent) => pending().await,
            Some(Kind::Slow) => sleep(LATE).await,
            _ => sleep(SERVICE).await,
        }
        match page {
            None | Some(Page { kind: Kind::Missing, .. }) => {
                let mut response = Response::default();
                *response.status_mut() = StatusCode::NOT_FOUND;
                Ok(response)
            }
            Some(Page { kind: Kind::Resets(times), .. })
                if tried.unwrap_or(1) <= *times =>
            {
                Err(Reset)
            }
            Some(page) => Ok(Response::new(page.text.clone())),
        }
    }
}

/// What ends a connection in the middle of a request.
#[derive(Debug)]
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("reset, as the page asks")
    }
}

impl std::error::Error for Reset {}
