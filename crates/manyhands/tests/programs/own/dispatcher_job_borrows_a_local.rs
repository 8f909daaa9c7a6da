// E0597: a job queue's threads may live longer than any function.
use manyhands::dispatcher::JobQueue;

fn main() {
    let words = String::from("many hands");
    #[cfg(not(feature = "misuse"))]
    let borrowed = words.clone();
    #[cfg(feature = "misuse")]
    let borrowed = &words;
    let queue = JobQueue::new(2).unwrap();
    let _ = queue.start();
    let _ = queue.submit(move || assert_eq!(borrowed.len(), 10));
}
