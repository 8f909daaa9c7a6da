//! The laws. In a binary of its own, since some of them count the threads and
//! file handles of the whole process.

use manyhands_channel::ChannelPool;

#[test]
fn keeps_the_laws() {
    manyhands_conformance::check_all(|config| {
        ChannelPool::new(config).unwrap()
    })
    .assert_passed();
}
