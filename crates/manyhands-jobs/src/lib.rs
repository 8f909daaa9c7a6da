//! Jobs that wrap jobs: what happens before, after and instead of the work.

#![forbid(unsafe_code)]

mod cancellable;
mod caught;
mod deadlined;
mod expiring;
mod keyed;
mod limit;
#[cfg(feature = "tokio")]
mod timeout;

pub use crate::cancellable::{Cancellable, NotBegun};
pub use crate::caught::Caught;
pub use crate::deadlined::Deadlined;
pub use crate::expiring::{Expired, Expiring};
pub use crate::keyed::Keyed;
#[cfg(feature = "tokio")]
pub use crate::timeout::{Elapsed, Timeout};
