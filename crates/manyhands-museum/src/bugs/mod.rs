//! The bugs, a file each.

#![allow(clippy::unwrap_used, reason = "short, as one writes it first")]

mod lost_wakeup;

use crate::bug::Bug;

/// All of them, in the order of the tour.
pub fn bugs() -> &'static [Bug] {
    static BUGS: &[Bug] = &[lost_wakeup::BUG];
    BUGS
}
