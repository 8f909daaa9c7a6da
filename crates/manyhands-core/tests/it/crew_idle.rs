//! Threads of a crew that end for want of work.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, ThreadId};
use std::time::Duration;

use manyhands_conformance::watchdog;
use manyhands_core::ThreadOptions;
use manyhands_core::crew::{self, Crew, WayIn};

use crate::often;

fn hand_over<T: Send + 'static>(way_in: &WayIn<T>, crew: &Crew<T>, piece: T) {
    let Ok(taker) = way_in.hand_over(piece) else { panic!("it is open") };
    crew.see_to(taker);
}

fn brief() -> ThreadOptions {
    ThreadOptions::new().keep_alive(Duration::from_millis(1))
}

/// Waits until there are so many, all of them parked.
fn settles_at<T>(crew: &Crew<T>, threads: usize) {
    let line = format!("threads: {threads}, parked: {threads}, queued: 0");
    while !format!("{crew:?}").contains(&line) {
        thread::yield_now();
    }
}

/// A crew whose work is to meet others.
fn meeting(most: usize, options: ThreadOptions) -> Meeting {
    let (way_in, way_out) = crew::channel();
    let (done, ended) = channel();
    let work = move |met: Arc<Barrier>| {
        met.wait();
        done.send(thread::current().id()).unwrap();
    };
    let crew = Crew::new("meets", most, way_out, work).with_options(options);
    Meeting { way_in, crew, ended }
}

struct Meeting {
    way_in: WayIn<Arc<Barrier>>,
    crew: Crew<Arc<Barrier>>,
    ended: Receiver<ThreadId>,
}

impl Meeting {
    /// Has so many at work at once.
    fn of(&self, all: usize) -> Vec<ThreadId> {
        let met = Arc::new(Barrier::new(all));
        (0..all).for_each(|_| {
            hand_over(&self.way_in, &self.crew, Arc::clone(&met));
        });
        (0..all).map(|_| self.ended.recv().unwrap()).collect()
    }
}

#[test]
fn threads_without_work_end_and_come_back_when_they_are_needed() {
    watchdog(|| {
        let meeting = meeting(3, brief());
        for _ in 0..often(20) {
            let all = [3, 1, 2].map(|all| meeting.of(all).len());
            assert_eq!(all, [3, 1, 2]);
            settles_at(&meeting.crew, 0);
        }
    });
}

#[test]
fn as_many_as_were_asked_for_stay() {
    watchdog(|| {
        let meeting = meeting(4, brief().min_threads(2));
        let first = meeting.of(1);
        settles_at(&meeting.crew, 1);
        // Fewer than that are no reason to start one.
        assert_eq!(meeting.of(1), first);
        for _ in 0..often(20) {
            meeting.of(4);
            settles_at(&meeting.crew, 2);
        }
    });
}

#[test]
fn a_thread_that_has_no_time_ends_at_once() {
    watchdog(|| {
        let options = ThreadOptions::new().keep_alive(Duration::ZERO);
        let meeting = meeting(2, options);
        for _ in 0..often(20) {
            meeting.of(2);
            settles_at(&meeting.crew, 0);
        }
    });
}

#[test]
fn the_longest_time_is_longer_than_a_test() {
    watchdog(|| {
        let options = ThreadOptions::new().keep_alive(Duration::MAX);
        let meeting = meeting(1, options);
        let first = meeting.of(1);
        settles_at(&meeting.crew, 1);
        assert_eq!(meeting.of(1), first);
    });
}

/// However close the end of a thread is to the piece that needs it.
#[test]
fn nothing_is_lost_that_is_handed_over_as_threads_end() {
    watchdog(|| {
        const SUBMITTERS: usize = 3;
        let (way_in, way_out) = crew::channel();
        let ran = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&ran);
        let work = move |done: Sender<()>| {
            count.fetch_add(1, Ordering::SeqCst);
            done.send(()).unwrap();
        };
        let options =
            ThreadOptions::new().keep_alive(Duration::from_micros(1));
        let crew = Crew::new("ends", 2, way_out, work).with_options(options);
        let pieces = often(300);
        thread::scope(|scope| {
            for _ in 0..SUBMITTERS {
                scope.spawn(|| {
                    let (done, ended) = channel();
                    for _ in 0..pieces {
                        hand_over(&way_in, &crew, done.clone());
                        ended.recv().unwrap();
                    }
                });
            }
        });
        assert_eq!(ran.load(Ordering::SeqCst), SUBMITTERS * pieces);
    });
}

#[test]
fn hooks_are_called_for_each_thread_and_numbers_are_used_again() {
    watchdog(|| {
        let (told, events) = channel();
        let tell = told.clone();
        let options = brief()
            .on_start(move |it| told.send((it.index(), true)).unwrap())
            .on_stop(move |it| tell.send((it.index(), false)).unwrap());
        let meeting = meeting(1, options);
        for _ in 0..often(20) {
            meeting.of(1);
            assert_eq!(events.recv(), Ok((0, true)));
            assert_eq!(events.recv(), Ok((0, false)));
            // It has its number until its hook has returned.
            while !format!("{:?}", meeting.crew).contains("seated: 0") {
                thread::yield_now();
            }
        }
    });
}

/// Where an index is by which somebody may have stored something.
#[test]
fn a_number_is_not_given_away_while_its_hook_runs() {
    watchdog(|| {
        let (told, numbers) = channel();
        let (stops, stopping) = channel();
        let go = Arc::new(Barrier::new(2));
        let (hold, first) = (Arc::clone(&go), AtomicBool::new(true));
        let options = brief()
            .on_start(move |it| told.send(it.index()).unwrap())
            .on_stop(move |_| {
                if first.swap(false, Ordering::SeqCst) {
                    stops.send(()).unwrap();
                    hold.wait();
                }
            });
        let meeting = meeting(1, options);
        meeting.of(1);
        stopping.recv().unwrap();
        meeting.of(1); // by another, though there may be but one
        go.wait();
        assert_eq!(numbers.try_iter().collect::<Vec<_>>(), [0, 1]);
    });
}

/// What a thread does at its very end.
struct Last(Box<dyn FnOnce()>);

impl Drop for Last {
    fn drop(&mut self) {
        std::mem::replace(&mut self.0, Box::new(|| ()))();
    }
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

#[test]
fn a_crew_that_is_dropped_has_waited_for_threads_that_ended_before() {
    watchdog(|| {
        let gone = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&gone);
        let (way_in, way_out) = crew::channel();
        let work = move |slowly: bool| {
            let gone = Arc::clone(&count);
            LAST.set(Some(Last(Box::new(move || {
                // Long enough for whoever does not wait to be over first.
                if slowly {
                    thread::sleep(Duration::from_millis(50));
                }
                gone.fetch_add(1, Ordering::SeqCst);
            }))));
        };
        let crew = Crew::new("slow", 1, way_out, work).with_options(brief());
        for slowly in [true, false] {
            hand_over(&way_in, &crew, slowly);
            settles_at(&crew, 0);
        }
        drop(crew);
        assert_eq!(gone.load(Ordering::SeqCst), 2);
    });
}
