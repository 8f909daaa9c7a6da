//! The laws, over every variant. In a binary of its own, since some of them
//! count the threads and file handles of the whole process.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use manyhands::variants;
use manyhands_conformance::{Claim, Kit, LawJob};
use manyhands_managed::{ManagedPool, Shift};

#[test]
fn it_keeps_the_laws_over_every_variant() {
    for (at, variant) in
        variants::<Shift<LawJob>, _, _>().into_iter().enumerate()
    {
        println!("over {}", variant.name);
        Kit::new()
            .claims([Claim::InOrder])
            .check(move |config| {
                let make = move |config| {
                    variants::<Shift<LawJob>, _, _>()[at].make(config)
                };
                ManagedPool::builder()
                    .workers(config.workers().get())
                    .queue(config.queue())
                    .over(make)
                    .unwrap()
            })
            .assert_passed();
    }
}
