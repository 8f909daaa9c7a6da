//! How a queue ends.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_durable::{Error, JobQueue, State, Submission};

use crate::lab::{Gate, Lab, Task, ends, eventually, reaches};
use crate::place::{Place, quick};

/// A job that is under way, and what lets it end.
fn long() -> (Lab, Gate) {
    let gate = Gate::default();
    let opened = gate.clone();
    let lab = Lab::new(move |_, _| {
        opened.pass();
        Ok(None)
    });
    (lab, gate)
}

pub(crate) fn a_stop_waits_for_what_runs(place: &Place) {
    let (lab, gate) = long();
    let queue = Arc::new(place.started(2));
    let ids = ["a", "b"].map(|name| queue.submit(lab.task(name)).unwrap());
    lab.wait_for(2);
    let stopping = Arc::clone(&queue);
    let stop = thread::spawn(move || stopping.stop());
    // It has begun to stop once nothing is accepted.
    let filler = Lab::idle();
    let refused =
        eventually("stopping", || match queue.submit(filler.task("x")) {
            Ok(id) => Err(id),
            Err(refused) => Ok(refused.error),
        });
    assert_eq!(refused, Error::Stopped);
    assert!(!stop.is_finished());
    gate.open();
    let stopped = ends("a stop", move || stop.join().unwrap());
    // Those of the filler may have begun as well, in memory all have.
    assert!(stopped.finished >= 2, "{stopped:?}");
    assert_eq!(stopped.abandoned, 0);
    for id in ids {
        let status = queue.status(id).unwrap().unwrap();
        assert_eq!((status.state, status.attempts), (State::Done, 1));
    }
    assert_eq!(queue.counts().unwrap().running, 0);
}

pub(crate) fn after_a_stop_nothing_is_accepted(place: &Place) {
    let lab = Lab::idle();
    let queue = place.started(1);
    let id = queue.submit(lab.task("a")).unwrap();
    reaches(&queue, id, State::Done);
    queue.stop();
    let refused = queue.submit(lab.task("b")).unwrap_err();
    assert_eq!((refused.error, refused.job), (Error::Stopped, lab.task("b")));
    let batch = [(lab.task("c"), Default::default())];
    assert_eq!(queue.submit_all(batch), Err(Error::Stopped));
    assert_eq!(queue.start(), Err(Error::Stopped));
    // What is there can still be looked at.
    assert_eq!(queue.status(id).unwrap().unwrap().state, State::Done);
    assert_eq!(queue.counts().unwrap().unfinished(), 0);
    assert_eq!(lab.names(), ["a"]);
}

pub(crate) fn a_stop_may_come_again_and_from_everywhere(place: &Place) {
    let (lab, gate) = long();
    let queue = Arc::new(place.started(2));
    let id = queue.submit(lab.task("a")).unwrap();
    lab.wait_for(1);
    let stops: Vec<_> = (0..8)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                queue.stop();
                queue.status(id).unwrap().unwrap().state
            })
        })
        .collect();
    gate.open();
    for stop in stops {
        let state = ends("a stop", move || stop.join().unwrap());
        assert_eq!(state, State::Done);
    }
    assert_eq!(queue.stop(), Default::default());
}

pub(crate) fn a_queue_that_never_started_stops(place: &Place) {
    let queue = place.open(quick());
    assert_eq!(queue.stop(), Default::default());
    assert_eq!(queue.start(), Err(Error::Stopped));
}

/// Where a job finds its own queue.
type Shared = Arc<Mutex<Option<Arc<JobQueue<Task>>>>>;

pub(crate) fn a_job_may_stop_its_own_queue(place: &Place) {
    for workers in [1, 3] {
        let own: Shared = Arc::default();
        let found = Arc::clone(&own);
        let lab = Lab::new(move |name, _| {
            if name == "stops" {
                let queue = found.lock().unwrap().clone().unwrap();
                queue.stop();
                return Ok(Some("stopped".into()));
            }
            Ok(None)
        });
        let queue = Arc::new(place.open(quick().workers(workers)));
        *own.lock().unwrap() = Some(Arc::clone(&queue));
        let id = queue.submit(lab.task("stops")).unwrap();
        queue.start().unwrap();
        // It is not waited for, and its result is written nevertheless.
        reaches(&queue, id, State::Done);
        own.lock().unwrap().take();
        ends("a drop", move || drop(queue));
    }
}

pub(crate) fn a_job_may_stop_its_queue_while_somebody_else_does(
    place: &Place,
) {
    let own: Shared = Arc::default();
    let found = Arc::clone(&own);
    let gate = Gate::default();
    let opened = gate.clone();
    let lab = Lab::new(move |_, _| {
        opened.pass();
        let queue = found.lock().unwrap().clone().unwrap();
        queue.stop();
        assert_eq!(queue.start(), Err(Error::Stopped));
        Ok(None)
    });
    let queue = Arc::new(place.started(2));
    *own.lock().unwrap() = Some(Arc::clone(&queue));
    let ids = ["a", "b"].map(|name| queue.submit(lab.task(name)).unwrap());
    lab.wait_for(2);
    let stopping = Arc::clone(&queue);
    let stop = thread::spawn(move || stopping.stop());
    gate.open();
    ends("a stop", move || stop.join().unwrap());
    for id in ids {
        reaches(&queue, id, State::Done);
    }
    own.lock().unwrap().take();
}

pub(crate) fn a_job_may_drop_its_own_queue(place: &Place) {
    let own: Shared = Arc::default();
    let found = Arc::clone(&own);
    let gate = Gate::default();
    let (opened, dropped) = (gate.clone(), Gate::default());
    let done = dropped.clone();
    let lab = Lab::new(move |_, _| {
        opened.pass();
        let queue = found.lock().unwrap().take();
        let queue = Arc::into_inner(queue.unwrap()).unwrap();
        drop(queue);
        done.open();
        Ok(None)
    });
    let queue = place.started(2);
    queue.submit(lab.task("a")).unwrap();
    *own.lock().unwrap() = Some(Arc::new(queue));
    gate.open();
    dropped.pass();
    assert_eq!(lab.names(), ["a"]);
}

pub(crate) fn at_the_end_of_the_grace_a_job_is_told(place: &Place) {
    let told = Gate::default();
    let tells = told.clone();
    let lab = Lab::new(move |_, attempt| {
        attempt.token().wait();
        tells.open();
        Ok(Some("too late".into()))
    });
    let queue = place.started(2);
    let id = queue.submit(lab.task("a")).unwrap();
    let only = Submission::new().max_attempts(1);
    let once = queue.submit_with(lab.task("b"), only).unwrap();
    lab.wait_for(2);
    let grace = Duration::from_millis(50);
    let began = Instant::now();
    let stopped = queue.stop_within(grace);
    let took = began.elapsed();
    assert!(took >= grace, "only {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!((stopped.finished, stopped.abandoned), (0, 2));
    told.pass();
    let status = queue.status(id).unwrap().unwrap();
    // It had begun, so it counts.
    assert_eq!((status.state, status.attempts), (State::Ready, 1));
    let error = status.last_error.unwrap();
    assert_eq!(error, "its queue was stopped before it ended");
    assert_eq!(status.output, None);
    // And so does the only one.
    let status = queue.status(once).unwrap().unwrap();
    assert_eq!((status.state, status.attempts), (State::Dead, 1));
    assert_eq!(status.last_error, Some(error));
}
