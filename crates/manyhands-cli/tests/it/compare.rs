use std::fs::File;
use std::io::Write;

use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::program::{Running, kill, until};
use crate::program::{
    failed, json_of, run, start, stdout_of, three_files, unwrapped,
};

#[test]
fn a_comparison_on_files_has_a_row_a_variant_in_every_format() {
    let files = three_files();
    let list = json_of(&["list", "--format", "json"]);
    let names = list["variants"].as_array().unwrap().iter();
    let names = names.map(|it| it["name"].as_str().unwrap());
    for format in ["table", "json", "csv", "md"] {
        let printed = stdout_of(&[
            "compare",
            "--rounds",
            "2",
            "--time",
            "1m",
            "--format",
            format,
            "--input",
            files.path().to_str().unwrap(),
        ]);
        for name in names.clone().chain(["inline (again)"]) {
            assert!(printed.contains(name), "{name} in {format}:\n{printed}");
        }
    }
}

#[test]
fn the_table_fits_80_columns_and_says_what_it_is() {
    let files = three_files();
    let input = files.path().to_str().unwrap();
    let printed = stdout_of(&["compare", "--rounds", "7", "--input", input]);
    let widest = printed.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{printed}");
    let words = unwrapped(&printed);
    for wanted in [
        "cores, on average: inline ",
        "work files: 3 files, ",
        "rounds 7 rounds in 5 processes in ",
        "rustc ",
        "(seed 1)",
        "answers were checked and are right",
    ] {
        assert!(words.contains(wanted), "{wanted} is not in\n{printed}");
    }
    if cfg!(target_os = "linux") {
        assert!(words.contains(" load "), "{printed}");
    }
    // On a machine that is not quiet nobody is ranked.
    let is_ranked = words.contains(" fastest ");
    let is_refused = words.contains(" refused nobody is ranked, for inline");
    assert!(is_ranked != is_refused, "{printed}");
}

#[test]
fn markdown_is_a_table_and_a_list() {
    let printed = compare("noop", &["--rounds", "1", "--format", "md"]);
    let mut lines = printed.lines();
    let bars = |line: &str| line.matches('|').count();
    let header = lines.next().unwrap();
    assert!(header.starts_with("| variant"), "{printed}");
    assert!(lines.next().unwrap().starts_with("|--"), "{printed}");
    let rows: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), 3, "{printed}");
    assert!(rows.iter().all(|row| bars(row) == bars(header)), "{printed}");
}

#[test]
fn csv_has_a_line_a_run() {
    let printed = compare("noop", &["--rounds", "2", "--format", "csv"]);
    let (header, rows) = printed.split_once('\n').unwrap();
    assert_eq!(
        header,
        "format,group,workload,jobs,workers,queue,baseline,seed,partial,os,\
         arch,cores,rustc,revision,round,process,place,variant,bends,ran,\
         stopped,wall_ns,cpu_ns,voluntary,involuntary,pressure_ns,load,\
         cache_line_ns,cache_line_after_ns"
    );
    assert_eq!(rows.lines().count(), 2 * 3, "{printed}");
    let column = |name| header.split(',').position(|it| it == name).unwrap();
    for (row, process) in rows.lines().zip([1, 1, 1, 2, 2, 2]) {
        let start = "manyhands-runs/1,,noop,50,2,8,inline,1,false,";
        assert!(row.starts_with(start), "{printed}");
        let field = |name| row.split(',').nth(column(name)).unwrap();
        assert_eq!(field("process"), process.to_string(), "{printed}");
        assert!(field("wall_ns").parse::<u64>().unwrap() > 0, "{printed}");
        assert!(field("rustc").starts_with("rustc "), "{printed}");
        if cfg!(target_os = "linux") {
            for counted in ["cpu_ns", "voluntary", "involuntary"] {
                assert!(field(counted).parse::<u64>().is_ok(), "{printed}");
            }
            assert!(field("load").parse::<f64>().is_ok(), "{printed}");
        }
    }
}

