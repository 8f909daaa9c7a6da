// E0382: `wait` ends the pool.
use manyhands::waitgroup::WorkerPool;

fn main() {
    let (mut pool, _jobs, _results) = WorkerPool::new(2, 2);
    let _ = pool.start_workers(|_id, job: u32| job * 2);
    pool.wait();
    #[cfg(feature = "misuse")]
    let _ = pool.start_workers(|_id, job: u32| job * 2);
}
