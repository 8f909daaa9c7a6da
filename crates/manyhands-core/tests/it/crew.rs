use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::crew::{self, Crew, WayIn};

use crate::often;

fn hand_over<T: Send + 'static>(way_in: &WayIn<T>, crew: &Crew<T>, piece: T) {
    let Ok(taker) = way_in.hand_over(piece) else { panic!("it is open") };
    crew.see_to(taker);
}

#[test]
fn a_crew_has_never_more_threads_than_it_may_and_they_stay() {
    watchdog(|| {
        const MOST: usize = 2;
        let (way_in, way_out) = crew::channel();
        let threads = Arc::new(Mutex::new(HashSet::new()));
        let seen = Arc::clone(&threads);
        let (done, ended) = channel();
        let work = move |both: Arc<Barrier>| {
            seen.lock().unwrap().insert(thread::current().id());
            both.wait();
            done.send(()).unwrap();
        };
        let crew = Crew::new("pairs", MOST, way_out, work);
        for _ in 0..often(200) {
            // Both at once, so both threads are needed, again and again.
            let both = Arc::new(Barrier::new(MOST));
            for _ in 0..MOST {
                hand_over(&way_in, &crew, Arc::clone(&both));
            }
            (0..MOST).for_each(|_| ended.recv().unwrap());
        }
        assert_eq!(threads.lock().unwrap().len(), MOST);
    });
}

/// Two submitters find the same thread parked; it can come for one of them.
#[test]
fn a_thread_that_two_would_call_comes_for_one_and_the_other_gets_its_own() {
    watchdog(|| {
        for _ in 0..often(50) {
            let (way_in, way_out) = crew::channel();
            let work = |met: Arc<Barrier>| {
                met.wait();
            };
            let crew = Crew::new("two", 2, way_out, work);
            hand_over(&way_in, &crew, Arc::new(Barrier::new(1)));
            while format!("{crew:?}").contains("parked: 0") {
                thread::yield_now();
            }
            let met = Arc::new(Barrier::new(3));
            let takers =
                [0, 1].map(|_| way_in.hand_over(Arc::clone(&met)).ok());
            for taker in takers {
                crew.see_to(taker.expect("it is open"));
            }
            met.wait();
        }
    });
}

#[test]
fn one_piece_after_the_other_needs_one_thread() {
    watchdog(|| {
        let (way_in, way_out) = crew::channel();
        let (done, ended) = channel();
        let work = move |()| done.send(thread::current().id()).unwrap();
        let crew = Crew::new("one of many", 8, way_out, work);
        let mut threads = HashSet::new();
        for _ in 0..often(100) {
            hand_over(&way_in, &crew, ());
            threads.insert(ended.recv().unwrap());
            // Until it is about to park, and none is needed beside it.
            while format!("{crew:?}").contains("parked: 0") {
                thread::yield_now();
            }
        }
        assert_eq!(threads.len(), 1);
    });
}

#[test]
fn a_crew_without_work_has_no_thread() {
    let (way_in, way_out) = crew::channel::<()>();
    let crew = Crew::new("idle", 3, way_out, |()| ());
    assert!(format!("{crew:?}").contains("threads: 0"));
    drop(way_in);
}

#[test]
fn work_is_refused_before_there_is_a_crew_and_after() {
    watchdog(|| {
        let (way_in, way_out) = crew::channel();
        assert_eq!(way_in.hand_over(1).unwrap_err(), 1);
        let crew = Crew::new("short", 1, way_out, |_| ());
        hand_over(&way_in, &crew, 2);
        drop(crew);
        assert_eq!(way_in.hand_over(3).unwrap_err(), 3);
    });
}

#[test]
fn without_a_way_in_the_threads_end_and_drop_what_the_work_holds() {
    watchdog(|| {
        for _ in 0..often(50) {
            let (way_in, way_out) = crew::channel();
            let (results, collected) = channel();
            let work = move |number: u32| results.send(number).unwrap();
            let crew = Crew::new("two", 2, way_out, work);
            (0..4).for_each(|number| hand_over(&way_in, &crew, number));
            drop(way_in);
            // Ends, since the crew is not what keeps the sender.
            assert_eq!(collected.iter().sum::<u32>(), 6);
        }
    });
}

#[test]
fn dropping_a_crew_waits_for_its_work() {
    watchdog(|| {
        let (way_in, way_out) = crew::channel();
        let ended = Arc::new(AtomicUsize::new(0));
        let end = Arc::clone(&ended);
        let work = move |()| {
            // Long enough for a drop that does not wait to be over first.
            (0..1000).for_each(|_| thread::yield_now());
            end.fetch_add(1, Ordering::SeqCst);
        };
        let crew = Crew::new("two", 2, way_out, work);
        (0..4).for_each(|_| hand_over(&way_in, &crew, ()));
        drop(crew);
        assert_eq!(ended.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn a_crew_may_be_dropped_by_its_own_work() {
    watchdog(|| {
        type Work = Box<dyn FnOnce() + Send>;
        let (way_in, way_out) = crew::channel::<Work>();
        let crew = Arc::new(Crew::new("one", 1, way_out, |work: Work| work()));
        let (done, ended) = channel();
        let last = Arc::clone(&crew);
        let go = Arc::new(Barrier::new(2));
        let begin = Arc::clone(&go);
        let drops = move || {
            begin.wait();
            drop(last);
            done.send(()).unwrap();
        };
        hand_over(&way_in, &crew, Box::new(drops));
        drop(crew);
        go.wait();
        ended.recv().unwrap();
    });
}
