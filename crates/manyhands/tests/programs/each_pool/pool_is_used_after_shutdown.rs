// E0382: `shutdown` takes the pool, so that nothing is submitted after it.
use std::time::Duration;

use manyhands::{WorkerPool, WorkerPoolExt};

fn main() {
    let pool = Pool::builder().build().unwrap();
    let _ = pool.submit(job!(1));
    let _ = pool.shutdown(Duration::ZERO, drop);
    #[cfg(feature = "misuse")]
    pool.close();
}
