//! How many, how fast, and not now.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_durable::{Rate, State};

use crate::lab::{Begun, Gate, Lab, ends, eventually, reaches};
use crate::place::{Place, quick};

/// Jobs that see how many of them run at once.
pub(crate) fn crowd(busy: Duration) -> (Lab, Arc<AtomicUsize>) {
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let running = AtomicUsize::new(0);
    let lab = Lab::new(move |_, _| {
        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
        seen.fetch_max(now, Ordering::SeqCst);
        thread::sleep(busy);
        running.fetch_sub(1, Ordering::SeqCst);
        Ok(None)
    });
    (lab, most)
}

/// The jobs began no faster than one each `interval`.
pub(crate) fn assert_spaced(begun: &[Begun], interval: Duration) {
    let first = begun.first().unwrap().at;
    for (number, begun) in begun.iter().enumerate() {
        // The first may have been slow to begin, once it was allowed to.
        let least = interval * number as u32;
        let least = least.saturating_sub(interval / 2);
        let after = begun.at - first;
        assert!(after >= least, "the {number}th after {after:?}");
    }
}

pub(crate) fn workers_run_at_once_and_no_more(place: &Place) {
    let barrier = Arc::new(Barrier::new(4));
    let met = Arc::clone(&barrier);
    let together = Lab::new(move |_, _| {
        met.wait();
        Ok(None)
    });
    let queue = place.started(4);
    let batch = |lab: &Lab, jobs| {
        let jobs = (0..jobs).map(|_| (lab.task(""), Default::default()));
        queue.submit_all(jobs.collect::<Vec<_>>()).unwrap()
    };
    for id in batch(&together, 8) {
        reaches(&queue, id, State::Done);
    }
    let (lab, most) = crowd(Duration::from_millis(2));
    for id in batch(&lab, 40) {
        reaches(&queue, id, State::Done);
    }
    assert!(most.load(Ordering::SeqCst) <= 4, "{most:?}");
}

pub(crate) fn a_limit_is_kept_and_reached(place: &Place) {
    let (lab, most) = crowd(Duration::from_millis(20));
    let queue = place.open(quick().workers(4).limit(2));
    let jobs = (0..10).map(|_| (lab.task(""), Default::default()));
    let ids = queue.submit_all(jobs).unwrap();
    queue.start().unwrap();
    for id in ids {
        reaches(&queue, id, State::Done);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

pub(crate) fn a_rate_is_kept(place: &Place) {
    const INTERVAL: Duration = Duration::from_millis(100);
    let lab = Lab::idle();
    let rate = Rate::new(10, Duration::from_secs(1)).unwrap();
    let queue = place.open(quick().workers(4).rate(rate));
    let jobs = (0..8).map(|_| (lab.task(""), Default::default()));
    queue.submit_all(jobs).unwrap();
    let began = Instant::now();
    queue.start().unwrap();
    let begun = lab.wait_for(8);
    assert_spaced(&begun, INTERVAL);
    // And not much slower: three times as long is for a busy machine.
    assert!(began.elapsed() < 30 * INTERVAL, "{:?}", began.elapsed());
}

pub(crate) fn a_pause_holds_jobs_back_until_it_ends(place: &Place) {
    let gate = Gate::default();
    let opened = gate.clone();
    let lab = Lab::new(move |name, _| {
        if name == "long" {
            opened.pass();
        }
        Ok(None)
    });
    let queue = Arc::new(place.started(2));
    let long = queue.submit(lab.task("long")).unwrap();
    lab.wait_for(1);
    queue.pause().unwrap();
    queue.pause().unwrap();
    assert!(queue.counts().unwrap().is_paused);
    // It is known everywhere within a second.
    thread::sleep(Duration::from_secs(1));

    let id = queue.submit(lab.task("held")).unwrap();
    gate.open();
    reaches(&queue, long, State::Done);
    // As long as several polls.
    thread::sleep(Duration::from_millis(200));
    assert_eq!(queue.status(id).unwrap().unwrap().state, State::Ready);
    assert_eq!(lab.names(), ["long"]);

    queue.resume().unwrap();
    assert!(!queue.counts().unwrap().is_paused);
    reaches(&queue, id, State::Done);

    // A stop does not wait for what is held back.
    queue.pause().unwrap();
    // It is known everywhere within a second.
    thread::sleep(Duration::from_secs(1));
    queue.submit(lab.task("never")).unwrap();
    let stopped = Arc::clone(&queue);
    ends("a stop", move || stopped.stop());
    eventually("nothing runs", || match queue.counts().unwrap().running {
        0 => Ok(()),
        running => Err(running),
    });
    assert_eq!(lab.names(), ["long", "held"]);
}
