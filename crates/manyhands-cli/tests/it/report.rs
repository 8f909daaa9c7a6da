use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{
    command, failed, json_of, run, stdout_of, three_files, unwrapped, wait,
};

/// A record that `compare` has just written, and where it is.
fn recorded(format: &str, more: &[&str]) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("record");
    let path = path.to_str().unwrap().to_owned();
    let arguments = [
        "compare",
        "--rounds",
        "7",
        "--variants",
        "channel,errgroup",
        "--format",
        format,
        "-o",
        &path,
    ];
    assert_eq!(stdout_of(&[&arguments[..], more].concat()), "");
    (dir, path)
}

const FAILING: &[&str] = &["--work", "fail:10", "--jobs", "100"];

#[test]
fn a_record_in_json_comes_back_to_the_last_digit() {
    let files = three_files();
    let input = files.path().to_str().unwrap();
    for more in
        [FAILING, &["--input", input], &["--input", input, "--time", "1m"]]
    {
        let (_dir, path) = recorded("json", more);
        let text = fs::read_to_string(&path).unwrap();
        let again = stdout_of(&["report", &path, "--format", "json"]);
        assert_eq!(again, text);
        // And in every other format it has what was measured.
        for format in ["table", "csv", "md"] {
            let shown = stdout_of(&["report", &path, "--format", format]);
            for name in ["inline", "channel", "errgroup", "inline (again)"] {
                assert!(shown.contains(name), "{format}: {shown}");
            }
        }
    }
}

#[test]
fn a_record_in_csv_comes_back_and_holds_the_runs() {
    let (dir, path) = recorded("csv", FAILING);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(stdout_of(&["report", &path, "--format", "csv"]), text);
    // Through JSON and back.
    let json = dir.path().join("json");
    let json = json.to_str().unwrap();
    stdout_of(&["report", &path, "--format", "json", "-o", json]);
    assert_eq!(stdout_of(&["report", json, "--format", "csv"]), text);
    let report: Value = json_of(&["report", json, "--format", "json"]);
    assert_eq!(report["budget"], Value::Null);
    assert!(report["machine"]["cores"].is_u64());
    assert_eq!(report["rounds"], 7);
    let table = unwrapped(&stdout_of(&["report", &path]));
    assert!(table.contains("errgroup, as the pattern does"), "{table}");
    assert!(!table.contains("answers were checked"), "{table}");
}

#[test]
fn json_to_csv_keeps_all_that_csv_holds() {
    let (dir, path) = recorded("json", FAILING);
    let csv = dir.path().join("csv");
    let csv = csv.to_str().unwrap();
    stdout_of(&["report", &path, "--format", "csv", "-o", csv]);
    let was = json_of(&["report", &path, "--format", "json"]);
    let is = json_of(&["report", csv, "--format", "json"]);
    for field in [
        "partial", "workers", "queue", "seed", "rounds", "machine", "state",
        "noise", "refused", "best", "runs",
    ] {
        assert_eq!(was[field], is[field], "{field}");
    }
    for field in ["name", "jobs"] {
        assert_eq!(was["workload"][field], is["workload"][field], "{field}");
    }
    let variants = |it: &Value| it["variants"].as_array().unwrap().clone();
    for (was, is) in variants(&was).iter().zip(variants(&is)) {
        for field in
            ["variant", "wall_ns", "cpu_ns", "cores_got", "speed", "verdict"]
        {
            assert_eq!(was[field], is[field], "{field}");
        }
    }
}

