//! Bad input gets exactly one line, which names the thing, its value and what
//! is allowed, and exit code 2.

use std::ffi::OsStr;

use crate::program::run;

/// Arguments, and what the line must have in it.
const CASES: &[(&[&str], &[&str])] = &[
    (&[], &["no command", "list, run, verify, compare, record, report"]),
    (&["comprae"], &["comprae", "did you mean compare?", "list, run"]),
    (&["--frob"], &["--frob"]),
    (&["compare", "--worker", "3"], &["--worker;", "mean --workers?"]),
    (&["compare", "stray"], &["stray"]),
    (&["compare", "--workers"], &["--workers needs a value"]),
    (&["compare", "--workers", "0"], &["--workers is 0, ", "1 to 1024"]),
    (&["compare", "--workers", "-1"], &["--workers is -1, ", "1 to 1024"]),
    (&["compare", "--workers=-1"], &["--workers is -1, ", "1 to 1024"]),
    (&["compare", "--workers", "1025"], &["is 1025, ", "1 to 1024"]),
    (
        &["compare", "--workers", "99999999999999999999999"],
        &["is 99999999999999999999999, ", "1 to 1024"],
    ),
    (&["compare", "--workers", "many"], &["is many, ", "1 to 1024"]),
    (&["compare", "--workers", ""], &["--workers is '', ", "1 to 1024"]),
    (&["compare", "--workers", "2.5"], &["is 2.5, ", "1 to 1024"]),
    (
        &["compare", "--workers", "1", "--workers", "2"],
        &["--workers is there twice"],
    ),
    (&["compare", "--queue", "-1"], &["--queue is -1, ", "0 to 1048576"]),
    (&["compare", "--queue", "1048577"], &["is 1048577, ", "0 to 1048576"]),
    (&["compare", "--jobs", "0"], &["--jobs is 0, ", "1 to 10000000"]),
    (&["compare", "--rounds", "0"], &["--rounds is 0, ", "1 to 1000"]),
    (&["compare", "--rounds", "-3"], &["--rounds is -3, ", "1 to 1000"]),
    (&["compare", "--processes", "0"], &["--processes is 0, ", "1 to 64"]),
    (&["compare", "--processes", "65"], &["--processes is 65, ", "to 64"]),
    (&["compare", "--time", "20"], &["--time is 20, ", "1ms to 24h"]),
    (&["compare", "--time", "0s"], &["--time is 0s, ", "1ms to 24h"]),
    (&["compare", "--time", "-5s"], &["--time is -5s, ", "1ms to 24h"]),
    (&["compare", "--time", "25h"], &["--time is 25h, ", "1ms to 24h"]),
    (&["compare", "--seed", "-1"], &["--seed is -1, ", "0 to 1844674407"]),
    (
        &["compare", "--format", "jsno"],
        &["--format is jsno", "mean json?", "table, json, csv, md"],
    ),
    (
        &["compare", "--variants", "chanel"],
        &["--variants is chanel", "mean channel?", "inline, channel"],
    ),
    (
        &["compare", "--variants", "channel,chanel"],
        &["channel,chanel", "chanel is unknown", "mean channel?"],
    ),
    (
        &["compare", "--variants", "channel,channel"],
        &["channel,channel", "channel twice"],
    ),
    (&["compare", "--variants", ""], &["--variants is ''", "allowed are"]),
    (&["compare", "--variants", "channel,"], &["'' is unknown"]),
    (
        &["compare", "--work", "noop", "--input", "."],
        &["--input is ., ", "work files or thumbs and not with noop"],
    ),
    (&["compare", "--work", "slep:1ms"], &["slep", "sleep"]),
    (&["compare", "--work", "sleep:soon"], &["sleep", "soon", "1ns to 60s"]),
    (&["compare", "--work", "a\nb"], &["a\\nb"]),
    (&["compare", "--work", ""], &["files", "noop"]),
    (&["compare", "--input", "/no/such"], &["/no/such"]),
    (&["compare", "--input", "/no\nsuch"], &["/no\\nsuch"]),
    (&["compare", "--input", ""], &["--input is ''"]),
    (&["compare", "--durable", "maybe"], &["--durable is maybe", "yes, no"]),
    (&["queue"], &["no command; allowed are status, list, show, retry"]),
    (&["queue", "statsu"], &["statsu; did you mean status?", "purge, pause"]),
    (&["queue", "show"], &["ID is missing, allowed is a job's"]),
    (&["queue", "show", "x"], &["ID is x, allowed is 1 to 9223372036854"]),
    (&["queue", "show", "-1"], &["ID is -1, allowed is 1 to"]),
    (&["queue", "list", "--state", "ded"], &["--state is ded, ", "dead?"]),
    (&["queue", "list", "--limit", "0"], &["--limit is 0, ", "1 to 100000"]),
    (&["queue", "list", "--after", "x"], &["--after is x, ", "1 to 9223"]),
    (&["queue", "list", "--format", "md"], &["is md, ", "table, json"]),
    (&["queue", "list", "--db", "a", "--db", "b"], &["--db is there twice"]),
    (&["queue", "retry", "x"], &["ID is x, allowed is 1 to"]),
    (&["queue", "retry"], &["no dead letter is named, allowed are IDs, or"]),
    (&["queue", "retry", "1", "--all"], &["--all is there with an ID"]),
    (&["queue", "retry", "--kind", "k"], &["--kind is there without --all"]),
    (&["queue", "purge"], &["--state is missing, allowed are done, dead"]),
    (&["queue", "purge", "--state", "ready"], &["is ready", "done, dead"]),
    (&["queue", "purge", "--state", "dead"], &["dead", "it with --yes"]),
    (
        &["queue", "purge", "--state", "done", "--older-than", "7w"],
        &["--older-than is 7w, ", "0s to 3650d, such as 24h or 7d"],
    ),
    (&["queue", "pause"], &["KIND is missing, allowed is a kind"]),
    (&["queue", "work"], &["--demo is missing, allowed is it alone"]),
    (&["queue", "work", "--demo", "--jobs", "0"], &["--jobs is 0, ", "1 to"]),
    (&["compare", "--jobs", "10000001"], &["is 10000001, ", "10000000"]),
    (&["compare", "--jobs", "1e3"], &["--jobs is 1e3, ", "1 to 10000000"]),
    (&["compare", "--rounds", "1001"], &["--rounds is 1001, ", "1 to 1000"]),
    (&["compare", "--seed", "18446744073709551616"], &["--seed is 1844"]),
    (&["compare", "--time", "99999999999999999999h"], &["1ms to 24h"]),
    (&["compare", "--time", "1s", "--time", "2s"], &["--time is there twi"]),
    (&["compare", "--seed", "1", "--seed", "1"], &["--seed is there twice"]),
    (&["compare", "--work", "noop", "--work", "noop"], &["--work is there"]),
    (&["compare", "--input", ".", "--input", "."], &["--input is there tw"]),
    (&["list", "--format", "md", "--format", "md"], &["--format is there"]),
    (&["list", "-q", "-q"], &["--quiet is there twice"]),
    (&["list", "--quiet=yes"], &["--quiet is yes, allowed is no value"]),
    (&["run", "channel", "--lines="], &["--lines is '', allowed is no val"]),
    (&["list", "-o", "a", "--output", "b"], &["--output is there twice"]),
    (&["list", "--output", ""], &["--output is '', allowed is a file"]),
    (&["list", "--output"], &["--output needs a value"]),
    (&["compare", "--work", "fail:0"], &["fail", "`0`", "1 to 10000000"]),
    (&["compare", "--work", "panic:-1"], &["panic", "`-1`", "from 1 to"]),
    (&["compare", "--work", "sleep:61s"], &["sleep", "`61s`", "1ns to 60s"]),
    (&["compare", "--work", "a\u{202e}b"], &["`a\\u{202e}b`"]),
    (&["run", "channel", "--lines", "--lines"], &["--lines is there twice"]),
    (&["report"], &["RECORD is missing"]),
    (&["report", ""], &["RECORD is '', allowed is a file"]),
    (&["report", "/no/such\u{1b}"], &["/no/such\\u{1b}: it cannot be read"]),
    (&["report", "a", "--format", "xml"], &["xml", "table, json, csv, md"]),
    (&["run"], &["VARIANT is missing"]),
    (&["run", "chanel"], &["VARIANT is chanel", "mean channel?"]),
    (&["run", "channel", "--workers", "0"], &["--workers is 0, "]),
    (&["run", "channel", "inline"], &["inline"]),
    (&["verify", "chanel"], &["VARIANT is chanel", "mean channel?"]),
    (&["verify", "inline"], &["VARIANT is inline", "allowed are channel"]),
    (&["verify", "channel", "channel"], &["channel twice"]),
    (&["verify", "--format", "csv"], &["csv", "table, json"]),
    (&["verify", "--depth", "dep"], &["--depth is dep", "mean deep?"]),
    (&["verify", "--depth", "9"], &["--depth is 9, ", "default, deep"]),
    (&["bug"], &["BUG is missing; `manyhands bug list` names them"]),
    (&["bug", "lost-wakup"], &["BUG is lost-wakup", "mean lost-wakeup?"]),
    (&["bug", "list", "--fixed"], &["--fixed is there", "with a bug"]),
    (&["bug", "list", "--play"], &["--play is", "with a bug"]),
    (
        &["bug", "lost-wakeup", "--play", "--predict", "b"],
        &["--predict is there", "without --play"],
    ),
    (&["bug", "list", "--predict", "b"], &["--predict is", "with a bug"]),
    (
        &["bug", "lost-wakeup", "--predict", "z"],
        &["--predict is z, allowed are a, b, c"],
    ),
    (
        &["bug", "lost-wakeup", "--predict", "\n"],
        &["\\n', allowed are a, b, c"],
    ),
    (
        &["bug", "lost-wakeup", "--fixed", "--predict", "b"],
        &["--predict is there", "without --fixed"],
    ),
    (&["bug", "lost-wakeup", "--format", "md"], &["--format", "with list"]),
    (&["bug", "list", "--format", "html"], &["html", "table, json, csv, md"]),
    (&["list", "--format", "yaml"], &["yaml", "table, json, csv, md"]),
];

