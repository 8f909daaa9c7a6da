//! What handlers can do with the types: a test that fails by not compiling.

use std::cell::Cell;
use std::future::Future;

use axum::response::IntoResponse;
use manyhands_web::{Counts, Front, Lost, Refused, Reply};

/// Sent to other threads, and not shared with them.
type Work = Box<dyn FnOnce() -> Cell<u32> + Send>;

fn is_shared<T: Send + Sync>() {}
fn is_answer<T: IntoResponse>() {}
fn is_future<T: Future + Send>() {}

const _: fn() = || {
    is_shared::<Front<Work, Cell<u32>>>();
    is_shared::<Counts>();
    is_future::<Reply<Cell<u32>>>();
    is_answer::<Refused<Work>>();
    is_answer::<Lost>();
};
