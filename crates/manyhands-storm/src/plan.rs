//! What is to go wrong, and when: drawn from a seed before anything begins.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Result, bail};
use fastrand::Rng;

/// The faults, by their numbers.
pub(crate) const FAULTS: [(&str, &str); 19] = [
    ("D01", "processes killed, at random and at named points"),
    ("D02", "workers stopped for longer than their lease, and continued"),
    ("D03", "the server stopped at once during load, and restarted"),
    ("D04", "the store away for a while"),
    ("D05", "connections cut after a commit, before its answer"),
    ("D06", "jobs that panic, or kill their process, each time"),
    ("D07", "a job longer than the lease"),
    ("D08", "clocks of workers an hour off"),
    ("D09", "all workers claim at once"),
    ("D10", "all workers die"),
    ("D11", "a full disk"),
    ("D12", "payloads that are too large, or no job, or of another form"),
    ("D13", "dead letters driven again"),
    ("D14", "an old and a new release together"),
    ("D15", "SIGTERM"),
    ("D16", "a backlog that is not looked at"),
    ("D17", "wake-ups that are lost"),
    ("D18", "hostile names, and passwords"),
    ("D19", "a store that can only be read"),
];

/// Where a process that submits can be made to die.
pub(crate) const SUBMITTING: [&str; 2] =
    ["before-enqueue-commit", "after-enqueue-before-ack"];

/// Where one that works can.
pub(crate) const WORKING: [&str; 8] = [
    "after-claim",
    "mid-job",
    "after-effect-before-ack",
    "before-ack",
    "after-ack-before-reply",
    "during-heartbeat",
    "during-nack",
    "during-dead-letter",
];

/// The faults that are meant: `all`, or some with commas between them.
pub(crate) fn faults(text: &str) -> Result<BTreeSet<&'static str>> {
    let known = |name: &str| {
        let fault = FAULTS.iter().find(|(known, _)| *known == name);
        fault.map(|(name, _)| *name)
    };
    let mut faults = BTreeSet::new();
    for name in text.split(',').filter(|it| !it.is_empty()) {
        match known(name) {
            Some(name) => {
                faults.insert(name);
            }
            None if name == "all" => {
                faults.extend(FAULTS.iter().map(|(name, _)| name));
            }
            None if name == "none" => {}
            None => bail!("no fault {name}: they are D01 to D19, all, none"),
        }
    }
    Ok(faults)
}

/// Something that goes wrong during load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A worker is killed.
    Kill {
        worker: usize,
    },
    /// A worker is started anew, and dies at a point, which it passes first so
    /// many times.
    Crash {
        worker: usize,
        point: &'static str,
        after: u64,
    },
    /// The same of a producer.
    CrashProducer {
        producer: usize,
        point: &'static str,
        after: u64,
    },
    KillProducer {
        producer: usize,
    },
    /// A worker is stopped for so many milliseconds.
    Stall {
        worker: usize,
        ms: u64,
    },
    /// The server is stopped at once, and started.
    Restart,
    /// The store is away for so many milliseconds.
    Away {
        ms: u64,
    },
    /// Connections are cut from now on, or no more.
    Cut {
        on: bool,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { worker } => write!(f, "kill worker {worker}"),
            Self::Crash { worker, point, after } => {
                write!(f, "worker {worker} dies at {point}, after {after}")
            }
            Self::CrashProducer { producer, point, after } => {
                write!(f, "producer {producer} dies at {point}, after {after}")
            }
            Self::KillProducer { producer } => {
                write!(f, "kill producer {producer}")
            }
            Self::Stall { worker, ms } => {
                write!(f, "stop worker {worker} for {ms} ms")
            }
            Self::Restart => f.write_str("stop the server at once, start it"),
            Self::Away { ms } => write!(f, "the store is away for {ms} ms"),
            Self::Cut { on } => write!(f, "cut connections: {on}"),
        }
    }
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) jobs: usize,
    pub(crate) workers: usize,
    pub(crate) producers: usize,
    pub(crate) has_server: bool,
    /// It is made to last.
    pub(crate) is_large: bool,
}

/// Events, each with how many jobs are committed when it comes.
pub(crate) fn plan(
    rng: &mut Rng,
    faults: &BTreeSet<&'static str>,
    size: Size,
) -> Vec<(usize, Event)> {
    let Size { jobs, workers, producers, has_server, is_large } = size;
    let mut events = Vec::new();
    let rounds = if is_large { 5 } else { 1 };
    for _ in 0..rounds {
        if faults.contains("D01") {
            for _ in 0..4 {
                events.push(Event::Kill { worker: rng.usize(..workers) });
            }
            for point in WORKING {
                let (worker, after) = (rng.usize(..workers), rng.u64(..15));
                events.push(Event::Crash { worker, point, after });
            }
            let producer = rng.usize(..producers);
            events.push(Event::KillProducer { producer });
            for point in SUBMITTING {
                let (producer, after) =
                    (rng.usize(..producers), rng.u64(..15));
                events.push(Event::CrashProducer { producer, point, after });
            }
        }
        if faults.contains("D02") {
            let ms = rng.u64(4_500..5_500);
            let worker = rng.usize(..workers);
            events.push(Event::Stall { worker, ms });
        }
        if faults.contains("D03") && has_server {
            events.extend([Event::Restart, Event::Restart]);
        }
        if faults.contains("D04") {
            let ms = if is_large { 30_000 } else { 5_000 };
            events.push(Event::Away { ms });
        }
    }
    rng.shuffle(&mut events);
    let count = events.len().max(1);
    let mut plan: Vec<(usize, Event)> = events
        .into_iter()
        .enumerate()
        // Not before there is something to lose.
        .map(|(number, event)| (jobs * (number + 1) / (count + 2), event))
        .collect();
    if faults.contains("D05") && has_server {
        plan.push((jobs / 10, Event::Cut { on: true }));
        plan.push((jobs / 2, Event::Cut { on: false }));
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        jobs: 100,
        workers: 4,
        producers: 2,
        has_server: true,
        is_large: false,
    };

    #[test]
    fn a_seed_is_a_plan() {
        let all = faults("all").unwrap();
        let make = |seed| plan(&mut Rng::with_seed(seed), &all, SIZE);
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        assert!(make(1).iter().any(|(_, it)| *it == Event::Restart));
    }

    #[test]
    fn what_is_not_asked_for_does_not_happen() {
        let none = faults("none").unwrap();
        assert_eq!(plan(&mut Rng::with_seed(1), &none, SIZE), []);
        assert_eq!(faults("D01,D19").unwrap().len(), 2);
        assert!(faults("D20").is_err());
    }
}
