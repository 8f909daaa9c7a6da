use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::results::{channel, for_jobs};
use manyhands_core::{Job, discard};

use crate::often;

#[test]
fn results_come_in_the_order_they_were_sent() {
    watchdog(|| {
        let (results, collected) = channel();
        let many = often(1_000);
        for n in 0..many {
            results.send(n);
        }
        drop(results);
        assert!(collected.iter().eq(0..many));
        assert_eq!(collected.recv(), None);
    });
}

#[test]
fn the_channel_ends_with_its_last_sender() {
    watchdog(|| {
        let (results, collected) = channel();
        let second = results.clone();
        results.send(1);
        drop(results);
        second.send(2);
        drop(second);
        assert_eq!(collected.into_iter().collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn recv_many_takes_what_there_is_up_to_max() {
    watchdog(|| {
        let (results, collected) = channel();
        (0..10).for_each(|n| results.send(n));
        let mut into = vec![99];
        assert_eq!(collected.recv_many(&mut into, 0), 0);
        assert_eq!(collected.recv_many(&mut into, 4), 4);
        assert_eq!(into, [99, 0, 1, 2, 3]);
        assert_eq!(collected.recv_many(&mut into, usize::MAX), 6);
        drop(results);
        assert_eq!(collected.recv_many(&mut into, 1), 0);
        assert_eq!(into.len(), 11);
    });
}

#[test]
fn who_waits_for_a_row_settles_for_one_and_hears_of_the_end() {
    watchdog(|| {
        let (results, collected) = channel();
        let mut into = Vec::new();
        results.send(1);
        results.send(2);
        assert_eq!(collected.recv_when(|| 3), Some(1));
        // What is at hand is read before anybody asks how much is enough.
        let not_asked = || unreachable!("there is one");
        assert_eq!(collected.recv_many_when(&mut into, 8, not_asked), 1);
        let sender = thread::spawn(move || results.send(3));
        assert_eq!(collected.recv_when(|| usize::MAX), Some(3));
        sender.join().unwrap();
        assert_eq!(collected.recv_when(|| 3), None);
        assert_eq!(collected.recv_many_when(&mut into, 8, || 3), 0);
        assert_eq!(into, [2]);
    });
}

#[test]
fn recv_many_waits_for_one_and_not_for_max() {
    watchdog(|| {
        let (results, collected) = channel();
        let reader = thread::spawn(move || {
            let mut into = Vec::new();
            collected.recv_many(&mut into, 1000);
            into
        });
        results.send(7);
        assert_eq!(reader.join().unwrap(), [7]);
    });
}

#[test]
fn every_result_goes_to_exactly_one_of_many_readers() {
    watchdog(|| {
        let each = often(5_000);
        let (results, collected) = channel();
        let collected = Arc::new(collected);
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let collected = Arc::clone(&collected);
                thread::spawn(move || collected.iter().collect::<Vec<_>>())
            })
            .collect();
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let results = results.clone();
                thread::spawn(move || {
                    (0..each).for_each(|n| results.send(sender * each + n));
                })
            })
            .collect();
        drop(results);
        senders.into_iter().for_each(|s| s.join().unwrap());
        let all: Vec<_> =
            readers.into_iter().flat_map(|r| r.join().unwrap()).collect();
        assert_eq!(all.len(), 4 * each);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4 * each);
    });
}

#[test]
fn one_result_at_a_time_wakes_a_waiting_reader_every_time() {
    watchdog(|| {
        let (there, arrived) = channel();
        let (back, returned) = channel();
        let echo = thread::spawn(move || {
            arrived.iter().for_each(|n: usize| back.send(n));
        });
        for n in 0..often(2_000) {
            there.send(n);
            assert_eq!(returned.recv(), Some(n));
        }
        drop(there);
        echo.join().unwrap();
    });
}

/// Counts its drops, and panics in each.
struct Hostile(Arc<AtomicUsize>);

impl Drop for Hostile {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::panic::resume_unwind(Box::new("dropped"));
    }
}

#[test]
fn unread_results_are_dropped_with_the_receiver_each_once() {
    watchdog(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let (results, collected) = channel();
        (0..3).for_each(|_| results.send(Hostile(Arc::clone(&drops))));
        // One comes to the front, and two stay there.
        discard(collected.recv());
        (0..3).for_each(|_| results.send(Hostile(Arc::clone(&drops))));
        drop(collected);
        assert_eq!(drops.load(Ordering::SeqCst), 6);
        // With nobody to read it, a result is dropped as it is sent.
        results.send(Hostile(Arc::clone(&drops)));
        assert_eq!(drops.load(Ordering::SeqCst), 7);
    });
}

struct Quiet;

impl Job for Quiet {
    type Output = ();
    const DETACHED: bool = true;

    fn run(self) {}
}

#[test]
fn completions_of_detached_jobs_are_not_kept() {
    watchdog(|| {
        let (results, collected) = for_jobs::<Quiet>();
        let ticket = manyhands_core::Ticket {
            id: manyhands_core::JobId::new(0),
            job: Quiet,
        };
        results.send(manyhands_core::run_one(ticket, false));
        drop(results);
        assert!(collected.recv().is_none());
    });
}
