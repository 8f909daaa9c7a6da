use std::collections::{BTreeMap, BTreeSet};

use crate::program::{json_of, run, stdout_of, unwrapped};

#[test]
fn every_variant_tells_each_start_and_end_once() {
    let list = json_of(&["list", "--format", "json"]);
    for variant in list["variants"].as_array().unwrap() {
        let name = variant["name"].as_str().unwrap();
        let workers = if name == "inline" { 1 } else { 3 };
        let printed = stdout_of(&[
            "run",
            name,
            "--workers",
            "3",
            "--jobs",
            "5",
            "--work",
            "sleep:10ms",
        ]);
        check_lines(&printed, workers, 5);
        assert!(printed.contains(&format!("{name}: 5 jobs in ")), "{printed}");
    }
}

/// Each job starts once and then finishes once, on the same worker, and a
/// worker has one job at a time.
fn check_lines(printed: &str, workers: usize, jobs: usize) {
    let mut running = BTreeMap::new();
    let mut started = BTreeSet::new();
    let mut finished = 0;
    for line in printed.lines().take_while(|line| !line.is_empty()) {
        // As in Go by Example, with two spaces after "started".
        let rest = line.strip_prefix("worker ").unwrap();
        let (worker, rest) = rest.split_once(' ').unwrap();
        let worker: usize = worker.parse().unwrap();
        assert!((1..=workers).contains(&worker), "{printed}");
        if let Some(job) = rest.strip_prefix("started  job ") {
            let job: usize = job.parse().unwrap();
            assert!((1..=jobs).contains(&job), "{printed}");
            assert!(started.insert(job), "{printed}");
            assert_eq!(running.insert(worker, job), None, "{printed}");
        } else {
            let job = rest.strip_prefix("finished job ").unwrap();
            let job: usize = job.parse().unwrap();
            assert_eq!(running.remove(&worker), Some(job), "{printed}");
            finished += 1;
        }
    }
    assert_eq!((started.len(), finished), (jobs, jobs), "{printed}");
}

#[test]
fn many_jobs_are_told_in_totals_unless_lines_are_asked_for() {
    let many = ["run", "channel", "--work", "noop", "--jobs", "500"];
    let ended = run(&many);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("started"), "{ended:?}");
    assert!(ended.stderr.contains("--lines"), "{ended:?}");

    let quiet = run(&[&many[..], &["--quiet"]].concat());
    assert_eq!(quiet.stderr, "");

    let lines = run(&[&many[..], &["--lines"]].concat());
    assert_eq!(lines.stderr, "");
    assert_eq!(lines.stdout.matches("started  job").count(), 500);
}

#[test]
fn errors_and_panics_are_counted_and_do_not_end_the_run() {
    let arguments = ["run", "channel", "--jobs", "10", "--work"];
    let errors = stdout_of(&[&arguments[..], &["fail:5"]].concat());
    let errors = unwrapped(&errors);
    assert!(errors.contains("2 answered with an error."), "{errors}");

    let panics = run(&[&arguments[..], &["panic:5"]].concat());
    assert_eq!(panics.code, Some(0), "{panics:?}");
    assert_eq!(panics.stderr, "");
    assert!(panics.stdout.contains(" 2 panicked"), "{panics:?}");
    assert_eq!(panics.stdout.matches("panicked in job").count(), 2);
}

#[test]
fn the_error_group_leaves_what_comes_after_an_error() {
    let printed = stdout_of(&[
        "run",
        "errgroup",
        "--workers",
        "1",
        "--jobs",
        "50",
        "--work",
        "fail:3",
    ]);
    let printed = unwrapped(&printed);
    let totals = "3 jobs in ";
    assert!(printed.contains(totals), "{printed}");
    let rest = "1 answered with an error, 47 not run.";
    assert!(printed.contains(rest), "{printed}");
}

/// Runs 5 jobs of 10 ms on 3 workers, and returns what is in the file.
fn timeline(name: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let words = ["run", "channel", "--work", "sleep:10ms", "--jobs", "5"];
    let more = ["--workers", "3", "--timeline", path.to_str().unwrap()];
    stdout_of(&[&words[..], &more].concat());
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_timeline_has_a_bar_a_job_and_a_lane_a_worker() {
    let svg = timeline("t.svg");
    let document = roxmltree::Document::parse(&svg).unwrap();
    let root = document.root_element();
    let label = root.attribute("aria-label").unwrap();
    assert!(label.contains("channel: 5 jobs in "), "{label}");
    assert!(label.contains(". 5 jobs on 3 workers in "), "{label}");
    let bars = document
        .descendants()
        .filter(|node| node.has_tag_name("rect"))
        .filter(|node| node.attribute("class") == Some("done"));
    assert_eq!(bars.count(), 5);
    let page = timeline("t.HTML");
    assert!(page.contains("By Little’s law"), "{page}");
    assert_eq!(page.matches("<svg").count(), 1);
    assert!(!page.contains("<script"));
}

#[test]
fn a_trace_has_a_slice_a_job_on_the_row_of_its_worker() {
    let trace: serde_json::Value =
        serde_json::from_str(&timeline("t.json")).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let slices = events.iter().filter(|event| event["ph"] == "X");
    let ids: BTreeSet<_> =
        slices.clone().map(|it| it["id"].to_string()).collect();
    assert_eq!(ids.len(), 5);
    let rows: BTreeSet<_> = slices.map(|it| it["tid"].to_string()).collect();
    assert_eq!(rows.len(), 3);
    assert!(events.iter().any(|event| event["ph"] == "C"));
}

#[test]
fn a_timeline_of_another_kind_is_refused_before_anything_runs() {
    for (name, why) in [
        ("t.png", "allowed is a file whose name ends in .html, .svg or .json"),
        ("none/t.svg", "--timeline is none/t.svg, which cannot be written"),
    ] {
        let ended = run(&["run", "channel", "--timeline", name]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn lanes_are_drawn_as_text_when_it_is_over() {
    let words = ["run", "waitgroup", "--work", "sleep:120ms", "--jobs", "5"];
    let ended = run(&[&words[..], &["--workers", "3", "--live"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Nobody watches: what moves is for terminals.
    assert_eq!(ended.stderr, "");
    let lanes: Vec<&str> =
        ended.stdout.lines().filter(|it| it.starts_with("worker ")).collect();
    assert!(lanes.len() >= 3, "{ended:?}");
    for lane in &lanes[..3] {
        assert!(lane.contains(|c: char| c.is_ascii_digit()), "{lane}");
    }
    let waiting = ended.stdout.lines().find(|it| it.starts_with("waiting"));
    assert!(waiting.unwrap().contains('2'), "{ended:?}");
}
