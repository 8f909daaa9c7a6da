//! An executor in thirty lines: one thread, and tasks that take turns where
//! they await.
//!
//! ```console
//! $ cargo run -q -p manyhands-tokio --example course_11_turns
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

// ANCHOR: executor
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Who wants to be polled, by number: what a waker writes into.
type Ready = Arc<Mutex<VecDeque<usize>>>;

struct Wakes(usize, Ready);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        let Self(task, ready) = &*self;
        let mut ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.push_back(*task);
    }
}

/// Polls tasks that were woken until none is left.
fn run(tasks: Vec<Task>) {
    let mut tasks: Vec<_> = tasks.into_iter().map(Some).collect();
    let ready = Ready::new(Mutex::new((0..tasks.len()).collect()));
    let next =
        || ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    // An executor that has nothing to do sleeps; this one ends.
    while let Some(number) = next() {
        let waker = Waker::from(Arc::new(Wakes(number, Arc::clone(&ready))));
        let Some(task) = &mut tasks[number] else { continue };
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            tasks[number] = None;
        }
    }
}
// ANCHOR_END: executor

// ANCHOR: tasks
/// Not ready the first time: whoever awaits it lets the others go on.
async fn turn() {
    let was_here = AtomicBool::new(false);
    std::future::poll_fn(|context| {
        if was_here.swap(true, Ordering::Relaxed) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn polite(name: &str) {
    for step in 1..=3 {
        println!("{name}: step {step}");
        turn().await;
    }
}

/// Whatever happens between two awaits happens at once.
async fn rude(name: &str) {
    for step in 1..=3 {
        println!("{name}: step {step}, and nobody else moves");
    }
}
// ANCHOR_END: tasks

fn main() {
    run(vec![
        Box::pin(polite("anna")),
        Box::pin(rude("bert")),
        Box::pin(polite("carl")),
    ]);
}
