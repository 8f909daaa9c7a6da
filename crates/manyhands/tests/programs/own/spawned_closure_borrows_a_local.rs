// E0597: a handle may be dropped, or leaked, before its job has ended.
use manyhands::channel::ChannelPool;
use manyhands::{Spawn, Task};

fn main() {
    let words = String::from("many hands");
    #[cfg(not(feature = "misuse"))]
    let borrowed = words.clone();
    #[cfg(feature = "misuse")]
    let borrowed = &words;
    let pool = ChannelPool::<Task<'static>>::builder().build().unwrap();
    let handle = pool.spawn(move || borrowed.len()).unwrap();
    let _ = handle.join();
}
