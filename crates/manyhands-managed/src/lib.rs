//! A managed queue in front of a worker pool of any pattern.

#![forbid(unsafe_code)]

mod builder;
mod entry;
mod inside;
mod order;
mod pool;
mod reserve;
#[cfg(feature = "tower")]
mod service;
mod shared;
mod shift;
mod snapshot;
mod state;
#[cfg(feature = "stream")]
mod stream;
mod wait;
mod watch;

pub use crate::builder::ManagedBuilder;
pub use crate::order::Order;
pub use crate::pool::{ManagedPool, Stop, TryRecvError, WhenFull};
pub use crate::reserve::Place;
#[cfg(feature = "tower")]
pub use crate::service::{
    Answer, BoxError, Call, PoolLayer, Pooled, Unanswered,
};
pub use crate::shift::Shift;
pub use crate::snapshot::{Snapshot, Stopped};
#[cfg(feature = "stream")]
pub use crate::stream::CompletionStream;
