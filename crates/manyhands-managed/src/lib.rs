//! A managed queue in front of a worker pool of any pattern.

#![forbid(unsafe_code)]

mod builder;
mod entry;
mod inside;
mod order;
mod pool;
mod shared;
mod shift;
mod snapshot;
mod state;
mod wait;

pub use crate::builder::ManagedBuilder;
pub use crate::order::Order;
pub use crate::pool::{ManagedPool, Stop, TryRecvError, WhenFull};
pub use crate::shift::Shift;
pub use crate::snapshot::{Snapshot, Stopped};
