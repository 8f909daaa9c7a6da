// E0382: `submit_jobs` closes the channel, as the original does.
use manyhands::waitgroup::{WorkerPool, submit_jobs};

fn main() {
    let (_pool, jobs, _results) = WorkerPool::<u32, u32>::new(2, 2);
    submit_jobs(jobs, 0..2);
    #[cfg(feature = "misuse")]
    submit_jobs(jobs, 0..2);
}
