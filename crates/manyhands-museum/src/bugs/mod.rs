//! The bugs, a file each.

#![allow(clippy::unwrap_used, reason = "short, as one writes it first")]

mod assumed_order;
mod blocked_executor;
mod coordinated_omission;
mod lost_job;
mod lost_wakeup;
mod oversubscription;
mod rayon_under_lock;
mod unbounded_queue;
mod waitgroup_copied;

use crate::bug::Bug;

/// All of them, in the order of the tour.
pub fn bugs() -> &'static [Bug] {
    static BUGS: &[Bug] = &[
        lost_wakeup::BUG,
        unbounded_queue::BUG,
        oversubscription::BUG,
        blocked_executor::BUG,
        rayon_under_lock::BUG,
        lost_job::BUG,
        waitgroup_copied::BUG,
        assumed_order::BUG,
        coordinated_omission::BUG,
    ];
    BUGS
}
