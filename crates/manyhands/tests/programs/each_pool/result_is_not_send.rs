// E0277: what a job answers comes from another thread.
use manyhands::WorkerPool;

fn main() {
    let pool = Pool::builder().build().unwrap();
    #[cfg(not(feature = "misuse"))]
    let _ = pool.submit(job!(std::sync::Arc::new(1)));
    #[cfg(feature = "misuse")]
    let _ = pool.submit(job!(std::rc::Rc::new(1)));
}
