//! The async face of every kind of job gives the answers of the plain one.
#![cfg(feature = "tokio")]

use manyhands_core::{
    AsyncJob, Completion, InlinePool, JobId, Outcome, Ticket, WorkerPoolExt,
    run_one_async,
};
use manyhands_workloads::{Seen, Settings, WorkJob, Workload, all};

use super::{jobs, within_time};

#[test]
fn the_async_face_gives_the_same_answers() {
    within_time(|| {
        for kind in all() {
            let settings = Settings {
                jobs: Some(40),
                input: "src".into(),
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
            .enable_time()
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

/// Runs all jobs by their async face, in tasks of their own.
fn run_async(workload: &Workload) -> Vec<Completion<WorkJob>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let tasks: Vec<_> = (0..)
        .zip(workload.jobs())
        .map(|(id, job)| {
            let ticket = Ticket { id: JobId::new(id), job };
            runtime.spawn(run_one_async(ticket, || false))
        })
        .collect();
    let mut completions = Vec::new();
    for task in tasks {
        completions.push(runtime.block_on(task).unwrap());
    }
    completions
}

fn outcome(outcome: Outcome<WorkJob>) -> String {
    Seen::from(outcome).to_string()
}
