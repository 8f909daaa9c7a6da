//! On what it is measured, and how that is right now.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

/// What does not change while it is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The operating system.
    pub os: String,
    /// What kind of processor.
    pub arch: String,
    /// How many threads it runs at once, for this process.
    pub cores: u64,
    /// The compiler that built this program: `rustc 1.95.0 (…)`.
    pub rustc: String,
    /// Which revision of its sources the program was built from: the start of
    /// a commit's name, with `+changes` if they were changed since. `None` if
    /// it was built outside of a repository.
    pub revision: Option<String>,
}

impl Machine {
    /// What it is.
    pub fn look() -> Self {
        let cores = available_parallelism().map_or(1, |cores| cores.get());
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cores: cores as u64,
            rustc: env!("MANYHANDS_RUSTC").to_owned(),
            revision: option_env!("MANYHANDS_REVISION").map(Into::into),
        }
    }
}

/// How many threads have lately wanted to run, of all processes: the load
/// average over a minute. `None` where the system does not tell.
pub fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split(' ').next()?.parse().ok()?;
    Some(load).filter(|load| load.is_finite() && *load >= 0.0)
}

/// For how long, since the machine was started, some thread was ready and had
/// no core. `None` where the kernel does not count it.
pub(crate) fn pressure() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/pressure/cpu").ok()?;
    let some = text.lines().find(|line| line.starts_with("some "))?;
    let total = some.split(' ').find_map(|it| it.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// How long a cache line takes from one core to another, in nanoseconds, right
/// now. Everything that hands jobs from thread to thread goes by it, and on a
/// virtual machine it may change several times within seconds.
///
/// Two threads pass a counter to and fro; half of that is one way. The median
/// of several series, since a thread may lose its core in some. `None` with
/// one core, or if the two did not get to run at the same time. Takes a
/// fraction of a millisecond, and never more than about 20.
pub fn cache_line() -> Option<f64> {
    const SERIES: usize = 9;
    const TRIPS: u32 = 200;
    const PATIENCE: Duration = Duration::from_millis(20);
    /// Ends the other thread.
    const END: u32 = u32::MAX;

    /// On a line of its own.
    #[repr(align(128))]
    struct Line(AtomicU32);

    if available_parallelism().map_or(1, |cores| cores.get()) < 2 {
        return None;
    }
    let line = Line(AtomicU32::new(0));
    let deadline = Instant::now() + PATIENCE;
    let wait_for = |wanted: &dyn Fn(u32) -> bool| {
        for spins in 1u32.. {
            let value = line.0.load(Ordering::Acquire);
            if wanted(value) {
                return Some(value);
            }
            std::hint::spin_loop();
            if spins % 1000 == 0 && Instant::now() > deadline {
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
    fn a_cache_line_takes_time_or_nothing_is_said() {
        for _ in 0..3 {
            let nanos = cache_line();
            assert!(nanos.is_none_or(|nanos| nanos > 0.0), "{nanos:?}");
        }
    }

    #[test]
    fn the_compiler_is_known_and_what_the_system_tells_only_grows() {
        let machine = Machine::look();
        assert!(machine.rustc.starts_with("rustc "), "{machine:?}");
        assert!(machine.cores >= 1);
        if let Some((then, now)) = pressure().zip(pressure()) {
            assert!(then <= now);
        }
    }
}
