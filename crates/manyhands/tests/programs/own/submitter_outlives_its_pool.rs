// E0505: jobs that are held back go to the pool before it goes.
use manyhands::{InlinePool, WorkerPoolExt};

fn main() {
    let pool = InlinePool::new();
    let mut submitter = pool.submitter();
    let _ = submitter.submit(|| 1);
    #[cfg(feature = "misuse")]
    drop(pool);
    let _ = submitter.flush();
}
