//! The bugs, a file each.

#![allow(clippy::unwrap_used, reason = "short, as one writes it first")]

mod assumed_order;
mod blocked_executor;
mod coordinated_omission;
mod early_exit;
mod eaten_worker;
mod forgotten_sender;
mod lost_job;
mod lost_wakeup;
mod notify_one;
mod oversubscription;
mod poisoned_queue;
mod rayon_under_lock;
mod results_buffer;
mod self_submit;
mod unbounded_queue;
mod waitgroup_copied;
mod while_let_lock;

use crate::bug::Bug;

/// All of them, in the order of the tour.
pub fn bugs() -> &'static [Bug] {
    static BUGS: &[Bug] = &[
        while_let_lock::BUG,
        results_buffer::BUG,
        forgotten_sender::BUG,
        early_exit::BUG,
        lost_wakeup::BUG,
        notify_one::BUG,
        eaten_worker::BUG,
        poisoned_queue::BUG,
        self_submit::BUG,
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
