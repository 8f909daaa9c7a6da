//! What is asked of exercise 4.

use exercises::sync::Arc;
use exercises::{Check, Log, explore, listed, same, thread};

use super::answer::{Full, Queue};

pub fn checks() -> Vec<Check> {
    const STUCK: &str = "a thread waits, and nothing here ever should";
    vec![
        Check::new(
            "first_in_first_out",
            "jobs come out in the order in which they went in",
            STUCK,
            || explore(first_in_first_out),
        ),
        Check::new(
            "as_many_as_the_bound",
            "a queue of 2 takes two jobs, and refuses the third",
            STUCK,
            || explore(as_many_as_the_bound),
        ),
        Check::new(
            "a_refused_job_comes_back",
            "`Full` has the job in it that was brought, not another",
            STUCK,
            || explore(a_refused_job_comes_back),
        ),
        Check::new(
            "room_comes_back",
            "when a job was taken out, there is room for one more",
            STUCK,
            || explore(room_comes_back),
        ),
        Check::new(
            "exact_when_all_push_at_once",
            "of three threads that push into a queue of 2, two find room",
            STUCK,
            || explore(exact_when_all_push_at_once),
        ),
        Check::new(
            "the_newest_stays",
            "`push_newest` gives back the oldest job when there is no room, \
             and none when there is",
            STUCK,
            || explore(the_newest_stays),
        ),
        Check::new(
            "exact_when_the_newest_push_at_once",
            "of three threads that push their newest into a queue of 1, one \
             job stays",
            STUCK,
            || explore(exact_when_the_newest_push_at_once),
        ),
        Check::new(
            "no_job_is_lost",
            "whatever threads push and pop, each job comes out or comes back",
            STUCK,
            || explore(no_job_is_lost),
        ),
    ]
}

/// Everything that is in it.
fn rest<T>(queue: &Queue<T>) -> Vec<T> {
    std::iter::from_fn(|| queue.try_pop()).collect()
}

fn first_in_first_out() {
    let queue = Queue::new(3);
    for job in [1, 2, 3] {
        assert!(queue.try_push(job).is_ok(), "job {job} found no room of 3");
    }
    let out = rest(&queue);
    assert!(out == [1, 2, 3], "1, 2, 3 went in, {} came out", listed(&out));
}

fn as_many_as_the_bound() {
    let queue = Queue::new(2);
    for job in [1, 2] {
        let pushed = queue.try_push(job);
        assert!(pushed.is_ok(), "job {job} was refused by a queue of 2");
    }
    let pushed = queue.try_push(3);
    assert!(pushed.is_err(), "a queue of 2 took a third job");
}

fn a_refused_job_comes_back() {
    let queue = Queue::new(1);
    let _ = queue.try_push(1);
    match queue.try_push(2) {
        Ok(()) => panic!("a queue of 1 took a second job"),
        Err(Full(2)) => {}
        Err(Full(job)) => panic!("job 2 was brought, and job {job} came back"),
    }
}

fn room_comes_back() {
    let queue = Queue::new(1);
    let _ = queue.try_push(1);
    let _ = queue.try_push(2);
    assert!(queue.try_pop() == Some(1), "job 1 did not come out");
    let pushed = queue.try_push(3);
    assert!(
        pushed.is_ok(),
        "job 1 was taken out, and there is no room for job 3"
    );
}

fn exact_when_all_push_at_once() {
    let queue = Arc::new(Queue::new(2));
    let refused = Log::new();
    let pushers: Vec<_> = (0..3u64)
        .map(|job| {
            let (queue, refused) = (Arc::clone(&queue), refused.clone());
            thread::spawn(move || {
                if let Err(Full(job)) = queue.try_push(job) {
                    refused.note(job);
                }
            })
        })
        .collect();
    for pusher in pushers {
        let _ = pusher.join();
    }
    let mut all = rest(&queue);
    let taken = all.len();
    assert!(taken <= 2, "{taken} jobs waited in a queue of 2");
    assert!(taken == 2, "a job was refused with {taken} in a queue of 2");
    all.extend(refused.all());
    same("came out or back", &all, &[0, 1, 2]);
}

fn the_newest_stays() {
    let queue = Queue::new(2);
    for job in [1, 2] {
        let back = queue.push_newest(job);
        assert!(back.is_none(), "there was room, and {back:?} came back");
    }
    let back = queue.push_newest(3);
    assert!(
        back == Some(1),
        "with 1 and 2 in a queue of 2, job 3 came, and {back:?} came back"
    );
    let out = rest(&queue);
    assert!(out == [2, 3], "2 and 3 were to stay, {} stayed", listed(&out));
}

fn exact_when_the_newest_push_at_once() {
    let queue = Arc::new(Queue::new(1));
    let back = Log::new();
    let pushers: Vec<_> = (0..3u64)
        .map(|job| {
            let (queue, back) = (Arc::clone(&queue), back.clone());
            thread::spawn(move || {
                if let Some(job) = queue.push_newest(job) {
                    back.note(job);
                }
            })
        })
        .collect();
    for pusher in pushers {
        let _ = pusher.join();
    }
    let mut all = rest(&queue);
    let stayed = all.len();
    assert!(stayed <= 1, "{stayed} jobs stayed in a queue of 1");
    assert!(stayed == 1, "three jobs came, and none stayed");
    all.extend(back.all());
    same("stayed or came back", &all, &[0, 1, 2]);
}

fn no_job_is_lost() {
    let queue = Arc::new(Queue::new(1));
    let seen = Log::new();
    let threads: Vec<_> = (0..3u64)
        .map(|number| {
            let (queue, seen) = (Arc::clone(&queue), seen.clone());
            thread::spawn(move || match number {
                0 => {
                    if let Err(Full(job)) = queue.try_push(0) {
                        seen.note(job);
                    }
                }
                1 => {
                    if let Some(job) = queue.push_newest(1) {
                        seen.note(job);
                    }
                }
                _ => {
                    if let Some(job) = queue.try_pop() {
                        seen.note(job);
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
    let mut all = seen.all();
    all.extend(rest(&queue));
    same("came out or back", &all, &[0, 1]);
}
