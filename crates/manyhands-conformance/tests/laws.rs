//! The example keeps the laws. In a binary of its own, since some of them
//! look at the threads and open files of the whole process, and since the
//! panic hook is one for all.

#[path = "../examples/pool_from_outside.rs"]
mod pool_from_outside;

use std::panic::set_hook;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_pool_from_outside_keeps_the_laws_and_no_intended_panic_is_printed() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        eprintln!("{panic}");
    }));
    pool_from_outside::main();
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}
