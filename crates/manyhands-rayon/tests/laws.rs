//! The laws of worker pools, on rayon's threads.

use manyhands_conformance::check_all;
use manyhands_rayon::RayonPool;

#[test]
fn the_pool_keeps_all_laws() {
    check_all(|config| RayonPool::new(config).unwrap()).assert_passed();
}
