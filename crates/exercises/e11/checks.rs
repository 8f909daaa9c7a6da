//! What is asked of exercise 11. The checks are the executor: they poll, and say
//! which future may go on.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use exercises::{Check, listed};

use super::answer::{Task, at_most};

pub fn checks() -> Vec<Check> {
    vec![
        Check::plain(
            "in_the_order_of_the_futures",
            "results are in the order of the futures, also if the last is \
             done first",
            in_the_order_of_the_futures,
        ),
        Check::plain(
            "so_many_at_once",
            "of four futures with a limit of 2, two are begun, and no third",
            so_many_at_once,
        ),
        Check::plain(
            "the_next_begins_when_one_is_done",
            "when one of two is done, the third is begun, though the other \
             still goes on",
            the_next_begins_when_one_is_done,
        ),
        Check::plain(
            "a_new_one_is_polled",
            "a future that comes into a free place is begun without a \
             wake-up from outside: it has asked nobody yet",
            a_new_one_is_polled,
        ),
        Check::plain(
            "it_returns_pending",
            "when no future can go on, the poll returns `Pending`: it does \
             not go round, and does not wake itself",
            it_returns_pending,
        ),
        Check::plain(
            "the_waker_is_passed_on",
            "a future that is pending can wake the task that awaits `at_most`",
            the_waker_is_passed_on,
        ),
        Check::plain(
            "few_or_none",
            "it works for no futures, and for fewer than the limit",
            few_or_none,
        ),
        Check::plain(
            "ready_at_once",
            "ten futures that are ready at once are done without a wake-up \
             from outside",
            ready_at_once,
        ),
    ]
}

/// Futures of a check: each is pending until it is let go.
#[derive(Clone, Default)]
struct Stage(Rc<RefCell<Vec<Actor>>>);

#[derive(Clone, Default)]
struct Actor {
    polls: usize,
    may_end: bool,
    ended: bool,
    waker: Option<Waker>,
}

impl Stage {
    /// So many futures; each returns its place.
    fn tasks(count: usize) -> (Self, Vec<Task<usize>>) {
        let stage = Self::default();
        stage.0.borrow_mut().resize(count, Actor::default());
        let task = |place: usize| -> Task<usize> {
            let stage = stage.clone();
            Box::pin(poll_fn(move |context| stage.poll(place, context)))
        };
        let tasks = (0..count).map(task).collect();
        (stage, tasks)
    }

