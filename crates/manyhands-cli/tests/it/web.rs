//! Work that comes as requests, or asks others.

use crate::program::{json_of, run, stdout_of, unwrapped};

/// How many requests were sent, accepted, refused, and late.
fn requests(printed: &str) -> [u64; 4] {
    let printed = unwrapped(printed);
    let (before, after) = printed.split_once(" accepted, ").expect(&printed);
    let (sent, accepted) = before.rsplit_once(" requests: ").unwrap();
    let sent = sent.rsplit(' ').next().unwrap();
    let refused = after.split(' ').next().unwrap();
    let late = after.split_once(" refused, ").map_or("0", |it| it.1);
    let late = late.split(' ').next().unwrap();
    [sent, accepted, refused, late].map(|it| it.parse().unwrap())
}

#[test]
fn what_every_variant_accepts_and_refuses_is_all_that_was_sent() {
    let list = json_of(&["list", "--format", "json"]);
    for variant in list["variants"].as_array().unwrap() {
        let name = variant["name"].as_str().unwrap();
        for work in ["server:300", "signup"] {
            let printed = stdout_of(&[
                "run",
                name,
                "--work",
                work,
                "--jobs",
                "30",
                "--workers",
                "2",
                "--queue",
                "2",
                "--quiet",
            ]);
            let [sent, accepted, refused, late] = requests(&printed);
            assert_eq!(accepted, 30, "{printed}");
            assert_eq!(sent, accepted + refused + late, "{printed}");
        }
    }
}

#[test]
fn a_full_queue_refuses_and_a_long_one_does_not() {
    let server =
        ["run", "dispatcher", "--work", "server:1000", "--jobs", "40"];
    let refused = |queue| {
        let more = ["--queue", queue, "--quiet"];
        requests(&stdout_of(&[&server[..], &more].concat()))[2]
    };
    assert!(refused("1") > 0);
    assert_eq!(refused("1000"), 0);
}

#[test]
fn more_at_once_than_a_server_takes_are_refused_and_that_is_said() {
    let look_up = ["run", "channel", "--work", "capped-db", "--quiet"];
    let kept = run(&[&look_up[..], &["--workers", "4"]].concat());
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let broken = run(&[&look_up[..], &["--workers", "16"]].concat());
    assert_eq!(broken.code, Some(1), "{broken:?}");
    let line = "the server refused: it gives 4 connections at once";
    assert!(broken.stderr.contains(line), "{broken:?}");
    assert_eq!(broken.stderr.lines().count(), 1, "{broken:?}");
}

#[test]
fn a_comparison_takes_the_workers_that_suit_the_work() {
    let compare = ["compare", "--rounds", "1", "--format", "json", "--work"];
    for (work, workers, queue) in
        [("capped-db", 4, 256), ("signup", 16, 256), ("block:1ms", 64, 256)]
    {
        let more = [work, "--jobs", "20", "--variants", "channel"];
        let found = json_of(&[&compare[..], &more].concat());
        assert_eq!(found["workers"], workers, "{work}");
        assert_eq!(found["queue"], queue, "{work}");
    }
    let more = ["server", "--jobs", "20", "--variants", "channel"];
    assert_eq!(json_of(&[&compare[..], &more].concat())["queue"], 16);
    let asked = [&compare[..], &more, &["--workers", "3"]].concat();
    assert_eq!(json_of(&asked)["workers"], 3);
}

#[test]
fn a_run_takes_the_queue_that_suits_the_work() {
    let server = ["run", "channel", "--work", "server:1000", "--quiet"];
    assert!(requests(&stdout_of(&server))[2] > 0);
    let printed = stdout_of(&["run", "channel", "--work", "signup"]);
    assert!(printed.contains(" on 16 workers"), "{printed}");
}

#[test]
fn what_a_comparison_shows_is_said_in_a_sentence() {
    let arguments = ["compare", "--rounds", "1", "--variants", "tokio-tasks"];
    let block = ["--work", "block:1ms", "--jobs", "20"];
    let printed = unwrapped(&stdout_of(&[&arguments[..], &block].concat()));
    assert!(printed.contains("shows A task must not block."), "{printed}");
}
