//! Values and jobs that panic.

use std::any::Any;
use std::panic::resume_unwind;

/// Panics without a word from the panic hook.
pub(crate) fn throw(payload: impl Any + Send) -> ! {
    resume_unwind(Box::new(payload))
}

/// A value that panics when it is dropped, and so does what it throws, as
/// many times as it says.
#[derive(Debug)]
pub(crate) struct Hostile(pub(crate) u32);

impl Drop for Hostile {
    fn drop(&mut self) {
        match self.0 {
            0 => {}
            1 => throw("a drop that panics"),
            more => throw(Self(more - 1)),
        }
    }
}
