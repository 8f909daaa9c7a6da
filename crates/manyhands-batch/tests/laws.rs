//! The laws, and what the pool claims. In a binary of its own, since some of
//! them count the threads and file handles of the whole process.

use manyhands_batch::BatchPool;
use manyhands_conformance::Kit;

#[test]
fn keeps_the_laws() {
    Kit::new().check(|config| BatchPool::new(config).unwrap()).assert_passed();
}
