// E0277: what a job captures goes to another thread.
use manyhands::WorkerPool;

fn main() {
    let pool = Pool::builder().build().unwrap();
    #[cfg(not(feature = "misuse"))]
    let count = std::sync::Arc::new(1);
    #[cfg(feature = "misuse")]
    let count = std::rc::Rc::new(1);
    let _ = pool.submit(job!(*count));
}
