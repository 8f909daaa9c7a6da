//! The files under a directory, and what each of them holds.

mod list;
mod read;

pub(crate) use self::list::Files;
pub(crate) use self::read::answer;
pub use self::read::{FileError, FileReport};
