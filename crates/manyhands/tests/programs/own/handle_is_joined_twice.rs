// E0382: a handle has one answer.
use manyhands::channel::ChannelPool;
use manyhands::{Spawn, Task};

fn main() {
    let pool = ChannelPool::<Task<'static>>::builder().build().unwrap();
    let handle = pool.spawn(|| 1).unwrap();
    let _ = handle.join();
    #[cfg(feature = "misuse")]
    let _ = handle.join();
}
