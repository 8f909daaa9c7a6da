//! The laws. In a binary of its own, since some of them count the threads and
//! file handles of the whole process.

use manyhands_dispatcher::DispatcherPool;

#[test]
fn keeps_the_laws() {
    manyhands_conformance::check_all(|config| {
        DispatcherPool::new(config).unwrap()
    })
    .assert_passed();
}
