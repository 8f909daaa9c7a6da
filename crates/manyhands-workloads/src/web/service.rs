//! The service: a request takes the next of the jobs.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use manyhands_core::{Job, JobId, TrySubmitError};
use manyhands_web::{Front, Refused};
use tokio::net::TcpListener;

use super::{Arrival, Reply};
use crate::Answer;
use crate::real::forget;

/// Where an answer is waited for, and where only that it will come.
pub(super) const WORK: &str = "/work";
pub(super) const SIGNUP: &str = "/signup";

pub(super) struct Service<J: Job + 'static> {
    front: Arc<Front<J, Reply>>,
    jobs: Mutex<Jobs<J>>,
}

struct Jobs<J> {
    next: Box<dyn Iterator<Item = J> + Send>,
    /// One for which there was no place; the next request takes it.
    back: Option<J>,
}

impl<J: Job + 'static> Service<J> {
    pub(super) fn new(
        front: Arc<Front<J, Reply>>,
        jobs: impl Iterator<Item = J> + Send + 'static,
    ) -> Arc<Self> {
        let jobs = Jobs { next: Box::new(jobs), back: None };
        Arc::new(Self { front, jobs: Mutex::new(jobs) })
    }

    pub(super) async fn run(
        self: Arc<Self>,
        listener: TcpListener,
        arrival: Arrival,
    ) {
        let listener = listener.tap_io(|stream| forget(stream));
        let routes = match arrival {
            Arrival::Paced { .. } => Router::new().route(WORK, get(work)),
            Arrival::Eager { .. } => Router::new().route(SIGNUP, post(signup)),
        };
        // It goes on until its thread ends.
        let _ = axum::serve(listener, routes.with_state(self)).await;
    }

    /// Submits the next job. `None` if there is none left.
    fn submit<T>(
        &self,
        submit: impl FnOnce(&Front<J, Reply>, J) -> Result<T, Refused<J>>,
    ) -> Option<Result<T, Response>> {
        // Locked until it is submitted, so that ids are in order of the jobs.
        let jobs = self.jobs.lock();
        let mut jobs = jobs.unwrap_or_else(PoisonError::into_inner);
        let job = jobs.back.take().or_else(|| jobs.next.next())?;
        Some(submit(&self.front, job).map_err(|Refused(refused)| {
            let (refused, job) = match refused {
                TrySubmitError::Full(job) => (TrySubmitError::Full(()), job),
                TrySubmitError::Closed(job) => {
                    (TrySubmitError::Closed(()), job)
                }
            };
            jobs.back = Some(job);
            Refused(refused).into_response()
        }))
    }
}

/// What a caller is told.
pub(super) fn body(id: JobId, answer: Answer) -> String {
    format!("{} {answer}", id.get())
}

/// The answer of a job, and which job it was.
async fn work<J: Job + 'static>(
    State(service): State<Arc<Service<J>>>,
) -> Response {
    match service.submit(Front::ask) {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Err(refused)) => refused,
        Some(Ok(reply)) => match reply.await {
            Ok((id, Some(answer))) => body(id, answer).into_response(),
            Ok((_, None)) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Err(lost) => lost.into_response(),
        },
    }
}

/// That a job was accepted.
async fn signup<J: Job + 'static>(
    State(service): State<Arc<Service<J>>>,
) -> Response {
    match service.submit(Front::post) {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Err(refused)) => refused,
        Some(Ok(_)) => StatusCode::ACCEPTED.into_response(),
    }
}
