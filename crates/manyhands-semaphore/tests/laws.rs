//! The laws, and what the pool claims. In a binary of its own, since some of
//! them count the threads and file handles of the whole process.

use manyhands_conformance::{Claim, Kit};
use manyhands_semaphore::SemaphorePool;

#[test]
fn keeps_the_laws_and_its_claims() {
    Kit::new()
        .claims([Claim::NoQueue])
        .check(SemaphorePool::new)
        .assert_passed();
}
