// E0382: an accepted job is the pool's.
use manyhands::WorkerPool;

fn main() {
    let words = String::from("many hands");
    let pool = Pool::builder().build().unwrap();
    let job = job!(words.len());
    let _ = pool.submit(job);
    #[cfg(feature = "misuse")]
    drop(job);
}