#[test]
fn json_has_a_version_intervals_and_the_raw_rounds() {
    let report = json("noop", &["--rounds", "7"]);
    assert_eq!(report["format"], "manyhands-compare/2");
    assert_eq!(report["partial"], false);
    assert_eq!(report["rounds"], 7);
    assert_eq!(report["workload"]["name"], "noop");
    // 7 timed rounds, and one for latencies in each of 5 processes, of 3
    // contenders and 50 jobs.
    assert_eq!(report["answers_checked"], (7 + 5) * 3 * 50);
    assert_eq!(report["budget"]["processes"], 5);

    let variants = report["variants"].as_array().unwrap();
    let names: Vec<_> = variants.iter().map(|it| &it["variant"]).collect();
    assert_eq!(names, ["inline", "channel", "inline (again)"]);
    for variant in variants {
        let interval = &variant["speed"]["interval"];
        let [low, high] = [&interval[0], &interval[1]];
        let estimate = &variant["speed"]["estimate"];
        let numbers = [low, estimate, high].map(|it| it.as_f64().unwrap());
        assert!(numbers.is_sorted(), "{variant}");
        let nanos = [&variant["p50_ns"], &variant["p99_ns"]];
        let nanos = nanos.map(|it| it.as_f64().unwrap());
        assert!(nanos.is_sorted(), "{variant}");
    }
    assert_eq!(variants[0]["speed"]["estimate"], 1.0);
    assert_eq!(variants[0]["verdict"], "baseline");
    let is_ranked = report["best"]["variant"].is_string();
    assert_eq!(report["refused"], !is_ranked, "{report}");

    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 7 * 3);
    for round in runs.chunks(3) {
        for same in ["round", "process", "load", "cache_line_ns"] {
            assert_eq!(round[0][same], round[2][same]);
        }
        let places = round.iter().map(|it| it["place"].as_u64().unwrap());
        assert_eq!(places.sum::<u64>(), 1 + 2 + 3);
    }
}

#[test]
fn rounds_and_time_are_those_of_all_processes() {
    for (processes, of_each) in [("1", [7, 0, 0]), ("3", [3, 2, 2])] {
        let arguments = ["--rounds", "7", "--processes", processes];
        let report = json("noop", &arguments);
        assert_eq!(report["rounds"], 7);
        let runs = report["runs"].as_array().unwrap().iter();
        let process = |run: &Value| run["process"].as_u64().unwrap();
        let runs: Vec<u64> = runs.map(process).collect();
        for (number, rounds) in (1..).zip(of_each) {
            let runs = runs.iter().filter(|it| **it == number).count();
            assert_eq!(runs, rounds * 3, "{processes}");
        }
        // Of one process too there are intervals.
        assert!(report["variants"][1]["speed"]["interval"].is_array());
    }
    let few = json("noop", &["--rounds", "2", "--processes", "9"]);
    assert_eq!(few["runs"][5]["process"], 2);
    assert_eq!(few["rounds"], 2);
}

/// A comparison that is at its first run, which takes a minute, and the
/// number of the process that runs it.
#[cfg(target_os = "linux")]
fn at_its_first_run() -> (Running, String) {
    let arguments =
        ["compare", "--work", "sleep:60s", "--variants", "channel"];
    let running = start(&arguments);
    let children = || children(running.id());
    // It has said what it has to offer, and is asked for a run at once.
    until(|| {
        let io = format!("/proc/{}/io", children().trim());
        let io = std::fs::read_to_string(io).unwrap_or_default();
        let mut lines = io.lines();
        let written = lines.find_map(|line| line.strip_prefix("wchar: "));
        written.is_some_and(|bytes| bytes.parse::<u64>().unwrap() > 100)
    });
    let child = children().trim().to_owned();
    (running, child)
}

