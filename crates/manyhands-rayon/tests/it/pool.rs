//! Jobs as they come.

use std::panic::resume_unwind;
use std::sync::mpsc;

use manyhands_conformance::watchdog;
use manyhands_core::results;
use manyhands_core::{
    Config, Outcome, Spawn, Task, WorkerPool, WorkerPoolExt,
};
use manyhands_rayon::{RayonPool, RayonThreads};

type Work = Box<dyn FnOnce() -> u32 + Send>;

fn pool(workers: usize, queue: usize) -> RayonPool<Work> {
    RayonPool::new(Config::new(workers, queue).unwrap()).unwrap()
}

#[test]
fn spawned_jobs_send_one_result_each_and_then_the_results_end() {
    watchdog(|| {
        let threads = RayonThreads::start(3).unwrap();
        let (results, collected) = results::channel();
        for job in 0..100u32 {
            threads.spawn(job, results.clone(), |job| job * 2);
        }
        drop(results);
        let mut doubled: Vec<_> = collected.iter().collect();
        doubled.sort();
        assert!(doubled.into_iter().eq((0..100).map(|job| job * 2)));
    });
}

#[test]
fn a_job_that_panics_is_one_completion_and_not_the_end_of_the_process() {
    watchdog(|| {
        let pool = pool(2, 100);
        for job in 0..100 {
            let work = move || match job % 2 {
                0 => job,
                _ => resume_unwind(Box::new(format!("job {job}"))),
            };
            pool.submit(Box::new(work)).unwrap();
        }
        pool.close();
        let mut ends = [0, 0];
        for completion in pool.completions() {
            match completion.outcome {
                Outcome::Done(_) => ends[0] += 1,
                Outcome::Panicked(panic) => {
                    assert_eq!(panic.message(), completion.id.to_string());
                    ends[1] += 1;
                }
                Outcome::Cancelled(_) => unreachable!("nobody cancelled"),
            }
        }
        assert_eq!(ends, [50, 50]);
    });
}

#[test]
fn rayons_own_queue_is_bounded() {
    watchdog(|| {
        let pool = pool(1, 2);
        let (release, gate) = mpsc::channel::<()>();
        pool.submit(Box::new(move || gate.recv().map_or(0, |()| 1))).unwrap();
        pool.submit(Box::new(|| 2)).unwrap();
        pool.submit(Box::new(|| 3)).unwrap();
        let refused = pool.try_submit(Box::new(|| 4)).unwrap_err();
        assert!(refused.is_full());

        release.send(()).unwrap();
        assert_eq!(pool.recv().unwrap().done(), Some(1));
        pool.submit(refused.into_inner()).unwrap();
        pool.close();
        let rest = pool.completions().filter_map(|c| c.done());
        assert_eq!(rest.collect::<Vec<_>>(), [2, 3, 4]);
    });
}

#[test]
fn a_batch_takes_no_place_of_the_pools_bound() {
    watchdog(|| {
        let pool = pool(1, 0);
        // The only thread is busy with the batch, and yet there is a place.
        let tried = pool.threads().par_map([()], |()| {
            let tries = [5, 6].map(|n| pool.try_submit(Box::new(move || n)));
            tries.map(|tried| tried.is_err_and(|refused| refused.is_full()))
        });
        assert_eq!(tried, [[false, true]]);
        assert_eq!(pool.recv().unwrap().done(), Some(5));
    });
}

#[test]
fn spawned_closures_answer_their_handles() {
    watchdog(|| {
        let pool = RayonPool::<Task<'static>>::builder().workers(2).build();
        let pool = pool.unwrap();
        let handles: Vec<_> =
            (0..100).map(|n| pool.spawn(move || n * 2).unwrap()).collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n * 2);
        }
    });
}

#[test]
fn the_pool_shows_itself_without_its_jobs() {
    let pool = pool(2, 3);
    let shown = format!("{pool:?}");
    assert!(shown.starts_with("RayonPool {"), "{shown}");
    assert!(shown.contains("open: true"), "{shown}");
}
