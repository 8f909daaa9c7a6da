//! The patterns under the contract, and what only the contract needs.

mod block_on;
mod home;
mod join_set_pool;
mod promise;
mod task_pool;

pub use self::join_set_pool::JoinSetPool;
pub use self::task_pool::TaskPool;
