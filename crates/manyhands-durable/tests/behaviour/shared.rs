//! What holds for several processes: here, for several queues on one place.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use manyhands_durable::{
    Attempt, DurableJob, Failure, Filter, JobQueue, Rate, State, Submission,
};
use serde::{Deserialize, Serialize};

use crate::lab::{Gate, Lab, Task, ends, eventually, reaches};
use crate::limits::{assert_spaced, crowd};
use crate::place::{Place, quick, quick_of};

/// Until nothing is to be done any more.
fn settled(queue: &JobQueue<Task>) {
    eventually("all is done", || {
        let counts = queue.counts().unwrap();
        if counts.unfinished() == 0 { Ok(()) } else { Err(counts) }
    });
}

pub(crate) fn what_was_submitted_outlives_the_queue(place: &Place) {
    let lab = Lab::new(|name, _| match name {
        "dead" => Err(Failure::permanent("no")),
        name => Ok(Some(name.into())),
    });
    let key = || Submission::new().key("k");
    let queue = place.started(1);
    let done = queue.submit(lab.task("done")).unwrap();
    let dead = queue.submit(lab.task("dead")).unwrap();
    reaches(&queue, done, State::Done);
    reaches(&queue, dead, State::Dead);
    queue.stop();
    drop(queue);
    let queue = place.open(quick());
    let id = queue.submit_with(lab.task("a"), key().priority(3)).unwrap();
    drop(queue);

    let queue = place.open(quick());
    assert_eq!(queue.submit_with(lab.task("b"), key()).unwrap(), id);
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!((status.state, status.priority), (State::Ready, 3));
    assert_eq!(queue.status(dead).unwrap().unwrap().state, State::Dead);
    let output: Option<String> = queue.output(done).unwrap();
    assert_eq!(output.as_deref(), Some("done"));
    queue.start().unwrap();
    reaches(&queue, id, State::Done);
    assert_eq!(queue.retry(Filter::new().ids([dead])).unwrap(), 1);
    eventually("dead again", || match lab.begun().len() {
        4 => Ok(()),
        other => Err(other),
    });
}

pub(crate) fn each_job_runs_once_over_two_queues(place: &Place) {
    const JOBS: usize = 400;
    let lab = Lab::idle();
    let queues = [place.started(4), place.started(4)];
    let submits = queues.iter().enumerate().map(|(number, queue)| {
        let jobs = (0..JOBS / 2).map(|job| {
            (lab.task(format!("{number}-{job}")), Submission::new())
        });
        queue.submit_all(jobs).unwrap()
    });
    let ids: Vec<_> = submits.flatten().collect();
    settled(&queues[0]);
    let mut names = lab.names();
    assert_eq!(names.len(), JOBS);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), JOBS);
    for id in ids {
        let status = queues[1].status(id).unwrap().unwrap();
        assert_eq!((status.state, status.attempts), (State::Done, 1));
    }
}

pub(crate) fn a_stop_leaves_what_was_not_begun_to_others(place: &Place) {
    const JOBS: usize = 100;
    let gate = Gate::default();
    let opened = gate.clone();
    let lab = Lab::new(move |name, _| {
        if name == "long" {
            opened.pass();
        }
        Ok(None)
    });
    let queue = Arc::new(place.started(1));
    // Short ones first, so that it claims what it believes to be short too.
    for _ in 0..10 {
        queue.submit(lab.task("short")).unwrap();
    }
    settled(&queue);
    let begun = lab.begun().len();
    let long = queue.submit(lab.task("long")).unwrap();
    let jobs = (0..JOBS).map(|_| (lab.task("rest"), Submission::new()));
    let ids = queue.submit_all(jobs).unwrap();
    lab.wait_for(begun + 1);
    let stopping = Arc::clone(&queue);
    let stop = thread::spawn(move || stopping.stop());
    eventually("stopping", || match queue.submit(lab.task("rest")) {
        Ok(id) => Err(id),
        Err(_) => Ok(()),
    });
    gate.open();
    let stopped = ends("a stop", move || stop.join().unwrap());
    assert!(stopped.finished >= 1, "{stopped:?}");
    reaches(&queue, long, State::Done);
    let counts = queue.counts().unwrap();
    assert_eq!(counts.running, 0, "{counts:?}");

    // At once, not when a lease is over.
    let began = Instant::now();
    let other = place.started(4);
    settled(&other);
    assert!(began.elapsed() < Duration::from_secs(10));
    for id in ids {
        let status = other.status(id).unwrap().unwrap();
        assert_eq!((status.state, status.attempts), (State::Done, 1));
    }
}

