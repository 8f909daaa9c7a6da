// future cannot be sent between threads safely: a task may be moved where it waits.
use manyhands::WorkerPool;
use manyhands::tokio::{Async, TaskPool};

fn main() {
    let pool = TaskPool::builder().build().unwrap();
    let job = Async(async || {
        #[cfg(not(feature = "misuse"))]
        let count = std::sync::Arc::new(1);
        #[cfg(feature = "misuse")]
        let count = std::rc::Rc::new(1);
        std::future::ready(()).await;
        *count
    });
    let _ = pool.submit(job);
}
