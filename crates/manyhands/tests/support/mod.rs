//! What the tests over all variants share.

pub(crate) mod gate;
pub(crate) mod hostile;

use std::env;

/// True where the long form of each test is wanted: `MANYHANDS_DEEP` is set
/// to anything but nothing or 0.
pub(crate) fn deep() -> bool {
    env::var_os("MANYHANDS_DEEP")
        .is_some_and(|value| !value.is_empty() && value != "0")
}

/// The first number, and the second in the long form.
pub(crate) fn or_deep<T>(usual: T, long: T) -> T {
    if deep() { long } else { usual }
}
