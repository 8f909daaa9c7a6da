//! The laws, and what the pool claims: nothing. In a binary of its own, since
//! some of them count the threads and file handles of the whole process.

use manyhands_conformance::Kit;
use manyhands_rayon::RayonPool;

#[test]
fn keeps_the_laws_and_its_claims() {
    Kit::new()
        .claims([])
        .check(|config| RayonPool::new(config).unwrap())
        .assert_passed();
}
