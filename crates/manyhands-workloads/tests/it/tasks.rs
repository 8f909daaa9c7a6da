//! The async face of every kind of job gives the answers of the plain one.
#![cfg(feature = "tokio")]

use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Waker};

use manyhands_core::{
    AsyncJob, Completion, InlinePool, JobId, Outcome, Ticket, WorkerPoolExt,
    run_one_async,
};
use manyhands_workloads::{Seen, Settings, WorkJob, Workload, all};

use tokio::task::JoinHandle;

use super::{jobs, within_time};

#[test]
fn the_async_face_gives_the_same_answers() {
    within_time(|| {
        for kind in all() {
            let settings = Settings {
                jobs: Some(40),
                input: (kind.name == "files").then(|| "src".into()),
                ..Settings::default()
            };
            let workload = Workload::parse(kind.name, &settings).unwrap();
            let mut inline = Vec::new();
            InlinePool::new()
                .run_all(workload.jobs(), |done| {
                    inline.push(outcome(done.outcome));
                })
                .unwrap();
            let tasks: Vec<_> = run_async(&workload)
                .into_iter()
                .map(|done| outcome(done.outcome))
                .collect();
            assert_eq!(inline, tasks, "{}", kind.name);

            let mut tally = workload.tally();
            for done in run_async(&workload) {
                tally.add(done.id, done.outcome);
            }
            tally.check(false).unwrap();
        }
    });
}

#[test]
fn a_sleeping_task_leaves_its_thread_to_others() {
    // On one thread, all sleeps end within the watchdog's time only if they
    // pass at the same time.
    within_time(|| {
        let workload = jobs("sleep:1s", 200);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let tasks: Vec<_> = workload
                .jobs()
                .map(|job| tokio::spawn(job.run_async()))
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
        });
    });
}

#[test]
fn a_blocking_task_keeps_its_thread_until_it_is_over() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().build().unwrap();
    let _inside = runtime.enter();
    for (kind, is_over) in [("block:1ms", true), ("sleep:1ms", false)] {
        let job = jobs(kind, 1).jobs().next().unwrap();
        let task = pin!(job.run_async());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(task.poll(&mut context).is_ready(), is_over, "{kind}");
    }
}

/// Runs all jobs by their async face, in tasks of their own, as many at once
/// as may be.
fn run_async(workload: &Workload) -> Vec<Completion<WorkJob>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let wait = |task: JoinHandle<_>| runtime.block_on(task).unwrap();
    let at_once = workload.most_workers().unwrap_or(usize::MAX);
    let mut tasks = VecDeque::new();
    let mut completions = Vec::new();
    for (id, job) in (0..).zip(workload.jobs()) {
        if tasks.len() == at_once {
            completions.extend(tasks.pop_front().map(wait));
        }
        let ticket = Ticket { id: JobId::new(id), job };
        tasks.push_back(runtime.spawn(run_one_async(ticket, || false)));
    }
    completions.extend(tasks.into_iter().map(wait));
    completions
}

fn outcome(outcome: Outcome<WorkJob>) -> String {
    Seen::from(outcome).to_string()
}
