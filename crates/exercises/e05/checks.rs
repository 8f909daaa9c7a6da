//! What is asked of exercise 5.

use exercises::sync::Arc;
use exercises::thread::{self, JoinHandle};
use exercises::{Check, Gate, Gauge, Log, explore, listed, same};

use super::answer::{Closed, Queue};

pub fn checks() -> Vec<Check> {
    vec![
        Check::new(
            "first_in_first_out",
            "jobs come out in the order in which they went in",
            "a thread waits, though there was room and there were jobs",
            || explore(first_in_first_out),
        ),
        Check::new(
            "pop_waits_for_a_job",
            "a `pop` that comes before the job gets it",
            "the job is in the queue, and `pop` sleeps: it was notified \
             between looking and waiting, or not at all",
            || explore(pop_waits_for_a_job),
        ),
        Check::new(
            "push_waits_for_room",
            "with a bound of 1 there are never two jobs in the queue, and \
             whoever waits for room gets it",
            "there is room in the queue, and `push` sleeps",
            || explore(push_waits_for_room),
        ),
        Check::new(
            "no_job_for_two_who_wait",
            "two that wait share two jobs: `pop` returns `None` only after \
             `close`",
            "a job is in the queue, and a `pop` sleeps",
            || explore(no_job_for_two_who_wait),
        ),
        Check::new(
            "many_of_both_kinds",
            "two that push and two that pop, over a queue of 1: all jobs come \
             through",
            "everybody sleeps: a notification woke a thread that could do \
             nothing with it",
            || explore(many_of_both_kinds),
        ),
        Check::new(
            "close_wakes_all",
            "three that wait in `pop` all return `None` when the queue closes",
            "the queue is closed, and a `pop` sleeps on: it was not told",
            || explore(close_wakes_all),
        ),
        Check::new(
            "close_gives_jobs_back",
            "two that wait in `push` get their jobs back when the queue closes",
            "the queue is closed, and a `push` sleeps on: it was not told",
            || explore(close_gives_jobs_back),
        ),
        Check::new(
            "what_is_left_comes_out",
            "what was in the queue when it closed still comes out",
            "the queue is closed, and `pop` waits",
            || explore(what_is_left_comes_out),
        ),
    ]
}

type Shared = Arc<Queue<u64>>;

fn spawn(
    queue: &Shared,
    body: impl FnOnce(&Queue<u64>) + Send + 'static,
) -> JoinHandle<()> {
    let queue = Arc::clone(queue);
    thread::spawn(move || body(&queue))
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        let _ = thread.join();
    }
}

fn first_in_first_out() {
    let queue = Queue::new(3);
    for job in [1, 2, 3] {
        let pushed = queue.push(job);
        assert!(pushed.is_ok(), "an open queue gave job {job} back");
    }
    let out = [(); 3].map(|()| queue.pop());
    let right = [Some(1), Some(2), Some(3)];
    assert!(out == right, "1, 2, 3 went in, {} came out", listed(&out));
}

fn pop_waits_for_a_job() {
    let queue = Arc::new(Queue::new(1));
    let popper = spawn(&queue, |queue| {
        let job = queue.pop();
        assert!(job == Some(7), "job 7 was pushed, `pop` returned {job:?}");
    });
    let _ = queue.push(7);
    join([popper]);
}

fn push_waits_for_room() {
    let queue = Arc::new(Queue::new(1));
    let inside = Gauge::new();
    let pushers: Vec<_> = (0..3)
        .map(|job| {
            let inside = inside.clone();
            spawn(&queue, move |queue| {
                let _ = queue.push(job);
                inside.enter();
            })
        })
        .collect();
    for popped in 0..3 {
        // Lets those who push go as far as they can.
        thread::yield_now();
        let pushed = inside.now();
        assert!(
            pushed <= popped + 1,
            "{pushed} jobs were pushed into a queue of 1, and {popped} taken"
        );
        let job = queue.pop();
        assert!(job.is_some(), "an open queue returned `None`");
    }
    join(pushers);
}

fn no_job_for_two_who_wait() {
    let queue = Arc::new(Queue::new(2));
    let out = Log::new();
    let poppers = [(); 2].map(|()| {
        let out = out.clone();
        spawn(&queue, move |queue| match queue.pop() {
            Some(job) => out.note(job),
            None => panic!("`pop` returned `None`, and nobody has closed"),
        })
    });
    for job in [1, 2] {
        let _ = queue.push(job);
    }
    join(poppers);
    same("came out", &out.all(), &[1, 2]);
}

fn many_of_both_kinds() {
    let queue = Arc::new(Queue::new(1));
    let out = Log::new();
    let pushers = [0, 10].map(|first| {
        spawn(&queue, move |queue| {
            for job in first..first + 2 {
                let _ = queue.push(job);
            }
        })
    });
    let poppers = [(); 2].map(|()| {
        let out = out.clone();
        spawn(&queue, move |queue| {
            for _ in 0..2 {
                match queue.pop() {
                    Some(job) => out.note(job),
                    None => panic!("an open queue returned `None`"),
                }
            }
        })
    });
    join(pushers);
    join(poppers);
    same("came out", &out.all(), &[0, 1, 10, 11]);
}

fn close_wakes_all() {
    let queue: Shared = Arc::new(Queue::new(1));
    let poppers = [(); 3].map(|()| {
        spawn(&queue, |queue| {
            let job = queue.pop();
            assert!(job.is_none(), "nothing was pushed, {job:?} came out");
        })
    });
    queue.close();
    join(poppers);
}

fn close_gives_jobs_back() {
    let queue = Arc::new(Queue::new(1));
    let _ = queue.push(0);
    let back = Log::new();
    let pushers = [1, 2].map(|job| {
        let back = back.clone();
        spawn(&queue, move |queue| match queue.push(job) {
            Ok(()) => panic!("a full queue took job {job}"),
            Err(Closed(job)) => back.note(job),
        })
    });
    queue.close();
    join(pushers);
    same("came back", &back.all(), &[1, 2]);
}

fn what_is_left_comes_out() {
    let queue = Arc::new(Queue::new(2));
    let gate = Gate::new(1);
    let (out, closed) = (Log::new(), gate.clone());
    let log = out.clone();
    let popper = spawn(&queue, move |queue| {
        closed.wait();
        while let Some(job) = queue.pop() {
            log.note(job);
        }
    });
    let _ = queue.push(1);
    let _ = queue.push(2);
    queue.close();
    gate.come();
    let back = queue.push(3);
    assert!(back == Err(Closed(3)), "a closed queue took job 3");
    join([popper]);
    let out = out.all();
    assert!(out == [1, 2], "1 and 2 were left, {} came out", listed(&out));
}
