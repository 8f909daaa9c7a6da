//! Jobs that wrap jobs: what happens before, after and instead of the work.

#![forbid(unsafe_code)]

mod cancellable;
mod caught;
mod deadlined;
mod expiring;
mod keyed;
mod limit;
#[cfg(feature = "retry")]
mod policy;
#[cfg(feature = "retry")]
mod retry;
#[cfg(feature = "tokio")]
mod timeout;
#[cfg(any(feature = "rate", feature = "retry"))]
mod wait;
#[cfg(all(feature = "tokio", any(feature = "rate", feature = "retry")))]
mod wait_async;

pub use crate::cancellable::{Cancellable, NotBegun};
pub use crate::caught::Caught;
pub use crate::deadlined::Deadlined;
pub use crate::expiring::{Expired, Expiring};
pub use crate::keyed::Keyed;
#[cfg(feature = "retry")]
pub use crate::policy::RetryPolicy;
#[cfg(feature = "retry")]
pub use crate::retry::{Counted, Retry};
#[cfg(feature = "tokio")]
pub use crate::timeout::{Elapsed, Timeout};