    fn poll(&self, place: usize, context: &Context<'_>) -> Poll<usize> {
        let actor = &mut self.0.borrow_mut()[place];
        assert!(!actor.ended, "future {place} was polled after its end");
        actor.polls += 1;
        assert!(
            actor.polls < 100,
            "one poll polled future {place} a hundred times, instead of \
             returning `Pending`"
        );
        if actor.may_end {
            actor.ended = true;
            return Poll::Ready(place);
        }
        actor.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Lets one end, and wakes whoever it was polled by.
    fn let_go(&self, place: usize) {
        let waker = {
            let actor = &mut self.0.borrow_mut()[place];
            actor.may_end = true;
            actor.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Those that were polled and are not done.
    fn begun(&self) -> Vec<usize> {
        let actors = self.0.borrow();
        let is_begun =
            |&place: &usize| actors[place].polls > 0 && !actors[place].ended;
        (0..actors.len()).filter(is_begun).collect()
    }
}

/// The task that awaits `at_most`.
struct Run {
    future: Pin<Box<dyn Future<Output = Vec<usize>>>>,
    woken: Arc<Flag>,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Run {
    fn new(limit: usize, tasks: Vec<Task<usize>>) -> Self {
        let future = Box::pin(at_most(limit, tasks));
        Self { future, woken: Arc::default() }
    }

    fn poll(&mut self) -> Poll<Vec<usize>> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// A poll that is not the last, and more if the answer asks for them: it
    /// may do in several steps what the solution does in one.
    fn goes_on(&mut self) {
        for _ in 0..10 {
            if let Poll::Ready(results) = self.poll() {
                let results = listed(&results);
                panic!("it was done with {results}, and futures are left");
            }
            if !self.woken.0.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    /// As long as it is woken.
    fn drive_to_end(&mut self) -> Vec<usize> {
        for _ in 0..100 {
            if let Poll::Ready(results) = self.poll() {
                return results;
            }
            assert!(
                self.woken.0.load(Ordering::SeqCst),
                "all futures may end, and nobody is left who would wake it"
            );
        }
        panic!("it was woken a hundred times, and is not done")
    }
}

fn begun(stage: &Stage, right: &[usize], when: &str) {
    let seen = stage.begun();
    assert!(
        seen == right,
        "{when} those under way are {}, and it should be {}",
        listed(&seen),
        listed(right)
    );
}

fn in_the_order_of_the_futures() {
    let (stage, tasks) = Stage::tasks(3);
    let mut run = Run::new(3, tasks);
    run.goes_on();
    for place in [2, 0] {
        stage.let_go(place);
        run.goes_on();
    }
    stage.let_go(1);
    let seen = run.drive_to_end();
    assert!(seen == [0, 1, 2], "0, 1, 2 came out as {}", listed(&seen));
}

fn so_many_at_once() {
    let (stage, tasks) = Stage::tasks(4);
    let mut run = Run::new(2, tasks);
    run.goes_on();
    begun(&stage, &[0, 1], "after the first poll, with a limit of 2,");
}

fn the_next_begins_when_one_is_done() {
    let (stage, tasks) = Stage::tasks(4);
    let mut run = Run::new(2, tasks);
    run.goes_on();
    stage.let_go(1);
    run.goes_on();
    run.goes_on();
    begun(&stage, &[0, 2], "when 1 was done, with a limit of 2,");
    stage.let_go(2);
    run.goes_on();
    run.goes_on();
    begun(&stage, &[0, 3], "when 1 and 2 were done, with a limit of 2,");
}

fn a_new_one_is_polled() {
    let (stage, tasks) = Stage::tasks(3);
    let mut run = Run::new(1, tasks);
    run.goes_on();
    stage.let_go(0);
    run.goes_on();
    begun(&stage, &[1], "when 0 was done, with a limit of 1,");
}

fn it_returns_pending() {
    let (stage, tasks) = Stage::tasks(2);
    let mut run = Run::new(2, tasks);
    run.goes_on();
    begun(&stage, &[0, 1], "after the first poll");
    assert!(
        !run.woken.0.load(Ordering::SeqCst),
        "no future can go on, and it has woken itself ten times: the thread \
         is busy with asking"
    );
}

fn the_waker_is_passed_on() {
    let (stage, tasks) = Stage::tasks(2);
    let mut run = Run::new(2, tasks);
    run.goes_on();
    for place in [0, 1] {
        run.woken.0.store(false, Ordering::SeqCst);
        stage.let_go(place);
        let woken = run.woken.0.load(Ordering::SeqCst);
        assert!(woken, "future {place} woke, and the task was not woken");
        let _ = run.poll();
    }
}

fn few_or_none() {
    let seen = Run::new(3, Vec::new()).drive_to_end();
    assert!(seen.is_empty(), "of no futures came {}", listed(&seen));
    let (stage, tasks) = Stage::tasks(2);
    let mut run = Run::new(5, tasks);
    run.goes_on();
    stage.let_go(1);
    stage.let_go(0);
    let seen = run.drive_to_end();
    assert!(seen == [0, 1], "0 and 1 came out as {}", listed(&seen));
}

fn ready_at_once() {
    let (stage, tasks) = Stage::tasks(10);
    for place in 0..10 {
        stage.let_go(place);
    }
    let seen = Run::new(3, tasks).drive_to_end();
    assert!(
        seen == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        "0 to 9 came out as {}",
        listed(&seen)
    );
}
