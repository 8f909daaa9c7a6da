//! Every variant.

use std::sync::Arc;
use std::time::Duration;

use proptest::strategy::Strategy;

use crate::job::Step;
use crate::program::{self, Program};
use crate::search::{Play, Subject, search};
use crate::support::or_deep;
use crate::{alone, together};

/// Every variant, by name, as what is looked into.
pub(crate) fn subjects() -> Vec<(&'static str, Subject)> {
    /// Programs take milliseconds; the rest is for a machine under load.
    const PATIENCE: Duration = Duration::from_secs(10);
    let subject = |variant: manyhands::Variant<Step>| {
        let (name, stops_on_error) =
            (variant.name, variant.claims.stops_on_error);
        let make = Arc::new(move |config| variant.make(config).unwrap());
        (name, Subject { make, stops_on_error, patience: PATIENCE })
    };
    manyhands::variants::<Step, _, _>().into_iter().map(subject).collect()
}

#[test]
fn every_variant_keeps_to_any_program_of_one_thread() {
    every_variant(program::alone, alone::play, or_deep(150, 10_000));
}

#[test]
fn every_variant_keeps_to_any_program_of_several_threads() {
    every_variant(program::together, together::play, or_deep(100, 5_000));
}

fn every_variant<S: Strategy<Value: Program>>(
    programs: fn() -> S,
    play: Play<S::Value>,
    count: u32,
) {
    for (name, subject) in subjects() {
        if let Some(found) = search(&subject, programs(), play, count) {
            panic!("{name}: {}\nin {:#?}", found.fault, found.program);
        }
    }
}
