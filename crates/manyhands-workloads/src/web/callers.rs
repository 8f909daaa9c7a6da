//! Those who call the service.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::header::RETRY_AFTER;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::Arrival;
use super::service::{SIGNUP, WORK};
use crate::{Visits, WorkloadError};

/// More do not wait at once, for each needs a connection, which takes two of
/// the files that a process may have open: often 1024. Others give up.
const MOST_CALLERS: usize = 400;

/// How long a caller waits who was refused and asks again. It is told to wait
/// a second, which is longer than the run.
const PAUSE: Duration = Duration::from_millis(1);

/// What became of a request.
enum Heard {
    /// What the body says, if the job answered, and how long it took since
    /// the request was due.
    Accepted { body: Option<String>, took: Duration },
    /// It may ask again later.
    Full,
    /// There is nothing left to ask for, or nobody who takes it.
    Over,
}

/// What all callers heard.
#[derive(Default)]
pub(super) struct Called {
    pub(super) visits: Visits,
    /// What was said to each that was answered.
    pub(super) bodies: Vec<String>,
    is_over: bool,
}

impl Called {
    fn add(&mut self, heard: Heard) {
        match heard {
            Heard::Accepted { body, took } => {
                self.visits.accepted += 1;
                self.visits.times.push(took);
                self.bodies.extend(body);
            }
            Heard::Full => self.visits.refused += 1,
            Heard::Over => {
                self.visits.late += 1;
                self.is_over = true;
            }
        }
    }
}

/// Calls until the service says that there is nothing left.
pub(super) async fn call(
    address: SocketAddr,
    arrival: Arrival,
    workers: NonZeroUsize,
) -> Result<Called, WorkloadError> {
    match arrival {
        Arrival::Paced { percent, a_job } => {
            let gap = gap(percent, a_job, workers);
            paced(Client::new(address, Method::GET, WORK)?, gap).await
        }
        Arrival::Eager { callers } => {
            let client = Client::new(address, Method::POST, SIGNUP)?;
            eager(client, callers).await
        }
    }
}

/// The time between two requests. As many workers as there are cores do all
/// that can be done.
fn gap(percent: u32, a_job: Duration, workers: NonZeroUsize) -> Duration {
    let cores = std::thread::available_parallelism();
    let at_once = workers.min(cores.unwrap_or(NonZeroUsize::MIN));
    a_job.mul_f64(100.0 / f64::from(percent) / at_once.get() as f64)
}

async fn paced(
    client: Client,
    gap: Duration,
) -> Result<Called, WorkloadError> {
    let (start, mut called) = (Instant::now(), Called::default());
    let mut calls = JoinSet::new();
    for number in 0.. {
        let due = start + gap * number;
        sleep_until(due).await;
        while let Some(heard) = calls.try_join_next() {
            called.add(over(heard)?);
        }
        if called.is_over {
            break;
        }
        if calls.len() == MOST_CALLERS {
            called.visits.gave_up += 1;
        } else {
            called.visits.sent += 1;
            let client = client.clone();
            calls.spawn(async move { client.call(due).await });
        }
    }
    while let Some(heard) = calls.join_next().await {
        called.add(over(heard)?);
    }
    Ok(called)
}

async fn eager(
    client: Client,
    callers: usize,
) -> Result<Called, WorkloadError> {
    let mut calls = JoinSet::new();
    for _ in 0..callers {
        let client = client.clone();
        calls.spawn(async move {
            let (mut sent, mut all) = (0, Vec::new());
            let mut is_over = false;
            while !is_over {
                sent += 1;
                let heard = client.call(Instant::now()).await?;
                match heard {
                    Heard::Accepted { .. } => {}
                    Heard::Full => sleep(PAUSE).await,
                    Heard::Over => is_over = true,
                }
                all.push(heard);
            }
            Ok((sent, all))
        });
    }
    let mut called = Called::default();
    while let Some(all) = calls.join_next().await {
        let (sent, all) = over(all)?;
        called.visits.sent += sent;
        all.into_iter().for_each(|heard| called.add(heard));
    }
    Ok(called)
}

/// What a caller that has ended has to say.
fn over<T>(
    ended: Result<Result<T, WorkloadError>, tokio::task::JoinError>,
) -> Result<T, WorkloadError> {
    match ended {
        Ok(said) => said,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(_) => Err(WorkloadError::new("a caller was stopped")),
        },
    }
}

/// Keeps its connections for the next call.
#[derive(Clone)]
struct Client {
    pooled: Pooled<HttpConnector, Empty<Bytes>>,
    method: Method,
    uri: Uri,
}

impl Client {
    fn new(
        address: SocketAddr,
        method: Method,
        path: &str,
    ) -> Result<Self, WorkloadError> {
        let uri = Uri::try_from(format!("http://{address}{path}"));
        let uri = uri.map_err(|error| failed(&error))?;
        let pooled = Pooled::builder(TokioExecutor::new()).build_http();
        Ok(Self { pooled, method, uri })
    }

    async fn call(&self, due: Instant) -> Result<Heard, WorkloadError> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        let response = self.pooled.request(request).await;
        let response = response.map_err(|error| failed(&error))?;
        let status = response.status();
        let is_full = response.headers().contains_key(RETRY_AFTER);
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| failed(&error))?.to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        let took = due.elapsed();
        match status {
            StatusCode::OK => Ok(Heard::Accepted { body: Some(body), took }),
            // The job will answer later; or it did not, and failed.
            StatusCode::ACCEPTED | StatusCode::INTERNAL_SERVER_ERROR => {
                Ok(Heard::Accepted { body: None, took })
            }
            StatusCode::SERVICE_UNAVAILABLE if is_full => Ok(Heard::Full),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::NO_CONTENT => {
                Ok(Heard::Over)
            }
            other => Err(WorkloadError::new(format!(
                "the service answered {other}, allowed is 200, 202, 204, 500 \
                 or 503"
            ))),
        }
    }
}

fn failed(error: &dyn std::error::Error) -> WorkloadError {
    // What it says of itself is that there was an error; the cause is inside.
    let mut line = format!("a request failed: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        line += &format!(": {inner}");
        cause = inner.source();
    }
    WorkloadError::new(line)
}
