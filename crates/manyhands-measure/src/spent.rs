//! What a run took: the wall's clock, and beside it what the process used.

use std::time::{Duration, Instant};

use crate::machine::pressure;

/// What a run took. What the system does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// From its start to its end.
    pub wall: Duration,
    /// How long all its threads together had a core. A thread that still runs
    /// when the clock is stopped may be behind by a tick of the system's, up
    /// to 10 ms.
    pub cpu: Option<Duration>,
    /// How often its threads lost their core.
    pub switches: Option<Switches>,
    /// For how long some thread of the whole machine was ready and had no
    /// core, its own threads included.
    pub pressure: Option<Duration>,
}

impl Spent {
    /// Of how many cores it had the time: CPU time over wall time.
    pub fn cores_got(&self) -> Option<f64> {
        let wall = self.wall.as_secs_f64();
        self.cpu.filter(|_| wall > 0.0).map(|it| it.as_secs_f64() / wall)
    }
}

/// How often threads lost their core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// Since they waited for something.
    pub voluntary: u64,
    /// Since another was given it.
    pub involuntary: u64,
}

/// Takes the time of a run, and what the process uses meanwhile.
#[derive(Debug)]
pub struct Stopwatch {
    used: Option<Used>,
    pressure: Option<Duration>,
    /// Read last, and first when it is stopped.
    clock: Instant,
}

impl Stopwatch {
    /// From now on.
    pub fn start() -> Self {
        let pressure = pressure();
        let used = Used::so_far();
        Self { used, pressure, clock: Instant::now() }
    }

    /// Until now.
    pub fn stop(self) -> Spent {
        let wall = self.clock.elapsed();
        let used = Used::so_far().zip(self.used);
        let pressures = pressure().zip(self.pressure);
        Spent {
            wall,
            cpu: used.map(|(now, then)| now.cpu.saturating_sub(then.cpu)),
            switches: used.map(|(now, then)| Switches {
                voluntary: now.voluntary.saturating_sub(then.voluntary),
                involuntary: now.involuntary.saturating_sub(then.involuntary),
            }),
            pressure: pressures.map(|(now, then)| now.saturating_sub(then)),
        }
    }
}

/// What the process has used since it began.
#[derive(Clone, Copy, Debug)]
struct Used {
    cpu: Duration,
    voluntary: u64,
    involuntary: u64,
}

impl Used {
    #[cfg(unix)]
    fn so_far() -> Option<Self> {
        use nix::sys::resource::{UsageWho, getrusage};
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        let time = |time: nix::sys::time::TimeVal| {
            let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
            let micros = u64::try_from(time.tv_usec()).unwrap_or(0);
            Duration::from_secs(seconds) + Duration::from_micros(micros)
        };
        let count = |count| u64::try_from(count).unwrap_or(0);
        Some(Self {
            cpu: time(usage.user_time()) + time(usage.system_time()),
            voluntary: count(usage.voluntary_context_switches()),
            involuntary: count(usage.involuntary_context_switches()),
        })
    }

    #[cfg(not(unix))]
    fn so_far() -> Option<Self> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn work_costs_cpu_time_and_a_wait_costs_a_switch() {
        let watch = Stopwatch::start();
        let clock = Instant::now();
        while clock.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let spun = watch.stop();
        assert!(spun.wall >= Duration::from_millis(20));
        assert!(spun.cpu.unwrap() > Duration::ZERO, "{spun:?}");
        assert!(spun.cores_got().unwrap() > 0.0, "{spun:?}");

        let watch = Stopwatch::start();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(()));
        receiver.recv().unwrap();
        std::thread::sleep(Duration::from_millis(1));
        let waited = watch.stop();
        assert!(waited.switches.unwrap().voluntary > 0, "{waited:?}");
    }
}
