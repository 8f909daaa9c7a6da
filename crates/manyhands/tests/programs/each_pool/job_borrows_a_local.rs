// E0597: a pool's threads may live longer than any function.
use manyhands::WorkerPool;

fn main() {
    let words = String::from("many hands");
    #[cfg(not(feature = "misuse"))]
    let borrowed = words.clone();
    #[cfg(feature = "misuse")]
    let borrowed = &words;
    let pool = Pool::builder().build().unwrap();
    let _ = pool.submit(job!(borrowed.len()));
}