/// The processes that a program has started, by their numbers.
#[cfg(target_os = "linux")]
fn children(of: u32) -> String {
    let path = format!("/proc/{of}/task/{of}/children");
    std::fs::read_to_string(path).unwrap_or_default()
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_dies_is_one_line_and_exit_code_1() {
    let (running, child) = at_its_first_run();
    kill("KILL", &child);
    let ended = running.end();
    let line = failed(&ended, 1);
    let expected =
        "error: process 1 of the measurement ended (signal: 9 (SIGKILL)) ";
    assert!(line.starts_with(expected), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_and_a_kill_leave_no_process_behind() {
    for (signal, code) in [("INT", Some(130)), ("KILL", None)] {
        let (running, child) = at_its_first_run();
        running.signal(signal);
        assert_eq!(running.end().code, code);
        // Whoever adopts it may take a moment to take note of its end.
        until(|| {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        });
    }
}

#[test]
fn few_rounds_have_no_interval_and_no_verdict() {
    let report = json("noop", &["--rounds", "2"]);
    let channel = &report["variants"][1];
    assert!(channel["speed"]["estimate"].is_number());
    assert!(channel["speed"]["interval"].is_null());
    assert_eq!(channel["verdict"], "cannot tell");
    assert!(report["best"].is_null());
    let table = unwrapped(&compare("noop", &["--rounds", "2"]));
    assert!(table.contains("no verdicts below 6 rounds"), "{table}");
}

/// Sixteen times as fast, which hardly any hiccup of the machine hides; where
/// it is busy with something else one may, or there may be too many to rank
/// anybody. What gives a verdict is tested without a clock, in the crate that
/// gives it.
#[test]
fn sleeping_jobs_are_faster_on_more_workers() {
    let is_seen = || {
        let report = json_of(&[
            "compare",
            "--work",
            "sleep:1ms",
            "--jobs",
            "64",
            "--workers",
            "16",
            "--variants",
            "channel",
            "--rounds",
            "9",
            "--format",
            "json",
        ]);
        let channel = &report["variants"][1];
        let verdict = channel["verdict"].as_str().unwrap();
        let is_refused = report["refused"] == true;
        assert_eq!(verdict == "not ranked", is_refused, "{report}");
        assert_ne!(verdict, "slower", "{report}");
        assert_ne!(verdict, "baseline", "{report}");
        if verdict == "faster" {
            assert_eq!(report["best"]["variant"], "channel");
        }
        channel["speed"]["estimate"].as_f64().unwrap() > 4.0
    };
    assert!((0..10).any(|_| is_seen()));
}

#[test]
fn the_seed_sets_the_order_within_rounds() {
    let order = |seed: &str| -> Vec<Value> {
        let report = json("noop", &["--rounds", "9", "--seed", seed]);
        let runs = report["runs"].as_array().unwrap();
        runs.iter().map(|run| run["variant"].clone()).collect()
    };
    assert_eq!(order("7"), order("7"));
    assert_ne!(order("7"), order("8"));
}

#[test]
fn a_variant_that_stops_at_an_error_is_marked_and_not_ranked() {
    let arguments = [
        "compare",
        "--work",
        "fail:5",
        "--jobs",
        "500",
        "--variants",
        "errgroup,channel",
        "--rounds",
        "6",
    ];
    let json_format = ["--format", "json"];
    let report = json_of(&[&arguments[..], &json_format].concat());
    let variants = report["variants"].as_array().unwrap();
    let find = |name| variants.iter().find(|it| it["variant"] == name);
    let group = find("errgroup").unwrap();
    assert_eq!(group["verdict"], "stopped at first error");
    assert!(group["speed"].is_null() && group["jobs_per_second"].is_null());
    assert_ne!(find("channel").unwrap()["verdict"], group["verdict"]);
    assert_ne!(report["best"]["variant"], "errgroup");

    let table = stdout_of(&arguments);
    let words = unwrapped(&table);
    assert!(
        words.contains("stopped errgroup, as the pattern does"),
        "{table}"
    );
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{table}");
}

#[test]
fn panics_are_right_answers_where_they_are_asked_for() {
    let arguments = [
        "compare",
        "--work",
        "panic:5",
        "--jobs",
        "50",
        "--rounds",
        "1",
        "--variants",
        "channel",
    ];
    let ended = run(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
}

/// A file that grows between the rounds has another answer than before.
#[test]
fn a_wrong_answer_is_one_line_and_exit_code_1() {
    let files = three_files();
    let path = files.path().join("a");
    let mut running = start(&[
        "compare",
        "--processes",
        "1",
        "--rounds",
        "1000",
        "--time",
        "10m",
        "--variants",
        "channel",
        "--input",
        files.path().to_str().unwrap(),
    ]);
    let mut growing = File::options().append(true).open(&path).unwrap();
    running.until_ended(|| growing.write_all(b"more\n").unwrap());
    let ended = running.end();
    let line = failed(&ended, 1);
    assert!(line.contains(path.to_str().unwrap()), "{line}");
}

/// And so has one that is gone. It goes while it is read.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_vanishes_is_one_line_and_exit_code_1() {
    let files = three_files();
    let path = files.path().join("b");
    // It takes a while to read.
    File::create(&path).unwrap().set_len(2 << 20).unwrap();
    let mut running = start(&[
        "compare",
        "--processes",
        "1",
        "--rounds",
        "1000",
        "--time",
        "10m",
        "--variants",
        "channel",
        "--input",
        files.path().to_str().unwrap(),
    ]);
    let id = running.id();
    let is_read = || {
        // Gone is the process that measures, or a handle since it was listed.
        let handles = format!("/proc/{}/fd", children(id).trim());
        let Ok(handles) = std::fs::read_dir(&handles) else { return false };
        let handles =
            handles.filter_map(|it| it.ok()?.path().read_link().ok());
        handles.into_iter().any(|it| it == path)
    };
    running.until_ended(|| {
        if path.exists() && is_read() {
            std::fs::remove_file(&path).unwrap();
        }
    });
    assert!(!path.exists());
    let ended = running.end();
    let line = failed(&ended, 1);
    assert!(line.contains(path.to_str().unwrap()), "{line}");
    assert!(line.contains("differs from the first read"), "{line}");
}

#[test]
fn a_time_that_is_too_short_still_gives_a_round() {
    let report = json("sleep:1ms", &["--time", "1ms"]);
    assert_eq!(report["rounds"], 1);
}

/// Compares `channel` with the baseline on a few jobs.
fn compare(work: &str, more: &[&str]) -> String {
    stdout_of(&[&arguments(work)[..], more].concat())
}

fn json(work: &str, more: &[&str]) -> Value {
    json_of(&[&arguments(work)[..], more, &["--format", "json"]].concat())
}

fn arguments(work: &str) -> [&str; 11] {
    [
        "compare",
        "--variants",
        "channel",
        "--work",
        work,
        "--jobs",
        "50",
        "--workers",
        "2",
        "--queue",
        "8",
    ]
}
