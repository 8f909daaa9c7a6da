//! A pool below that ends by itself.

use std::sync::mpsc::channel;

use manyhands::tokio::TaskPool;
use manyhands_conformance::watchdog;
use manyhands_core::{AsyncJob, Job, Outcome, WorkerPool};
use manyhands_managed::ManagedPool;
use tokio::runtime::Runtime;

/// Waits for ever, once it has said that it began.
struct Stuck(std::sync::mpsc::Sender<()>);

impl Job for Stuck {
    type Output = ();
    fn run(self) {
        unreachable!("a pool of tasks takes the other face");
    }
}

impl AsyncJob for Stuck {
    async fn run_async(self) {
        self.0.send(()).unwrap();
        std::future::pending().await
    }
}

#[test]
fn when_its_runtime_is_shut_down_everything_comes_back() {
    watchdog(|| {
        let runtime = Runtime::new().unwrap();
        let handle = runtime.handle().clone();
        let pool = ManagedPool::builder()
            .workers(1)
            .queue(5)
            .over_tasks(move |config| Ok(TaskPool::on(&handle, config)))
            .unwrap();
        let (begun, begins) = channel();
        let running = pool.submit(Stuck(begun.clone())).unwrap();
        begins.recv().unwrap();
        for _ in 0..3 {
            pool.submit(Stuck(begun.clone())).unwrap();
        }
        runtime.shutdown_background();
        let mut cancelled = 0;
        while let Some(completion) = pool.recv() {
            match completion.outcome {
                Outcome::Panicked(panic) => {
                    assert_eq!(completion.id, running);
                    assert!(panic.message().contains("was dropped"));
                }
                Outcome::Cancelled(_) => cancelled += 1,
                Outcome::Done(()) => panic!("nothing ends"),
            }
        }
        assert_eq!(cancelled, 3);
        assert!(pool.submit(Stuck(begun)).is_err());
        let counts = pool.snapshot();
        assert_eq!((counts.panicked, counts.running), (1, 0));
    });
}
