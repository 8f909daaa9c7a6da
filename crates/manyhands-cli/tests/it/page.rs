//! The page of a comparison, and the folders that it is made from.

use std::fs;
use std::path::Path;

use roxmltree::Document;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{entries, failed, json_of, run, stdout_of};

const QUICK: &[&str] =
    &["--rounds", "7", "--time", "2s", "--jobs", "300", "--processes", "1"];

/// Records works, and says in which folders.
fn recorded(works: &str, variants: &str) -> (TempDir, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("records");
    let into = into.to_str().unwrap();
    let words =
        ["record", "--into", into, "--work", works, "--variants", variants];
    let printed = stdout_of(&[&words[..], QUICK].concat());
    let folders: Vec<String> = printed.lines().map(str::to_owned).collect();
    assert_eq!(folders.len(), works.split(',').count());
    (dir, folders)
}

fn page_of(folders: &[String]) -> String {
    let mut words = vec!["report", "--format", "html"];
    words.extend(folders.iter().map(String::as_str));
    stdout_of(&words)
}

/// What stands between such tags, which may be told by their first word.
fn parts<'a>(page: &'a str, tag: &str) -> Vec<&'a str> {
    let name = tag.split(' ').next().unwrap();
    let (open, close) = (format!("<{tag}"), format!("</{name}>"));
    let starts = page.match_indices(&open);
    starts
        .map(|(start, _)| {
            let rest = &page[start..];
            &rest[..rest.find(&close).unwrap() + close.len()]
        })
        .collect()
}

/// The cells of a table, row by row.
fn cells(table: &str) -> Vec<Vec<String>> {
    // HTML lets their end tags be left away.
    let rows = table.split("<tr>").skip(1);
    rows.map(|row| {
        let parts = row.split("<t").skip(1);
        let is_cell = |part: &&str| part.starts_with(['d', 'h']);
        let cells = parts.filter(is_cell);
        let texts = cells.map(|cell| cell.split(['<', '>']).nth(1).unwrap());
        texts.map(|text| text.replace("&amp;", "&")).collect()
    })
    .collect()
}

fn label(picture: &str) -> String {
    let document = Document::parse(picture).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    root.attribute("aria-label").unwrap().to_owned()
}

