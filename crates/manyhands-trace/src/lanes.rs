//! Which worker ran a job, as far as can be told from outside.

use std::time::Duration;

use crate::trace::Record;

struct Lane {
    free_at: Duration,
    /// Who ran here last.
    thread: usize,
}

/// Gives each record that was started a lane. They are in the order of their
/// starts. Returns how many lanes that took.
pub(crate) fn assign_lanes(records: &mut [Record], workers: usize) -> usize {
    let mut lanes: Vec<Lane> = Vec::new();
    for record in records {
        let Some(started) = record.started else { continue };
        let free = |lane: &Lane| lane.free_at <= started;
        let mine = |lane: &Lane| free(lane) && lane.thread == record.thread;
        let found = lanes.iter().position(mine).or_else(|| {
            let full = lanes.len() >= workers;
            lanes.iter().position(free).filter(|_| full)
        });
        let next = Lane { free_at: record.ended, thread: record.thread };
        record.lane = Some(found.unwrap_or(lanes.len()));
        match found {
            Some(lane) => lanes[lane] = next,
            None => lanes.push(next),
        }
    }
    lanes.len()
}