#[test]
fn bad_input_gets_one_line_and_exit_code_2() {
    for (arguments, wanted) in CASES {
        let line = refused(arguments);
        for words in *wanted {
            assert!(line.contains(words), "{words:?} is not in: {line}");
        }
    }
}

#[test]
fn an_input_without_a_file_is_bad_input() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    assert!(refused(&["compare", "--input", path]).contains(path));

    let file = empty.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let path = file.to_str().unwrap();
    assert!(refused(&["compare", "--input", path]).contains(path));
}

#[cfg(unix)]
#[test]
fn arguments_that_are_not_utf_8_are_bad_input_like_any_other() {
    use std::os::unix::ffi::OsStrExt;

    let odd = OsStr::from_bytes(b"odd\xff");
    let options = [
        "--workers",
        "--queue",
        "--jobs",
        "--rounds",
        "--time",
        "--seed",
        "--format",
        "--variants",
        "--work",
        "--input",
    ];
    for option in options {
        let line = refused(&["compare".as_ref(), option.as_ref(), odd]);
        assert!(line.contains("odd"), "{line}");
    }
    for command in ["run", "verify", "list", "compare", "report"] {
        refused(&[command.as_ref(), odd]);
    }
    refused(&[odd]);
    refused(&["compare".as_ref(), OsStr::from_bytes(b"--\xff")]);
}

#[test]
fn a_long_value_is_cut() {
    let long = "x".repeat(100_000);
    for arguments in [
        &["compare", "--workers", &long][..],
        &["compare", "--variants", &long],
        &["compare", "--work", &long],
        &["compare", "--format", &long],
        &["list", &format!("--quiet={long}")],
        &["list", &format!("--{long}")],
        &[&long],
    ] {
        let line = refused(arguments);
        assert!(line.chars().count() < 300, "{line}");
    }
}

/// Runs the program, and returns the line with which it refused.
fn refused<S: AsRef<OsStr> + std::fmt::Debug>(arguments: &[S]) -> String {
    let ended = run(arguments);
    assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
    assert_eq!(ended.stdout, "", "{arguments:?}");
    let line = ended.stderr.strip_suffix('\n').unwrap();
    assert!(line.starts_with("error: "), "{arguments:?}: {line}");
    assert!(!line.contains(char::is_control), "{arguments:?}: {line}");
    line.to_owned()
}