/// Three digits, as everywhere.
fn ratio(number: &Value) -> String {
    match number.as_f64().unwrap() {
        n if n < 0.000_95 => format!("{n:.0e}"),
        n if n < 0.0995 => format!("{n:.3}"),
        n if n < 9.995 => format!("{n:.2}"),
        n if n < 99.95 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}

#[test]
fn pictures_and_tables_say_what_was_measured() {
    let (_dir, folders) = recorded("spin:10us", "channel,tokio");
    let page = page_of(&folders);
    let told = json_of(&["report", &folders[0], "--format", "json"]);
    let tables: Vec<_> =
        parts(&page, "table").into_iter().map(cells).collect();
    let rounds = tables.iter().find(|it| it[0].contains(&"verdict".into()));
    let rounds = rounds.unwrap();
    let pictures: Vec<_> =
        parts(&page, "svg role").into_iter().map(label).collect();
    let forest = pictures.iter().find(|it| it.starts_with("Times as fast"));
    let forest = forest.unwrap();
    for variant in told["variants"].as_array().unwrap() {
        let name = variant["variant"].as_str().unwrap();
        let row = rounds.iter().find(|row| row[0] == name).unwrap();
        let verdict = variant["verdict"].as_str().unwrap();
        assert_eq!(row.last().unwrap(), verdict);
        let speed = ratio(&variant["speed"]["estimate"]);
        assert!(row.contains(&speed), "{name} {speed}: {row:?}");
        if name != "inline" {
            let said = format!("{name} {speed} (");
            assert!(forest.contains(&said), "{said}: {forest}");
        }
    }
    // Job by job: the first forty of the fastest, and all of each.
    let jobs = tables.iter().find(|it| it[0].contains(&"waited".into()));
    assert_eq!(jobs.unwrap().len(), 1 + 40);
    let runs = tables.iter().find(|it| it[0].contains(&"took".into()));
    let names: Vec<_> =
        runs.unwrap()[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["inline", "channel", "tokio"]);
    // How slow the slowest were, in every load; and on other sizes.
    let tails = tables.iter().find(|it| it[0].contains(&"slowest".into()));
    let loads: Vec<_> = tails.unwrap()[1..]
        .iter()
        .map(|row| format!("{} {}", row[0], row[1]))
        .collect();
    for load in ["closed", "open 50 %", "open 80 %"] {
        let said = format!("channel {load}");
        assert!(loads.contains(&said), "{said}: {loads:?}");
    }
    let sizes = tables.iter().find(|it| it[0].contains(&"64 workers".into()));
    assert_eq!(sizes.unwrap()[0].len(), 1 + 7);
    assert!(page.contains("<code>manyhands record --into"), "{page}");
}

/// Each picture's words are those of the table under it.
#[test]
fn what_is_said_of_a_depth_is_what_its_table_says() {
    let (_dir, folders) = recorded("sleep:1ms", "channel");
    let page = page_of(&folders);
    let tables: Vec<_> =
        parts(&page, "table").into_iter().map(cells).collect();
    let depths =
        tables.iter().find(|it| it[0].contains(&"most waiting".into()));
    let row = &depths.unwrap()[1];
    let said = format!(
        "channel. at most {} waiting and {} in flight, {} allowed",
        row[1], row[2], row[3]
    );
    let pictures: Vec<_> =
        parts(&page, "svg role").into_iter().map(label).collect();
    assert!(pictures.contains(&said), "{said}: {pictures:?}");
    let flight: usize = row[2].parse().unwrap();
    let allowed: usize = row[3].parse().unwrap();
    assert!(flight <= allowed + 1, "one more is in the submitter's hand");
}

#[test]
fn a_page_needs_nothing_but_itself() {
    let (_dir, folders) = recorded("noop,fail:10", "channel,errgroup");
    let page = page_of(&folders);
    for foreign in ["<script", "src=", "url(", "@import", "<link", "<iframe"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(!page.contains("http"));
    assert!(page.len() < 300_000, "{} bytes", page.len());
    // Variants by works; the one that stops has no number.
    let map = parts(&page, "table")[0];
    let heads = &cells(map)[0];
    assert_eq!(heads[..], ["variant", "noop", "fail:10"]);
    let rows = cells(map);
    let errgroup = rows.iter().find(|row| row[0] == "errgroup").unwrap();
    assert_eq!(errgroup[2], "stops");
}

#[test]
fn a_comparison_makes_a_page_beside_its_table() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    let page = page.to_str().unwrap();
    let words =
        ["compare", "--report", page, "--work", "noop", "--variants", "rayon"];
    let printed = stdout_of(&[&words[..], QUICK].concat());
    assert!(printed.contains("rayon"), "{printed}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(page.contains("Where did jobs wait?"));
}

#[test]
fn a_record_is_never_touched_again() {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().to_str().unwrap();
    let words = ["record", "--into", into, "--work", "noop"];
    let words = [&words[..], &["--variants", "channel"], QUICK].concat();
    let first = stdout_of(&words).trim().to_owned();
    let runs = Path::new(&first).join("runs.csv");
    let was = fs::read(&runs).unwrap();
    let second = stdout_of(&words).trim().to_owned();
    assert_eq!(second, format!("{first}-2"));
    assert_eq!(fs::read(&runs).unwrap(), was);
    // Nothing else is left there, of which a part could pass for a record.
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    assert_eq!(entries(&dir), [name(&first), name(&second)]);
    // And every file in it has the machine in each line.
    for file in ["runs.csv", "times.csv", "jobs.csv", "workers-4.csv"] {
        let text = fs::read_to_string(Path::new(&first).join(file)).unwrap();
        let system = format!(",{},", std::env::consts::ARCH);
        assert!(text.lines().skip(1).all(|line| line.contains(&system)));
    }
    // A file of it can be shown by itself, and the whole as any record.
    stdout_of(&["report", &format!("{first}/times.csv")]);
    let table = stdout_of(&["report", &first]);
    assert!(table.contains("p50, p99"), "{table}");
}

#[test]
fn folders_that_are_no_records_are_refused_in_a_line() {
    let (_dir, folders) = recorded("noop", "channel");
    let folder = Path::new(&folders[0]);
    let refused = |why: &str| {
        let ended = run(&["report", &folders[0], "--format", "html"]);
        let line = failed(&ended, 2);
        assert!(line.contains(why), "{why}: {line}");
    };
    for (file, from, to, why) in [
        ("jobs.csv", ",done", ",gone", "jobs.csv: "),
        ("jobs.csv", "made_ns", "begun_ns", "jobs.csv: it is another table"),
        ("times.csv", ",closed,", ",clsed,", "times.csv: "),
        ("workers-8.csv", "runs/1", "runs/9", "workers-8.csv: line 2"),
        ("about.json", "\"answers\"", "\"answer\"", "about.json: "),
        ("runs.csv", "runs/1", "runs/9", "runs.csv: line 2"),
    ] {
        let path = folder.join(file);
        let was = fs::read_to_string(&path).unwrap();
        assert!(was.contains(from), "{file}");
        fs::write(&path, was.replace(from, to)).unwrap();
        refused(why);
        fs::write(&path, was).unwrap();
    }
    // The end of a job before its start.
    let path = folder.join("jobs.csv");
    let was = fs::read_to_string(&path).unwrap();
    let line = was.lines().nth(1).unwrap();
    let mut fields: Vec<&str> = line.split(',').collect();
    let ended = fields.len() - 2;
    fields[ended] = "0";
    fs::write(&path, was.replace(line, &fields.join(","))).unwrap();
    refused("allowed is one after the other");
    // What is looked at may be missing, the rounds may not.
    fs::remove_file(&path).unwrap();
    let page = page_of(&folders);
    assert!(!page.contains("Where did jobs wait?"));
    assert!(page.contains("How many workers?"));
    fs::remove_file(folder.join("runs.csv")).unwrap();
    refused("it has no runs.csv");
}

#[test]
fn works_and_places_that_cannot_be_are_refused_before_anything_is_measured() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "mine").unwrap();
    let file = file.to_str().unwrap();
    for (words, why) in [
        (
            &["compare", "--work", "noop,noop"][..],
            "--work has noop twice, allowed is once",
        ),
        (&["compare", "--work", "noop,nop"], "there is no workload `nop`"),
        (
            &["compare", "--work", "noop,fail", "--format", "csv"],
            "allowed is one with --format json or csv",
        ),
        (&["record", "--into", file], "which is no directory"),
        (
            &["compare", "--report", "/no/such/folder/page.html"],
            "--report is /no/such/folder/page.html",
        ),
        (&["report", file, file, "--format", "json"], "there are 2 records"),
    ] {
        let ended = run(words);
        let line = failed(&ended, 2);
        assert!(line.contains(why), "{why}: {line}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}
