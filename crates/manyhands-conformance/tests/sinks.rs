//! The laws of sinks find each sink that breaks one, and no other.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use manyhands_conformance::{SinkStep, check_sink};
use manyhands_core::JobSink;

/// What is wrong with a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// One job of those it accepted is not run.
    Loses,
    /// What it refuses it runs all the same.
    RunsRefused,
    /// Ids begin again.
    RepeatsIds,
    /// After stop it says Ok.
    AcceptsAfterStop,
    /// Stop does not wait.
    StopsEarly,
    /// A panic ends its worker.
    DiesOfPanic,
}

/// One worker, one channel.
struct Toy {
    fault: Fault,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ids: u64,
    jobs: Option<Sender<SinkStep>>,
    worker: Option<JoinHandle<()>>,
}

impl Toy {
    fn new(fault: Fault) -> Self {
        let (jobs, todo) = channel::<SinkStep>();
        let worker = thread::spawn(move || {
            for step in todo {
                let ran = catch_unwind(AssertUnwindSafe(|| step.run()));
                if let (Err(panic), Fault::DiesOfPanic) = (ran, fault) {
                    resume_unwind(panic);
                }
            }
        });
        let (jobs, worker) = (Some(jobs), Some(worker));
        Self { fault, state: Mutex::new(State { ids: 0, jobs, worker }) }
    }
}

impl JobSink<SinkStep> for Toy {
    type Id = u64;
    type Error = ();

    fn submit(&self, step: SinkStep) -> Result<u64, ()> {
        let mut state = self.state.lock().unwrap();
        let Some(jobs) = &state.jobs else {
            return match self.fault {
                Fault::AcceptsAfterStop => Ok(0),
                Fault::RunsRefused => {
                    step.run();
                    Err(())
                }
                _ => Err(()),
            };
        };
        if self.fault != Fault::Loses || state.ids != 7 {
            // With its worker gone, nobody will take it.
            let _ = jobs.send(step);
        }
        state.ids += 1;
        match self.fault {
            Fault::RepeatsIds => Ok(state.ids % 64),
            _ => Ok(state.ids),
        }
    }

    fn stop(&self) {
        let mut state = self.state.lock().unwrap();
        state.jobs = None;
        if let (Some(worker), false) =
            (state.worker.take(), self.fault == Fault::StopsEarly)
        {
            // Of a panic it would know nothing more.
            let _ = worker.join();
        }
    }
}

#[track_caller]
fn breaks(fault: Fault, laws: &[u8]) {
    let broken = check_sink(|| Toy::new(fault), |step| step);
    let found: Vec<u8> = broken.iter().map(|broken| broken.law).collect();
    assert_eq!(found, laws, "{fault:?}: {broken:?}");
}

#[test]
fn a_sink_that_keeps_the_laws_passes() {
    breaks(Fault::None, &[]);
}

#[test]
fn a_step_is_its_numbers() {
    let step = SinkStep::from_numbers([3, 5, 1]);
    assert_eq!(step.numbers(), [3, 5, 1]);
}

#[test]
fn a_job_refused_and_run() {
    breaks(Fault::RunsRefused, &[2]);
}

#[test]
fn ids_that_come_again() {
    breaks(Fault::RepeatsIds, &[3]);
}

#[test]
fn a_job_accepted_after_stop() {
    breaks(Fault::AcceptsAfterStop, &[4]);
}

#[test]
fn a_stop_that_does_not_wait() {
    breaks(Fault::StopsEarly, &[5]);
}

/// Each waits for the kit's patience, once.
#[test]
fn a_worker_that_dies_of_a_panic() {
    breaks(Fault::DiesOfPanic, &[6]);
}

/// Once: whoever waits for all jobs elsewhere would wait as long again.
#[test]
fn a_job_that_is_lost() {
    let first = Cell::new(Fault::Loses);
    let make = || Toy::new(first.replace(Fault::None));
    let broken = check_sink(make, |step| step);
    let found: Vec<_> = broken.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["sink law 1: job 7 was accepted, and not run"]);
}
