//! The laws, over a pool of threads, one without a queue and one of tasks; over
//! every variant when `MANYHANDS_DEEP` is set. In a binary of its own, since
//! some of them count the threads and file handles of the whole process.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use manyhands::variants;
use manyhands_conformance::{Claim, Kit, LawJob};
use manyhands_managed::{ManagedPool, Shift};

#[test]
fn it_keeps_the_laws_over_variants_of_each_kind() {
    let deep = |value: std::ffi::OsString| !value.is_empty() && value != "0";
    let all = std::env::var_os("MANYHANDS_DEEP").is_some_and(deep);
    let kinds = ["channel", "semaphore", "tokio"];
    let mut checked = 0;
    for (at, variant) in
        variants::<Shift<LawJob>, _, _>().into_iter().enumerate()
    {
        if !all && !kinds.contains(&variant.name) {
            continue;
        }
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
        checked += 1;
    }
    assert!(checked >= kinds.len(), "{checked} of {kinds:?}");
}
