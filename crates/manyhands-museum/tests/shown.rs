//! Some bugs neither hang nor panic: what they show is the bug.

use std::io;

use manyhands_museum::{Act, bugs, play};

/// Of a bug: what is seen of the broken act and not of the mended one, and the
/// other way round. Events one after the other, `; ` between them.
const SHOWN: &[(&str, &str, &str)] = &[
    (
        "unbounded-queue",
        "tick 300: did 2, the last one 100 ticks old; 300 are left",
        "tick 300: did 2, the last one 3 ticks old; 6 are left, 1 refused",
    ),
    (
        "oversubscription",
        "; a job is done at tick 840, on average",
        "; a job is done at tick 450, on average",
    ),
    (
        "blocked-executor",
        "tick 40: a sign of life, due at 20",
        "tick 20: a sign of life, due at 20",
    ),
    ("rayon-under-lock", "B: waits for the lock", "the sum is 13"),
    ("lost-job", "[1] ran, [3] came back", "[1] ran, [2, 3] came back"),
    (
        "waitgroup-copied",
        "goes on: all have stopped; counts itself out",
        "has stopped: drops its handle; goes on: all have stopped",
    ),
    (
        "assumed-order",
        "3 squared is 100; 10 squared is 9",
        "3 squared is 9; 10 squared is 100",
    ),
    (
        "coordinated-omission",
        " 99 % of them: at most    1;",
        " 99 % of them: at most  910;",
    ),
];

fn told(act: &Act) -> String {
    let events = play(act, io::sink()).stage.events();
    let events: Vec<String> =
        events.into_iter().map(|event| event.what).collect();
    events.join("; ")
}

#[test]
fn the_broken_act_shows_the_fault_and_the_mended_one_does_not() {
    for (name, of_broken, of_fixed) in SHOWN {
        let bug = bugs().iter().find(|bug| bug.name == *name).unwrap();
        let (broken, fixed) = (told(&bug.broken), told(&bug.fixed));
        assert!(broken.contains(of_broken), "{name}: {broken}");
        assert!(fixed.contains(of_fixed), "{name}: {fixed}");
        assert!(!broken.contains(of_fixed), "{name}: {broken}");
        assert!(!fixed.contains(of_broken), "{name}: {fixed}");
    }
}
