//! What a builder says of threads, kept by every pool.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::collections::HashSet;
use std::convert::Infallible;
use std::hint::black_box;
use std::mem::take;
use std::panic::resume_unwind;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use manyhands::{
    AsyncJob, BuildError, Builder, Job, ThreadOptions, WorkerPool,
    WorkerPoolExt, variants,
};
use manyhands_conformance::watchdog;

const WORKERS: usize = 2;

/// Whatever is to be done, with both faces.
struct Work(Box<dyn FnOnce() + Send>);

impl Job for Work {
    type Output = Result<(), Infallible>;

    fn run(self) -> Self::Output {
        (self.0)();
        Ok(())
    }
}

impl AsyncJob for Work {
    async fn run_async(self) -> Self::Output {
        self.run()
    }
}

fn work(work: impl FnOnce() + Send + 'static) -> Work {
    Work(Box::new(work))
}

type Built = Result<Box<dyn WorkerPool<Work>>, BuildError>;

fn boxed<P: WorkerPool<Work> + 'static>(
    builder: Builder<P>,
    options: ThreadOptions,
) -> Built {
    let builder = builder.workers(WORKERS).queue(2);
    Ok(Box::new(builder.thread_options(options).build()?))
}

macro_rules! pools {
    ($($name:literal: $pool:path,)*) => {
        [$(($name, |options| {
            type Pool = $pool;
            boxed(Pool::builder(), options)
        }),)*]
    };
}

