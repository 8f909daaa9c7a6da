//! What is asked is answered, what is full refuses, and all is counted.

use std::num::NonZeroUsize;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use manyhands_conformance::watchdog;
use manyhands_core::{
    Closed, Completion, InlinePool, Job, JobId, TrySubmitError, WorkerPool,
};
use manyhands_dispatcher::DispatcherPool;
use manyhands_web::{Front, Lost};

type Work = Box<dyn FnOnce() -> u64 + Send>;

fn work(work: impl FnOnce() -> u64 + Send + 'static) -> Work {
    Box::new(work)
}

fn number<J: Job>(completion: Completion<J>) -> Option<J::Output> {
    completion.done()
}

/// A front on two workers with room for one more, and the thread that serves.
fn front() -> (Arc<Front<Work, Option<u64>>>, thread::JoinHandle<()>) {
    let pool = DispatcherPool::builder().workers(2).queue(1).build().unwrap();
    let front = Arc::new(Front::new(pool));
    let serving = Arc::clone(&front);
    (front, thread::spawn(move || serving.serve(number)))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn text(response: Response) -> String {
    let body = block_on(to_bytes(response.into_body(), 1 << 20)).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn each_gets_the_answer_to_its_own_job() {
    watchdog(|| {
        let (front, serving) = front();
        thread::scope(|scope| {
            for caller in 0..3 {
                let front = &front;
                scope.spawn(move || {
                    for round in 0..100 {
                        let mine = caller * 1000 + round;
                        // Three callers, and room for three jobs.
                        let answer = front.ask(work(move || mine)).unwrap();
                        assert_eq!(block_on(answer), Ok(Some(mine)));
                    }
                });
            }
        });
        front.close();
        serving.join().unwrap();
        let counts = front.counts();
        assert_eq!((counts.accepted, counts.done), (300, 300));
        assert_eq!(counts.unfinished(), 0);
    });
}

/// A pool that submits and reads in a way of its own.
struct Odd<S, R> {
    pool: InlinePool<Work>,
    submit: S,
    recv: R,
}

impl<S, R> WorkerPool<Work> for Odd<S, R>
where
    S: Fn(&InlinePool<Work>, Work) -> Result<JobId, TrySubmitError<Work>>
        + Send
        + Sync,
    R: Fn(&InlinePool<Work>) -> Option<Completion<Work>> + Send + Sync,
{
    fn submit(&self, job: Work) -> Result<JobId, Closed<Work>> {
        self.pool.submit(job)
    }

    fn try_submit(&self, job: Work) -> Result<JobId, TrySubmitError<Work>> {
        (self.submit)(&self.pool, job)
    }

    fn recv(&self) -> Option<Completion<Work>> {
        (self.recv)(&self.pool)
    }

    fn close(&self) {
        self.pool.close();
    }

    fn cancel(&self) {
        self.pool.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.pool.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.pool.bound()
    }
}

/// A pool in which a job is over, and its completion dealt with, before
/// `try_submit` returns.
fn ahead() -> impl WorkerPool<Work> {
    // Each time that another completion is waited for.
    let (waits, reader) = mpsc::channel();
    let (reader, again) = (Mutex::new(reader), waits.clone());
    Odd {
        pool: InlinePool::new(),
        submit: move |pool: &InlinePool<Work>, job| {
            let reader = reader.lock().unwrap();
            reader.recv().unwrap();
            let id = pool.try_submit(job)?;
            // It waits for the next, so it is through with this one.
            reader.recv().unwrap();
            again.send(()).unwrap();
            Ok(id)
        },
        recv: move |pool: &InlinePool<Work>| {
            waits.send(()).unwrap();
            pool.recv()
        },
    }
}

/// A pool whose completions have come to their end, as a reader sees it.
fn ended() -> impl WorkerPool<Work> {
    // Taken just before it was closed.
    let open = InlinePool::new();
    Odd {
        pool: InlinePool::new(),
        submit: move |_: &InlinePool<Work>, job| open.try_submit(job),
        recv: |_: &InlinePool<Work>| None,
    }
}

#[test]
fn a_job_that_is_over_before_anybody_waits_is_answered_too() {
    watchdog(|| {
        let front = Arc::new(Front::new(ahead()));
        let serving = Arc::clone(&front);
        let serving = thread::spawn(move || serving.serve(number));
        front.post(work(|| 41)).unwrap();
        let answer = front.ask(work(|| 42)).unwrap();
        assert_eq!(block_on(answer), Ok(Some(42)));
        front.close();
        serving.join().unwrap();
        assert_eq!(front.counts().done, 2);
    });
}

#[test]
fn full_and_closed_are_said_at_once_and_differ() {
    watchdog(|| {
        let (front, serving) = front();
        let held = Arc::new(Barrier::new(3));
        for _ in 0..2 {
            let held = Arc::clone(&held);
            front
                .post(work(move || u64::from(held.wait().is_leader())))
                .unwrap();
        }
        front.post(work(|| 0)).unwrap();
        let refused = front.ask(work(|| 0)).unwrap_err();
        assert_eq!(refused.to_string(), "full, try again in a second");
        let response = refused.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert_eq!(front.counts().unfinished(), 3);

        held.wait();
        front.close();
        serving.join().unwrap();
        let refused = front.ask(work(|| 0)).unwrap_err();
        assert_eq!(refused.to_string(), "shutting down");
        let response = refused.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[CONNECTION], "close");
        let counts = front.counts();
        assert_eq!((counts.full, counts.closed), (1, 1));
        assert_eq!((counts.accepted, counts.done), (3, 3));
    });
}

#[test]
fn who_hangs_up_leaves_the_job_to_go_on() {
    watchdog(|| {
        let (front, serving) = front();
        let (ran, has_run) = mpsc::channel();
        drop(front.ask(work(move || {
            ran.send(()).unwrap();
            1
        })));
        has_run.recv().unwrap();
        front.close();
        serving.join().unwrap();
        assert_eq!(front.counts().done, 1);
    });
}

#[test]
fn what_was_not_started_is_answered_when_the_front_cancels() {
    watchdog(|| {
        let (front, serving) = front();
        let (started, is_started) = mpsc::channel();
        let held = Arc::new(Barrier::new(3));
        for _ in 0..2 {
            let (held, started) = (Arc::clone(&held), started.clone());
            front
                .post(work(move || {
                    started.send(()).unwrap();
                    u64::from(held.wait().is_leader())
                }))
                .unwrap();
        }
        assert_eq!(is_started.iter().take(2).count(), 2);
        let unrun = front.ask(work(|| 1)).unwrap();
        front.cancel();
        held.wait();
        assert_eq!(block_on(unrun), Ok(None));
        serving.join().unwrap();
        let counts = front.counts();
        assert_eq!((counts.done, counts.cancelled), (2, 1));
    });
}

#[test]
fn an_answer_that_cannot_be_made_is_lost_and_nobody_waits_for_it() {
    watchdog(|| {
        let pool = DispatcherPool::builder().workers(1).build().unwrap();
        let front: Arc<Front<Work, ()>> = Arc::new(Front::new(pool));
        let serving = Arc::clone(&front);
        let serving = thread::spawn(move || {
            serving.serve(|_| std::panic::resume_unwind(Box::new("no")));
        });
        let answers = [front.ask(work(|| 1)), front.ask(work(|| 2))];
        for answer in answers.into_iter().flatten() {
            assert_eq!(block_on(answer), Err(Lost));
        }
        assert!(serving.join().is_err());
        let refused = front.ask(work(|| 3)).unwrap_err();
        assert_eq!(refused.to_string(), "shutting down");
        let status = Lost.into_response().status();
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    });
}

#[test]
fn who_asks_after_the_last_answer_was_made_does_not_wait() {
    watchdog(|| {
        let front = Front::new(ended());
        front.serve(number);
        // As if it had been accepted just before the pool was closed.
        let answer = front.ask(work(|| 1)).unwrap();
        assert_eq!(block_on(answer), Err(Lost));
    });
}

#[test]
fn metrics_are_prometheus_text_and_say_what_happened() {
    watchdog(|| {
        let front = Front::new(InlinePool::new());
        let jobs: [Work; 2] = [
            work(|| 1),
            work(|| std::panic::resume_unwind(Box::new("asked to"))),
        ];
        for job in jobs {
            front.post(job).unwrap();
        }
        front.close();
        front.post(work(|| 1)).unwrap_err();
        front.serve(number);
        let response = front.metrics();
        let kind = response.headers()[CONTENT_TYPE].to_str().unwrap();
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        let text = text(response);
        for line in [
            "# TYPE manyhands_jobs_accepted_total counter",
            "manyhands_jobs_accepted_total 2",
            r#"manyhands_jobs_refused_total{reason="closed"} 1"#,
            r#"manyhands_jobs_refused_total{reason="full"} 0"#,
            r#"manyhands_jobs_finished_total{outcome="done"} 1"#,
            r#"manyhands_jobs_finished_total{outcome="panicked"} 1"#,
            "manyhands_jobs_unfinished 0",
            "manyhands_job_seconds_count 2",
            "manyhands_workers 1",
        ] {
            let has = text.lines().filter(|it| *it == line).count();
            assert_eq!(has, 1, "{line} in:\n{text}");
        }
    });
}
