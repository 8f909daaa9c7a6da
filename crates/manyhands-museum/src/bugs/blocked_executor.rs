//! A task blocks, and with it all the tasks of its thread.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "blocked-executor",
    title: "A task that does not let go of its thread",
    story: "One thread runs two tasks. The one sends a sign of life every 10 \
            ticks. The other makes a report, and waits 25 ticks for a disk.",
    question: "The report begins at tick 15 and waits with a blocking call. \
               When do the signs of life come that are due at 20, 30 and 40?",
    answers: &[
        "At 20, 30 and 40: the runtime takes the blocked task off the thread.",
        "All at 40, when the report is done.",
        "Never: the two tasks wait for each other.",
    ],
    right: 1,
    broken: Act {
        source: include_str!("blocked_executor.rs"),
        anchor: "broken",
        schedule: &[],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("blocked_executor.rs"),
        anchor: "fixed",
        schedule: &[],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "An executor polls one task after the other, on one thread. It gets \
          the thread back only when a poll returns, and a poll returns at an \
          `.await` that is not ready, or at the end. A call that blocks is \
          neither. Nothing can take the thread away from a task.",
    found: "Timers that come late all at once, and health checks that fail \
            under load while the processor is idle. Measure how long a poll \
            takes; tokio-console shows it for each task. In a debugger: a \
            thread of the executor in `sleep`, `read` or `lock`.",
    mend: "Wait with `.await`. If there is only a blocking call, or much to \
           compute, do it on another thread (`tokio::task::spawn_blocking`, \
           or a pool) and `.await` its end.",
};

// ANCHOR: executor
/// Polls one task after the other, until all are done. A tick passes when all
/// of them wait.
fn run(now: &Cell<u32>, mut tasks: Vec<Pin<&mut dyn Future<Output = ()>>>) {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
        if tasks.is_empty() {
            return;
        }
        now.set(now.get() + 1);
    }
}

/// Is ready from this tick on.
fn until(now: &Cell<u32>, tick: u32) -> impl Future<Output = ()> {
    poll_fn(move |_| match now.get() < tick {
        true => Poll::Pending,
        false => Poll::Ready(()),
    })
}
// ANCHOR_END: executor

// ANCHOR: broken
fn broken(stage: &Stage) {
    let now = Cell::new(0);
    let life = async {
        for due in [10, 20, 30, 40, 50] {
            until(&now, due).await;
            let came = now.get();
            stage.say(format!("tick {came}: a sign of life, due at {due}"));
        }
    };
    let report = async {
        until(&now, 15).await;
        stage.say("tick 15: the report begins");
        // As `thread::sleep` does: the time passes within the poll.
        now.set(now.get() + 25);
        stage.say(format!("tick {}: the report is done", now.get()));
    };
    run(&now, vec![pin!(report), pin!(life)]);
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let now = Cell::new(0);
    let life = async {
        for due in [10, 20, 30, 40, 50] {
            until(&now, due).await;
            let came = now.get();
            stage.say(format!("tick {came}: a sign of life, due at {due}"));
        }
    };
    let report = async {
        until(&now, 15).await;
        stage.say("tick 15: the report begins");
        // The poll returns here; the next ones ask whether it is time.
        until(&now, now.get() + 25).await;
        stage.say(format!("tick {}: the report is done", now.get()));
    };
    run(&now, vec![pin!(report), pin!(life)]);
}
// ANCHOR_END: fixed
