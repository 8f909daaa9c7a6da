use std::io::ErrorKind;
use std::panic::resume_unwind;
use std::sync::mpsc::channel;
use std::thread;

use manyhands_conformance::watchdog;
use manyhands_core::{BuildError, ThreadOptions};

#[test]
fn a_thread_has_the_given_name_unless_the_options_have_another() {
    watchdog(|| {
        for (options, expected) in [
            (ThreadOptions::new(), "worker 3"),
            (ThreadOptions::new().name("mine"), "mine 3"),
        ] {
            let (name, told) = channel();
            let tell = move || {
                name.send(thread::current().name().map(String::from)).unwrap();
            };
            let thread = options.spawn("worker", 2, tell).unwrap();
            assert_eq!(told.recv().unwrap().as_deref(), Some(expected));
            thread.join().unwrap();
        }
    });
}

#[test]
fn both_hooks_are_called_on_the_thread_around_its_work_and_its_panic() {
    watchdog(|| {
        let (events, seen) = channel();
        let tell = |what: &'static str| {
            let events = events.clone();
            move |index: usize| {
                let thread = thread::current().id();
                events.send((what, index, thread)).unwrap();
            }
        };
        let (start, stop, work) = (tell("start"), tell("stop"), tell("work"));
        let options = ThreadOptions::new()
            .on_start(move |worker| start(worker.index()))
            .on_stop(move |worker| stop(worker.index()));
        for panics in [false, true] {
            let work = work.clone();
            let thread = options.spawn("worker", 7, move || {
                work(7);
                if panics {
                    resume_unwind(Box::new("at work"));
                }
            });
            let thread = thread.unwrap();
            let id = thread.thread().id();
            assert_eq!(thread.join().is_err(), panics);
            for what in ["start", "work", "stop"] {
                assert_eq!(seen.try_recv(), Ok((what, 7, id)));
            }
            assert!(seen.try_recv().is_err());
        }
    });
}

#[test]
fn a_hook_that_panics_harms_nobody() {
    watchdog(|| {
        let options = ThreadOptions::new()
            .on_start(|_| resume_unwind(Box::new("start")))
            .on_stop(|_| resume_unwind(Box::new("stop")));
        let (work, worked) = channel();
        let work = move || work.send(()).unwrap();
        let thread = options.spawn("worker", 0, work).unwrap();
        worked.recv().unwrap();
        assert!(thread.join().is_ok());
        drop(options.begin(0));
    });
}

/// The standard library panics in the second case, and in the third.
#[test]
fn what_is_not_allowed_starts_nothing_and_does_not_panic() {
    for (options, name) in [
        (ThreadOptions::new().name("a\0b"), "worker"),
        (ThreadOptions::new(), "a\0b"),
        (ThreadOptions::new().stack_size(usize::MAX), "worker"),
        (ThreadOptions::new().stack_size(0), "worker"),
    ] {
        let never = || unreachable!("it was started");
        let error = options.spawn(name, 0, never).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.get_ref().unwrap().is::<BuildError>());
    }
}