/// A variant's name, and how it is built with options.
type Variant = (&'static str, fn(ThreadOptions) -> Built);

const POOLS: [Variant; 9] = pools! {
    "channel": manyhands::channel::ChannelPool<Work>,
    "waitgroup": manyhands::waitgroup::WaitGroupPool<Work>,
    "dispatcher": manyhands::dispatcher::DispatcherPool<Work>,
    "semaphore": manyhands::semaphore::SemaphorePool<Work>,
    "errgroup": manyhands::errgroup::ErrGroupPool<Work>,
    "batch": manyhands::batch::BatchPool<Work>,
    "rayon": manyhands::rayon::RayonPool<Work>,
    "tokio": manyhands::tokio::TaskPool<Work>,
    "tokio-tasks": manyhands::tokio::JoinSetPool<Work>,
};

#[test]
fn these_are_all_the_variants() {
    let tested = POOLS.map(|(name, _)| name);
    let all = variants::<Work, _, _>();
    let all: Vec<_> = all.iter().map(|it| it.name).collect();
    assert_eq!(all, tested, "name a new one in this test, too");
}

#[test]
fn jobs_run_on_threads_of_the_name_that_was_set() {
    watchdog(|| {
        for (variant, build) in POOLS {
            let pool = build(ThreadOptions::new().name("encoder")).unwrap();
            let (names, seen) = channel();
            for _ in 0..20 {
                let names = names.clone();
                let tell = move || {
                    let name = thread::current().name().map(String::from);
                    names.send(name.unwrap()).unwrap();
                };
                pool.submit(work(tell)).unwrap();
            }
            drop((pool, names));
            for name in seen {
                let right = match variant {
                    "tokio" | "tokio-tasks" => name == "encoder",
                    _ => ["encoder 1", "encoder 2"].contains(&&*name),
                };
                assert!(right, "{variant}: {name}");
            }
        }
    });
}

/// Recurses through so many pages of stack.
#[inline(never)]
fn pages_of_stack(pages: usize) -> usize {
    let mut page = [0u8; 4096];
    black_box(&mut page);
    match pages {
        0 => 0,
        _ => pages_of_stack(pages - 1) + usize::from(page[0]) + 1,
    }
}

#[test]
fn a_job_has_the_stack_that_was_set() {
    // More than any thread has by default.
    const PAGES: usize = (16 << 20) / 4096;
    watchdog(|| {
        for (variant, build) in POOLS {
            let options = ThreadOptions::new().stack_size(32 << 20);
            let pool = build(options).unwrap();
            let deep = || assert_eq!(pages_of_stack(PAGES), PAGES);
            pool.submit(work(deep)).unwrap();
            assert!(pool.recv().unwrap().outcome.is_done(), "{variant}");
        }
    });
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Start(usize),
    Job,
    Stop(usize),
}

#[test]
fn each_thread_starts_before_its_first_job_and_stops_after_its_last() {
    type Log = Arc<Mutex<Vec<(ThreadId, Event)>>>;

    watchdog(|| {
        let log = Log::default();
        let write = {
            let log = Arc::clone(&log);
            move |event| {
                log.lock().unwrap().push((thread::current().id(), event));
            }
        };
        let (start, stop) = (write.clone(), write.clone());
        let options = ThreadOptions::new()
            .on_start(move |worker| start(Event::Start(worker.index())))
            .on_stop(move |worker| stop(Event::Stop(worker.index())));
        for (variant, build) in POOLS {
            let pool = build(options.clone()).unwrap();
            for _ in 0..50 {
                let write = write.clone();
                pool.submit(work(move || write(Event::Job))).unwrap();
            }
            drop(pool);

            let log = take(&mut *log.lock().unwrap());
            let jobs = log.iter().filter(|(_, it)| *it == Event::Job);
            assert_eq!(jobs.count(), 50, "{variant}");
            let threads: HashSet<_> = log.iter().map(|it| it.0).collect();
            let mut indexes = Vec::new();
            for thread in threads {
                let on_it = |it: &&(ThreadId, Event)| it.0 == thread;
                let on_it: Vec<_> =
                    log.iter().filter(on_it).map(|it| it.1).collect();
                let [Event::Start(index), jobs @ .., Event::Stop(same)] =
                    &on_it[..]
                else {
                    panic!("{variant}: {on_it:?}");
                };
                assert_eq!(index, same, "{variant}");
                assert!(jobs.iter().all(|it| *it == Event::Job), "{variant}");
                indexes.push(*index);
            }
            indexes.sort_unstable();
            let all: Vec<_> = (0..WORKERS).collect();
            match variant {
                // As many as are needed.
                "semaphore" | "errgroup" => {
                    assert!(all.starts_with(&indexes), "{variant}");
                }
                // On one processor, one; and one may begin after the other
                // has ended, and then has its number.
                "tokio" | "tokio-tasks" => {
                    assert!(indexes.len() <= WORKERS, "{variant}");
                    assert!(indexes.iter().all(|it| all.contains(it)));
                }
                _ => assert_eq!(indexes, all, "{variant}"),
            }
        }
    });
}

#[test]
fn a_hook_that_panics_costs_neither_the_thread_nor_a_job() {
    watchdog(|| {
        let (told, calls) = channel();
        let tell = told.clone();
        let options = ThreadOptions::new()
            .on_start(move |_| {
                told.send("start").unwrap();
                resume_unwind(Box::new("no start"));
            })
            .on_stop(move |_| {
                tell.send("stop").unwrap();
                resume_unwind(Box::new("no stop"));
            });
        for (variant, build) in POOLS {
            let pool = build(options.clone()).unwrap();
            for _ in 0..10 {
                pool.submit(work(|| ())).unwrap();
            }
            pool.close();
            let done = pool.completions().filter(|it| it.outcome.is_done());
            assert_eq!(done.count(), 10, "{variant}");
        }
        drop(options);
        let calls: Vec<_> = calls.iter().collect();
        let count = |call| calls.iter().filter(|it| **it == call).count();
        assert!(count("start") > 0);
        assert_eq!(count("start"), count("stop"));
    });
}

#[test]
fn what_is_not_allowed_is_one_clear_line() {
    watchdog(|| {
        let least = "allowed is 131072 to 1073741824";
        let line = |size| format!("stack_size is {size}, {least}");
        let sized = |size| ThreadOptions::new().stack_size(size);
        for (options, line) in [
            (sized(0), line(0)),
            (sized((128 << 10) - 1), line(131_071)),
            (sized(usize::MAX), line(usize::MAX)),
            (
                ThreadOptions::new().name("a\0b"),
                "thread_name is \"a\\0b\", allowed is text without NUL bytes"
                    .to_owned(),
            ),
        ] {
            for (variant, build) in POOLS {
                let error = build(options.clone()).map(drop).unwrap_err();
                assert_eq!(error.to_string(), line, "{variant}");
            }
        }
        let least = ThreadOptions::MIN_STACK_SIZE;
        for (variant, build) in POOLS {
            let pool = build(sized(least)).unwrap();
            pool.submit(work(|| ())).unwrap();
            assert!(pool.recv().unwrap().outcome.is_done(), "{variant}");
        }
    });
}

#[test]
fn threads_end_for_want_of_work_only_where_they_start_as_they_are_needed() {
    watchdog(|| {
        let brief = Duration::from_millis(1);
        let ends = [
            ("keep_alive", ThreadOptions::new().keep_alive(brief)),
            ("min_threads", ThreadOptions::new().min_threads(1)),
        ];
        for (setting, options) in ends {
            for (variant, build) in POOLS {
                let pool = match variant {
                    "semaphore" | "errgroup" => {
                        assert!(build(options.clone()).is_ok(), "{variant}");
                        continue;
                    }
                    "tokio" | "tokio-tasks" => {
                        "a pool of tasks, whose threads are a runtime's"
                    }
                    _ => "a pool with a fixed number of workers",
                };
                let error = build(options.clone()).map(drop).unwrap_err();
                let line = format!("{setting} is set, not allowed for {pool}");
                assert_eq!(error.to_string(), line, "{variant}");
            }
        }
        let too_many = ThreadOptions::new().min_threads(WORKERS + 1);
        for (variant, build) in POOLS {
            if let "semaphore" | "errgroup" = variant {
                let error = build(too_many.clone()).map(drop).unwrap_err();
                let line = "min_threads is 3, allowed is 0 to 2";
                assert_eq!(error.to_string(), line, "{variant}");
            }
        }
    });
}

#[test]
fn a_pool_whose_threads_end_goes_on_as_ever() {
    watchdog(|| {
        for (variant, build) in POOLS {
            let ("semaphore" | "errgroup") = variant else { continue };
            let (told, ends) = channel();
            let options = ThreadOptions::new()
                .keep_alive(Duration::from_millis(1))
                .on_stop(move |_| told.send(()).unwrap());
            let pool = build(options).unwrap();
            for _ in 0..10 {
                pool.submit(work(|| ())).unwrap();
                assert!(pool.recv().unwrap().outcome.is_done(), "{variant}");
                // Its thread, which is the only one, has nothing to do.
                ends.recv().unwrap();
            }
        }
    });
}
