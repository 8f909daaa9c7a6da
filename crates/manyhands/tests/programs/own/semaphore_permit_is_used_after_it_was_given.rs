// E0382: the permit is the thread's, which releases it.
use manyhands::Threads;
use manyhands::semaphore::{Semaphore, spawn};

fn main() {
    let threads = Threads::new();
    let permit = Semaphore::new(2).acquire().unwrap();
    spawn(&threads, permit, |_permit| {});
    #[cfg(feature = "misuse")]
    drop(permit);
}
