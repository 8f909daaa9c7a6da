//! The patterns under the contract, and what only the contract needs.

mod block_on;
mod home;
mod join_set_pool;
mod pool;
mod promise;
mod shift;
mod task_pool;

pub use self::join_set_pool::{JoinSetPool, TaskAJob};
pub use self::pool::AsyncPool;
pub use self::task_pool::{TaskPool, Workers};
