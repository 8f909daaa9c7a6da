// E0597: what a scoped job borrows lives until the scope ends.
use manyhands::channel::ChannelPool;
use manyhands::{Config, WorkerPool};

fn main() {
    #[cfg(not(feature = "misuse"))]
    let words = String::from("many hands");
    ChannelPool::scope(Config::new(2, 2).unwrap(), |pool| {
        #[cfg(feature = "misuse")]
        let words = String::from("many hands");
        let borrowed = &words;
        let _ = pool.submit(move || borrowed.len());
    });
}
