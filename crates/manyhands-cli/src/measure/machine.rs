//! What it was measured on.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

/// What kind of machine it is, and how fast its cores talk to each other.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// How many threads it runs at once.
    pub(crate) cores: usize,
    /// How long a cache line takes from one core to another, in nanoseconds:
    /// the least and the most that was seen. Everything that hands jobs from
    /// thread to thread goes by it, and on a virtual machine it may change
    /// several times within seconds. `None` with one core.
    pub(crate) cache_line: Option<(f64, f64)>,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let cores = available_parallelism().map_or(1, |cores| cores.get());
        Self { cores, cache_line: None }
    }

    /// Looks once more how fast the cores talk. Takes a millisecond or so.
    pub(crate) fn look_again(&mut self) {
        if self.cores < 2 {
            return;
        }
        if let Some(nanos) = cache_line() {
            let (least, most) = self.cache_line.unwrap_or((nanos, nanos));
            self.cache_line = Some((least.min(nanos), most.max(nanos)));
        }
    }
}

/// Two threads pass a counter to and fro; half of that is one way. The median
/// of several series, since a thread may lose its core in some. `None` if the
/// two did not get to run at the same time.
fn cache_line() -> Option<f64> {
    const SERIES: usize = 9;
    const TRIPS: u32 = 200;
    const PATIENCE: Duration = Duration::from_millis(20);
    /// Ends the other thread.
    const END: u32 = u32::MAX;

    /// On a line of its own.
    #[repr(align(128))]
    struct Line(AtomicU32);

    let line = Line(AtomicU32::new(0));
    let deadline = Instant::now() + PATIENCE;
    let wait_for = |wanted: &dyn Fn(u32) -> bool| {
        for spins in 1u32.. {
            let value = line.0.load(Ordering::Acquire);
            if wanted(value) {
                return Some(value);
            }
            std::hint::spin_loop();
            if spins.is_multiple_of(1000) && Instant::now() > deadline {
                return None;
            }
        }
        None
    };
    let mut series = thread::scope(|scope| {
        scope.spawn(|| {
            // Answers each odd number with the next even one.
            while let Some(value) = wait_for(&|value| value % 2 == 1) {
                if value == END {
                    return;
                }
                line.0.store(value + 1, Ordering::Release);
            }
        });
        let mut count = 0;
        let mut series = Vec::new();
        // The first is not counted: the other thread has yet to start.
        for _ in 0..=SERIES {
            let clock = Instant::now();
            for _ in 0..TRIPS {
                line.0.store(count + 1, Ordering::Release);
                count += 2;
                if wait_for(&|value| value == count).is_none() {
                    break;
                }
            }
            series.push(clock.elapsed().as_nanos() as f64);
        }
        line.0.store(END, Ordering::Release);
        series
    });
    if Instant::now() > deadline {
        return None;
    }
    series.remove(0);
    series.sort_by(f64::total_cmp);
    Some(series[SERIES / 2] / f64::from(2 * TRIPS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_ends_and_keeps_the_least_and_the_most() {
        let mut machine = Machine::look();
        for _ in 0..3 {
            machine.look_again();
        }
        if let Some((least, most)) = machine.cache_line {
            assert!(machine.cores > 1);
            assert!(0.0 < least && least <= most);
        }
    }
}
