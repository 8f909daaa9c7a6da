//! Worker-pool patterns, side by side: one crate a pattern, one shared trait.
//!
//! This crate re-exports the contract ([`manyhands_core`]) and, a feature
//! each, the patterns. Who needs one pattern may as well depend on its crate
//! alone; who wants to choose at run time, or to compare, takes this one and
//! its list, [`variants`].

#![forbid(unsafe_code)]

mod list;

pub use manyhands_core::*;

pub use crate::list::{Variant, variants};

#[cfg(feature = "channel")]
pub use manyhands_channel as channel;
#[cfg(feature = "dispatcher")]
pub use manyhands_dispatcher as dispatcher;
#[cfg(feature = "errgroup")]
pub use manyhands_errgroup as errgroup;
#[cfg(feature = "rayon")]
pub use manyhands_rayon as rayon;
#[cfg(feature = "semaphore")]
pub use manyhands_semaphore as semaphore;
#[cfg(feature = "tokio")]
pub use manyhands_tokio as tokio;
#[cfg(feature = "waitgroup")]
pub use manyhands_waitgroup as waitgroup;