pub(crate) fn what_is_abandoned_another_takes_over_and_a_late_result_is_refused(
    place: &Place,
) {
    let gate = Gate::default();
    let opened = gate.clone();
    let ended = Gate::default();
    let ends = ended.clone();
    let runs = std::sync::atomic::AtomicUsize::new(0);
    let lab = Lab::new(move |_, _| {
        if runs.fetch_add(1, Ordering::SeqCst) == 0 {
            opened.pass();
            ends.open();
            return Ok(Some("late".into()));
        }
        Ok(Some("second".into()))
    });
    let first = place.started(1);
    let id = first.submit(lab.task("a")).unwrap();
    lab.wait_for(1);
    let other = place.started(1);
    let stopped = first.stop_within(Duration::from_millis(50));
    assert_eq!(stopped.abandoned, 1);

    let status = reaches(&other, id, State::Done);
    assert_eq!(status.attempts, 2);
    gate.open();
    ended.pass();
    drop(first);
    // The late one has had its chance once a job after it is done.
    let next = other.submit(lab.task("b")).unwrap();
    reaches(&other, next, State::Done);
    let output: Option<String> = other.output(id).unwrap();
    assert_eq!(output.as_deref(), Some("second"));
    assert_eq!(lab.begun().len(), 3);
}

pub(crate) fn a_pause_holds_everywhere(place: &Place) {
    let lab = Lab::idle();
    let [working, other] = [place.started(2), place.open(quick())];
    other.pause().unwrap();
    // It is known everywhere within a second.
    thread::sleep(Duration::from_secs(1));
    let id = other.submit(lab.task("a")).unwrap();
    // As long as several polls.
    thread::sleep(Duration::from_millis(200));
    assert_eq!(working.status(id).unwrap().unwrap().state, State::Ready);
    assert!(working.counts().unwrap().is_paused);
    other.resume().unwrap();
    reaches(&working, id, State::Done);
}

pub(crate) fn a_limit_holds_for_all_queues_together(place: &Place) {
    let (lab, most) = crowd(Duration::from_millis(20));
    let queues = [0, 1].map(|_| place.open(quick().workers(4).limit(3)));
    let jobs = (0..20).map(|_| (lab.task(""), Submission::new()));
    queues[0].submit_all(jobs).unwrap();
    queues.iter().for_each(|queue| queue.start().unwrap());
    settled(&queues[0]);
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert_eq!(lab.begun().len(), 20);
}

pub(crate) fn a_rate_holds_for_all_queues_together(place: &Place) {
    const INTERVAL: Duration = Duration::from_millis(100);
    let lab = Lab::idle();
    let rate = Rate::new(10, Duration::from_secs(1)).unwrap();
    let queues = [0, 1].map(|_| place.open(quick().workers(4).rate(rate)));
    let jobs = (0..10).map(|_| (lab.task(""), Submission::new()));
    queues[0].submit_all(jobs).unwrap();
    queues.iter().for_each(|queue| queue.start().unwrap());
    assert_spaced(&lab.wait_for(10), INTERVAL);
}

pub(crate) fn a_job_is_found_soon_that_another_queue_stored(place: &Place) {
    let lab = Lab::idle();
    let poll = Duration::from_millis(500);
    let working = place.open(quick().workers(2).poll(poll));
    working.start().unwrap();
    let other = place.open(quick());
    for number in 1..=5 {
        let began = Instant::now();
        other.submit(lab.task("a")).unwrap();
        let begun = lab.wait_for(number);
        let after = begun[number - 1].at - began;
        // A poll, and time for a busy machine.
        assert!(after < poll + Duration::from_secs(2), "{after:?}");
    }
}

