//! The laws. In a binary of its own, since some of them count the threads and
//! file handles of the whole process.

use manyhands_semaphore::SemaphorePool;

#[test]
fn keeps_the_laws() {
    manyhands_conformance::check_all(SemaphorePool::new).assert_passed();
}
