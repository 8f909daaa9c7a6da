use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::program::{entries, failed, run, stdout_of};

const END: &str = "<!-- end of table -->";

/// A folder with a record `runs.csv`, and a document of that content beside
/// it.
fn document(content: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("runs.csv");
    let arguments = [
        "compare",
        "--work",
        "noop",
        "--jobs",
        "50",
        "--rounds",
        "7",
        "--variants",
        "channel",
        "--format",
        "csv",
        "-o",
        record.to_str().unwrap(),
    ];
    stdout_of(&arguments);
    let path = dir.path().join("a.md");
    fs::write(&path, content).unwrap();
    (dir, path)
}

fn splice(arguments: &[&str], path: &Path) -> crate::program::Ended {
    let path = path.to_str().unwrap();
    run(&[&["splice", "--quiet"], arguments, &[path]].concat())
}

#[test]
fn a_table_is_made_anew_and_nothing_else_of_its_document() {
    let before = "# a\t \r\n\n<!-- table: runs.csv -->\r\n";
    let after = format!("{END}\n\x0b  \r\nb");
    let (dir, path) = document(&format!("{before}old\n{after}"));
    let ended = splice(&[], &path);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""), "{ended:?}");
    let text = fs::read_to_string(&path).unwrap();
    let table = text.strip_prefix(before).unwrap();
    let table = table.strip_suffix(&after).unwrap();
    assert!(table.starts_with("| variant "), "{table}");
    assert!(table.lines().any(|row| row.starts_with("| channel ")), "{table}");
    assert!(table.contains("[record](runs.csv)"), "{table}");
    // As the marker's line ends.
    assert_eq!(table.matches('\n').count(), table.matches("\r\n").count());
    assert_eq!(entries(&dir), ["a.md", "runs.csv"]);
    // It is now what it should be.
    let ended = splice(&["--check"], &path);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""), "{ended:?}");
}

/// Each thing that a report says is the same in the table.
#[test]
fn a_table_has_the_figures_of_the_report() {
    let marker = "<!-- table: runs.csv columns=wall,cpu/job,speed,interval,\
                  p50,p99,verdict -->\n";
    let (dir, path) = document(&format!("{marker}{END}\n"));
    assert_eq!(splice(&[], &path).code, Some(0));
    let text = fs::read_to_string(&path).unwrap();
    let record = dir.path().join("runs.csv");
    let record = record.to_str().unwrap();
    let report = stdout_of(&["report", record, "--format", "md"]);
    let (table, _) = report.split_once("\n\n").unwrap();
    assert!(text.contains(table), "{table} is not in {text}");
}

#[test]
fn a_table_that_differs_from_its_record_fails_the_check_in_a_line() {
    let (_dir, path) =
        document(&format!("a\n<!-- table: runs.csv -->\n{END}\n"));
    assert_eq!(splice(&[], &path).code, Some(0));
    let right = fs::read_to_string(&path).unwrap();
    let row = right.lines().find(|row| row.contains("| channel ")).unwrap();
    for wrong in [
        right.replacen(row, &row.replacen(['1', '2', '3'], "9", 1), 1),
        right.replacen(&format!("{row}\n"), "", 1),
        right.replacen(END, &format!("more\n{END}"), 1),
        right.replacen("\n\n", "\n", 1),
    ] {
        // A row without one of these digits stays as it is.
        if wrong == right {
            continue;
        }
        fs::write(&path, &wrong).unwrap();
        let ended = splice(&["--check"], &path);
        assert_eq!(ended.code, Some(1), "{wrong}: {ended:?}");
        let line = format!(
            "{}:2: the table is not that of runs.csv; `manyhands splice {0}` \
             makes it so\n",
            path.display()
        );
        assert_eq!((ended.stdout, &*ended.stderr), (line, ""));
        assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
        // And mended.
        assert_eq!(splice(&[], &path).code, Some(0));
        assert_eq!(fs::read_to_string(&path).unwrap(), right);
    }
}