/// Takes more than a minute: a schedule has no seconds.
pub(crate) fn a_schedule_comes_once_over_two_queues(place: &Place) {
    if std::env::var_os("MANYHANDS_TEST_MINUTES").is_none() {
        println!(
            "skipped: schedules, for a minute: set MANYHANDS_TEST_MINUTES"
        );
        return;
    }
    let lab = Lab::idle();
    let queues = [0, 1].map(|_| {
        let builder = quick().cron("each", "* * * * *", lab.task("a"));
        place.open(builder.cron("never", "0 0 29 2 *", lab.task("never")))
    });
    queues.iter().for_each(|queue| queue.start().unwrap());
    let began = Instant::now();
    while lab.begun().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(70), "not yet");
        thread::sleep(Duration::from_millis(100));
    }
    // Both would have by now.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(lab.names(), ["a"]);
}

pub(crate) fn an_administrator_sees_and_sets_right(place: &Place) {
    let lab = Lab::new(|_, attempt| match attempt.key() {
        Some(_) => Err(Failure::permanent("no")),
        None => Ok(None),
    });
    let queue = place.started(1);
    let dead = queue
        .submit_with(lab.task("dead"), Submission::new().key("k"))
        .unwrap();
    let done = queue.submit(lab.task("done")).unwrap();
    reaches(&queue, dead, State::Dead);
    reaches(&queue, done, State::Done);

    let admin = place.admin();
    let counts = admin.counts().unwrap();
    let task = counts.iter().find(|it| it.kind == "task").unwrap();
    assert_eq!((task.dead, task.done), (1, 1));
    assert_eq!(admin.status(dead).unwrap(), queue.status(dead).unwrap());
    let listed = admin.list(&Filter::new().state(State::Dead)).unwrap();
    assert_eq!(listed.len(), 1);
    admin.pause("task").unwrap();
    assert!(queue.counts().unwrap().is_paused);
    // It is known everywhere within a second.
    thread::sleep(Duration::from_secs(1));
    let kind = Filter::new().kind("task");
    assert_eq!(admin.retry(&kind).unwrap(), 1);
    assert_eq!(queue.status(dead).unwrap().unwrap().state, State::Ready);
    assert!(admin.cancel(dead).unwrap());
    assert_eq!(admin.purge(&kind).unwrap(), 1);
    admin.resume("task").unwrap();
    assert!(!queue.counts().unwrap().is_paused);
    assert_eq!(queue.list(Filter::new()).unwrap(), []);
    let error = admin.pause("no kind").unwrap_err().to_string();
    assert!(error.contains("\"no kind\""), "{error}");
}

#[derive(Serialize, Deserialize)]
struct Other;

impl DurableJob for Other {
    const KIND: &'static str = "other";
    type Output = u32;

    fn run(self, _: &Attempt) -> Result<u32, Failure> {
        Ok(7)
    }
}

pub(crate) fn two_kinds_share_a_place_and_nothing_else(place: &Place) {
    let lab = Lab::idle();
    let tasks = place.open(quick());
    let others = place.open(quick_of::<Other>());
    let key = || Submission::new().key("k").serial("s");
    let task = tasks.submit_with(lab.task("a"), key()).unwrap();
    let other = others.submit_with(Other, key()).unwrap();
    assert_ne!(task, other);
    others.start().unwrap();
    reaches(&others, other, State::Done);
    assert_eq!(others.output::<u32>(other).unwrap(), Some(7));
    assert_eq!(tasks.list(Filter::new()).unwrap().len(), 1);
    assert_eq!(others.counts().unwrap().done, 1);
    assert_eq!(tasks.purge(Filter::new()).unwrap(), 0);
    tasks.start().unwrap();
    reaches(&tasks, task, State::Done);
}

pub(crate) fn many_queues_open_a_new_place_at_once(place: &Place) {
    let lab = Lab::idle();
    thread::scope(|scope| {
        for number in 0..6 {
            let lab = &lab;
            scope.spawn(move || {
                let queue = place.started(1);
                let task = lab.task(number.to_string());
                let id = queue.submit(task).unwrap();
                settled(&queue);
                reaches(&queue, id, State::Done);
            });
        }
    });
    assert_eq!(lab.begun().len(), 6);
}
