//! The laws. In a binary of its own, since some of them count the threads and
//! file handles of the whole process.

use manyhands_conformance::check_all;
use manyhands_rayon::RayonPool;

#[test]
fn the_pool_keeps_all_laws() {
    check_all(|config| RayonPool::new(config).unwrap()).assert_passed();
}