#[test]
fn what_is_wrong_is_a_line_and_no_document_is_touched() {
    let good = format!("<!-- table: runs.csv -->\n{END}\n");
    let (dir, path) = document("");
    fs::write(dir.path().join("bad.csv"), "format,group\n").unwrap();
    let other = dir.path().join("other.md");
    for (content, why) in [
        ("\n<!-- table: no.csv -->\n", "a.md:2: no.csv: it cannot be read: "),
        ("<!-- table: bad.csv -->\n", "a.md:1: bad.csv: line 1: its columns"),
        ("<!-- table: . -->\n", "a.md:1: .: it cannot be read: "),
        ("<!-- table: a.md -->\n", "a.md:1: a.md: it begins with '<!-- tab"),
        ("<!-- table: runs.csv -->\n", "a.md:1: the table has no end, allow"),
        ("<!-- table: runs.csv only=x -->\n", "only has x, allowed are inl"),
        ("<!-- table: runs.csv rows=x -->\n", "the option is rows, allowed"),
        ("<!-- end of table -->\n", "a.md:1: a table ends that did not begi"),
        (
            &format!("{good}<!-- table: runs.csv -->\n{good}"),
            "a.md:4: a table",
        ),
    ] {
        fs::write(&path, content).unwrap();
        fs::write(&other, &good).unwrap();
        let [other, path] = [&other, &path].map(|it| it.to_str().unwrap());
        for arguments in
            [&["splice", other, path][..], &["splice", "--check", path]]
        {
            let ended = run(arguments);
            let line = failed(&ended, 2);
            assert!(line.contains(why), "{why} is not in {line}");
        }
        assert_eq!(fs::read_to_string(path).unwrap(), content);
        assert_eq!(fs::read_to_string(other).unwrap(), good);
    }
    fs::write(&path, b"a\xff").unwrap();
    let ended = splice(&[], &path);
    assert!(failed(&ended, 2).contains("a.md: byte 1 is not UTF-8"));
    let ended = splice(&[], &dir.path().join("no.md"));
    assert!(failed(&ended, 2).contains("no.md: it cannot be read"));
    if cfg!(target_os = "linux") {
        let ended = splice(&[], Path::new("/dev/zero"));
        assert!(failed(&ended, 2).contains("/dev/zero: it is too long"));
    }
    assert!(failed(&run(&["splice"]), 2).contains("FILE is missing"));
}

#[cfg(unix)]
#[test]
fn a_document_keeps_its_permissions_and_a_link_leads_where_it_did() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (dir, path) = document(&format!("<!-- table: runs.csv -->\n{END}\n"));
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(&path, mode).unwrap();
    let link = dir.path().join("link.md");
    symlink("a.md", &link).unwrap();
    assert_eq!(splice(&[], &link).code, Some(0));
    assert!(link.is_symlink());
    let found = fs::metadata(&path).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(&path).unwrap().contains("| channel "));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file in a folder and those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

/// What the packages show of themselves.
fn readmes() -> Vec<PathBuf> {
    fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("README.md"))
        .collect()
}

#[test]
fn every_table_in_the_documents_is_that_of_its_record() {
    let mut documents = vec![root().join("README.md")];
    documents.extend(files(&root().join("docs")));
    documents.extend(readmes());
    documents.retain(|path| path.extension().is_some_and(|it| it == "md"));
    assert!(documents.len() > 5, "{documents:?}");
    let documents = documents.iter().map(|path| path.to_str().unwrap());
    let arguments = ["splice", "--quiet", "--check"].into_iter();
    let ended = run(&arguments.chain(documents).collect::<Vec<_>>());
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""), "{ended:?}");
}

/// In `benches/record`: a page, and a folder a day, with records in it.
#[test]
fn every_record_of_the_repository_is_read() {
    let records = root().join("benches/record");
    let mut markers = String::new();
    for path in files(&records) {
        let within = path.strip_prefix(&records).unwrap().to_str().unwrap();
        if within == "README.md" {
            continue;
        }
        let shape = within.replace(|it: char| it.is_ascii_digit(), "0");
        let is_dated = shape.starts_with("0000-00-00/");
        let is_known = [".csv", ".json", ".txt", ".md"]
            .into_iter()
            .any(|end| within.ends_with(end));
        assert!(
            is_dated && is_known && within.matches('/').count() == 1,
            "benches/record/{within}: allowed is a folder a day, with records \
             (.csv, .json) and notes (.txt, .md) in it"
        );
        if within.ends_with(".csv") || within.ends_with(".json") {
            let path = path.canonicalize().unwrap();
            let marker = format!("<!-- table: {} -->", path.display());
            markers += &format!("{marker}\n{END}\n");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("records.md");
    fs::write(&page, markers).unwrap();
    let ended = splice(&[], &page);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