#[test]
fn a_record_is_read_from_stdin_whatever_that_is() {
    let (_dir, path) = recorded("json", FAILING);
    let text = fs::read_to_string(&path).unwrap();
    let mut child =
        command(&["report", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let shown = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    assert!(wait(&mut child).success());
    assert_eq!(shown, stdout_of(&["report", &path]));
}

#[test]
fn a_record_can_take_the_place_of_itself() {
    let (_dir, path) = recorded("json", FAILING);
    let csv = stdout_of(&["report", &path, "--format", "csv"]);
    stdout_of(&["report", &path, "--format", "csv", "-o", &path]);
    assert_eq!(fs::read_to_string(&path).unwrap(), csv);
}

/// The line with which such a record is refused, after its name.
fn refused(content: impl AsRef<[u8]>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("record\n");
    fs::write(&path, content).unwrap();
    let ended = run(&["report", path.to_str().unwrap()]);
    let line = failed(&ended, 2);
    assert!(line.chars().count() < 600, "{line}");
    let name = format!("error: {}/record\\n: ", dir.path().display());
    line.strip_prefix(&name).unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn what_is_no_record_is_refused_in_a_line() {
    let other = r#"{"format": "manyhands-verify/1"}"#;
    let deep = format!(r#"{{"format": {}"#, "[".repeat(1_000_000));
    let deep_inside = format!(
        r#"{{"format": "manyhands-compare/2", "x": {}"#,
        "[".repeat(1_000_000)
    );
    for (content, why) in [
        ("", "it begins with '', allowed is JSON or CSV that compare wrote"),
        ("hello\nworld", "it begins with hello, allowed is"),
        ("\x1b[2J\u{202e}", r"it begins with '\u{1b}[2J\u{202e}', allowed"),
        ("{", "EOF while parsing an object at line 1"),
        ("{}", "missing field `format`"),
        (
            other,
            "format is manyhands-verify/1, allowed is manyhands-compare/2",
        ),
        (r#"{"format": 1}"#, "format: invalid type: integer `1`, allowed is"),
        (&deep, "format: "),
        (&deep_inside, " at line 1 column "),
        (
            "format\n",
            "line 1: its columns are format, allowed is format,group,workload,",
        ),
    ] {
        let line = refused(content);
        assert!(line.contains(why), "{why}: {line}");
    }
    assert!(refused(b"{\xff").contains("byte 1 is not UTF-8"));
    let latin = refused(b"format\xe9");
    assert!(latin.contains("byte 6 is not UTF-8"), "{latin}");
}

#[test]
fn what_is_no_file_is_refused_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let ended = run(&["report", folder]);
    let line = failed(&ended, 2);
    assert!(line.contains("it has no runs.csv"), "{line}");
    // A gigabyte, of which no disk is used.
    let path = dir.path().join("huge");
    fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    let mut endless = vec![path.to_str().unwrap()];
    if cfg!(target_os = "linux") {
        endless.push("/dev/zero");
    }
    for path in endless {
        let ended = run(&["report", path]);
        let line = failed(&ended, 2);
        let expected =
            format!("error: {path}: it is too long, allowed is up to 64 MiB");
        assert_eq!(line, expected);
    }
}

/// What is wrong with a record in which one field is other than it was.
#[test]
fn a_wrong_field_of_json_is_named_with_what_is_allowed() {
    let (_dir, path) = recorded("json", FAILING);
    let right = json_of(&["report", &path, "--format", "json"]);
    for (field, value, why) in [
        ("/workers", json!(0), "workers is 0, allowed is 1 to 1024"),
        (
            "/workers",
            json!(-1),
            "workers: invalid value: integer `-1`, allowed",
        ),
        ("/workers", json!(1e300), "workers: invalid type: floating point"),
        (
            "/workers",
            json!("\x1b"),
            r#"workers: invalid type: string "\u{1b}""#,
        ),
        ("/queue", json!(1 << 30), "queue is 1073741824, allowed is 0 to"),
        (
            "/seed",
            json!(null),
            "seed: invalid type: null, allowed is 0 and up",
        ),
        (
            "/partial",
            json!(1),
            "partial: invalid type: integer `1`, allowed is",
        ),
        ("/workload/jobs", json!(0), "workload.jobs is 0, allowed is 1 to"),
        ("/workload/name", json!(""), "the length of workload.name is 0, "),
        (
            "/workload/unread_inputs",
            json!(3),
            "the length of workload.unread is",
        ),
        (
            "/budget",
            json!(null),
            "budget, elapsed_ns, answers_checked are null",
        ),
        ("/machine", json!(null), "machine: invalid type: null, allowed is"),
        ("/machine/cores", json!(0), "machine: cores is 0, allowed is 1 to"),
        ("/machine/rustc", json!(""), "machine: the length of rustc is 0, "),
        (
            "/budget/processes",
            json!(65),
            "budget.processes is 65, allowed is 1 to 64",
        ),
        (
            "/budget/rounds",
            json!(0),
            "budget.rounds is 0, allowed is 1 to 1000",
        ),
        (
            "/rounds",
            json!(8),
            "rounds is 8, allowed is 7, which the runs show",
        ),
        ("/runs", json!([]), "it has no run, allowed is one or more"),
        (
            "/runs/0/round",
            json!(2),
            "runs[0]: round is 2 and place is 1, allowed",
        ),
        (
            "/runs/1/place",
            json!(1),
            "runs[1]: round is 1 and place is 1, allowed",
        ),
        (
            "/runs/2/variant",
            json!("x"),
            "runs[2]: variant is x, allowed is one",
        ),
        (
            "/runs/0/wall_ns",
            json!(1.5),
            "runs[0].wall_ns: invalid type: float",
        ),
        (
            "/runs/1/process",
            json!(2),
            "runs[1]: process differs, allowed is one for all runs of a round",
        ),
        (
            "/runs/0/process",
            json!(0),
            "runs[0]: process is 0, allowed is 1 to 64",
        ),
        ("/runs/0/load", json!(-0.5), "runs[0]: load is -0.5, allowed is 0"),
        (
            "/runs/0/voluntary",
            json!(null),
            "runs[0]: voluntary is known and involuntary is not, or the other",
        ),
        ("/variants/0/variant", json!("outline"), "runs["),
        (
            "/variants/1/cpu_ns",
            json!(3.5),
            "variants[1].cpu_ns is 3.5, allowed is",
        ),
        ("/refused", json!("no"), "refused: invalid type: string"),
        (
            "/variants/1/variant",
            json!("inline"),
            "variants[1].variant is inline",
        ),
        (
            "/variants/1/p50_ns",
            json!(-1),
            "variants[1].p50_ns is -1, allowed is",
        ),
        (
            "/variants/1/wall_ns",
            json!(3.0),
            "variants[1].wall_ns is 3.0, allowed",
        ),
        ("/variants/2/verdict", json!("faster"), ", which the runs show"),
        ("/noise", json!(null), "noise is null, allowed is {"),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(field).unwrap() = value;
        let line = refused(wrong.to_string());
        assert!(line.contains(why), "{why} is not in {line}");
    }
    let mut lacks = right.clone();
    lacks["runs"].as_array_mut().unwrap().pop();
    let line = refused(lacks.to_string());
    assert!(
        line.contains("the last round has 3 runs, allowed is 4"),
        "{line}"
    );
    // A number of a million digits is no number.
    let huge = right.to_string().replacen(
        ":256",
        &format!(":{}", "9".repeat(1_000_000)),
        1,
    );
    assert!(refused(huge).contains("number out of range"));
    let nan = right.to_string().replacen(":256", ":NaN", 1);
    assert!(refused(nan).contains("expected value at line 1 column"));
}

#[test]
fn a_wrong_line_of_csv_is_named_with_what_is_allowed() {
    let (_dir, path) = recorded("csv", &["--work", "noop", "--jobs", "50"]);
    let right = fs::read_to_string(&path).unwrap();
    let columns: Vec<_> = right.lines().next().unwrap().split(',').collect();
    let most = u64::MAX;
    for (column, value, why) in [
        ("jobs", "0", "jobs is 0, allowed is 1 to 100000000".to_owned()),
        ("jobs", "", "jobs is '', allowed is 1 to 100000000".to_owned()),
        ("workers", "-1", "workers is -1, allowed is 1 to 1024".to_owned()),
        ("queue", "1e9", "queue is 1e9, allowed is 0 to 1048576".to_owned()),
        (
            "partial",
            "yes",
            "partial is yes, allowed is true or false".to_owned(),
        ),
        (
            "round",
            "2",
            "round is 2 and place is 2, allowed is round 1".to_owned(),
        ),
        ("stopped", "true", "stopped differs".to_owned()),
        ("seed", "7", "seed differs, allowed is one for all runs".to_owned()),
        ("wall_ns", "NaN", format!("wall_ns is NaN, allowed is 0 to {most}")),
        (
            "wall_ns",
            "\x1b",
            r"wall_ns is '\u{1b}', allowed is 0 to".to_owned(),
        ),
        ("wall_ns", "99999999999999999999", "allowed is 0 to".to_owned()),
        (
            "variant",
            "",
            "the length of variant is 0, allowed is 1 to".to_owned(),
        ),
        ("wall_ns", "1,1", "columns are 30, allowed is 29".to_owned()),
        ("format", "x", "format is x, allowed is manyhands-runs/1".to_owned()),
        ("rustc", "", "the length of rustc is 0, allowed is 1".to_owned()),
        ("cpu_ns", "-", "cpu_ns is -, allowed is 0 to".to_owned()),
        ("load", "NaN", "load is NaN, allowed is 0 and up".to_owned()),
        ("load", "x", "load is x, allowed is 0 and up".to_owned()),
        (
            "process",
            "2",
            "process differs, allowed is one for all runs".to_owned(),
        ),
        ("cores", "9999", "cores differs, allowed is one for".to_owned()),
        ("revision", "other", "revision differs, allowed is".to_owned()),
    ] {
        let place = columns.iter().position(|it| *it == column).unwrap();
        let mut lines: Vec<String> = right.lines().map(Into::into).collect();
        let mut fields: Vec<_> = lines[2].split(',').collect();
        fields[place] = value;
        lines[2] = fields.join(",");
        let line = refused(lines.join("\n"));
        assert!(line.contains(&why), "{why} is not in {line}");
        // The line itself, or the next that does not agree with it.
        assert!(line.starts_with("line "), "{line}");
    }
    let cut = right.trim_end().rsplit_once('\n').unwrap().0;
    let line = refused(cut);
    assert!(
        line.contains("the last round has 3 runs, allowed is 4"),
        "{line}"
    );
}

#[test]
fn a_name_with_escape_codes_is_shown_as_text_in_every_format() {
    let (dir, path) = recorded("json", FAILING);
    let text = fs::read_to_string(&path).unwrap();
    let odd = text.replace("\"channel\"", r#""\u001b[31mred\n\u202e\u009b""#);
    let odd = odd.replace("100 jobs of", r"\u001b]0;title\u0007 jobs of");
    let path = dir.path().join("odd");
    fs::write(&path, odd).unwrap();
    for format in ["table", "json", "csv", "md"] {
        let arguments = ["report", path.to_str().unwrap(), "--format", format];
        let shown = stdout_of(&arguments);
        let is_odd = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!shown.contains(is_odd), "{shown:?}");
        assert!(unwrapped(&shown).contains("[31mred"), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_waiting_for_a_record() {
    let mut waiting = command(&["report", "-"]);
    let running = crate::program::started(waiting.stdin(Stdio::piped()));
    running.wait_until_it_listens();
    running.signal("INT");
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("nothing was read yet"), "{ended:?}");
}
