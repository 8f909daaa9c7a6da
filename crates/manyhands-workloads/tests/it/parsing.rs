//! What is understood, and the one line that is said to what is not.

use std::path::Path;

use manyhands_workloads::{Settings, Workload, all};

fn error(spec: &str) -> String {
    Workload::parse(spec, &Settings::default()).unwrap_err().to_string()
}

/// What the fuzz target is fed with, through the function that it calls.
#[test]
fn every_name_of_the_corpus_is_understood_or_refused_in_a_line() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = corpus.join("fuzz/corpus/workload");
    let mut files = 0;
    for file in std::fs::read_dir(corpus).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        manyhands_workloads::fuzz::workload(&bytes);
        files += 1;
    }
    assert!(files > 3, "a corpus of {files} files");
}

#[test]
fn every_kind_of_the_list_can_be_made_by_its_bare_name() {
    for kind in all() {
        let settings = Settings {
            jobs: Some(3),
            input: (kind.name == "files").then(|| "src".into()),
            seed: 5,
        };
        let workload = Workload::parse(kind.name, &settings).unwrap();
        assert_eq!(workload.name(), kind.default);
        assert_eq!(workload.len(), 3);
        assert_eq!(workload.jobs().count(), 3);
        assert!(!workload.is_empty());
    }
}

#[test]
fn a_name_has_one_spelling() {
    for (spec, name) in [
        ("sleep:0.001s", "sleep:1ms"),
        ("spin:10000ns", "spin:10us"),
        ("skew", "skew:50us"),
        ("fail:007", "fail:7"),
        ("panic:2", "panic:2"),
        ("noop", "noop"),
    ] {
        let workload = Workload::parse(spec, &Settings::default()).unwrap();
        assert_eq!(workload.name(), name);
    }
}

#[test]
fn a_misspelt_name_gets_a_suggestion() {
    for (spec, name) in [
        ("slep:1ms", "sleep"),
        ("Files", "files"),
        ("file", "files"),
        ("spni:10us", "spin"),
        ("pannic:3", "panic"),
        ("SLEEP", "sleep"),
    ] {
        let typed = spec.split(':').next().unwrap();
        assert_eq!(
            error(spec),
            format!("there is no workload `{typed}`; did you mean `{name}`?")
        );
    }
}

#[test]
fn a_name_like_no_other_gets_the_list() {
    let names: Vec<&str> = all().iter().map(|kind| kind.name).collect();
    let list = names.join(", ");
    for name in ["xyzzy", "", "日本", " "] {
        assert_eq!(
            error(name),
            format!("there is no workload `{name}`; there are {list}")
        );
    }
    // What could break the line, or fill the screen, does neither.
    assert!(
        error("\n\u{1b}[2J")
            .starts_with(r"there is no workload `\n\u{1b}[2J`;")
    );
    assert!(error(&"x".repeat(1_000_000)).len() < 300);
}

#[test]
fn a_parameter_that_is_no_time_is_named_with_what_is_allowed() {
    for text in [
        "",
        "1",
        "ms",
        ".s",
        "-1ms",
        "+1ms",
        "1e3us",
        "infs",
        "nans",
        "1 ms",
        "1m",
        "1.2.3ms",
        "1µs",
        "1MS",
        "0s",
        "0.0ms",
        "0.4ns",
        "60.1s",
        "61s",
        "99999999999999999999999999s",
        "1ms:2",
        "0x1s",
    ] {
        for name in ["sleep", "spin", "skew"] {
            assert_eq!(
                error(&format!("{name}:{text}")),
                format!(
                    "{name} has parameter `{text}`, allowed is a time from \
                     1ns to 60s such as 500ns, 10us, 1.5ms or 2s"
                )
            );
        }
    }
}

#[test]
fn a_parameter_that_is_no_number_is_named_with_what_is_allowed() {
    for text in [
        "",
        "0",
        "-1",
        "+1",
        "1.5",
        "ten",
        " 1",
        "10000001",
        "99999999999999999999999999",
    ] {
        for name in ["fail", "panic"] {
            assert_eq!(
                error(&format!("{name}:{text}")),
                format!(
                    "{name} has parameter `{text}`, allowed is a number from \
                     1 to 10000000"
                )
            );
        }
    }
}

#[test]
fn a_parameter_where_there_is_none_is_refused() {
    assert_eq!(error("noop:5"), "noop has parameter `5`, allowed is none");
    assert_eq!(error("files:"), "files has parameter ``, allowed is none");
}

#[test]
fn the_number_of_jobs_is_checked() {
    for jobs in [0, 10_000_001, usize::MAX] {
        for kind in all() {
            let settings =
                Settings { jobs: Some(jobs), ..Settings::default() };
            let error = Workload::parse(kind.name, &settings).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("jobs is {jobs}, allowed is 1 to 10000000")
            );
        }
    }
    let most = Settings { jobs: Some(10_000_000), ..Settings::default() };
    assert_eq!(Workload::parse("noop", &most).unwrap().len(), 10_000_000);
}

#[test]
fn an_input_that_is_no_readable_directory_is_named_with_the_cause() {
    let directory = tempfile::tempdir().unwrap();
    let error = |name: &str| {
        let input = directory.path().join(name);
        let error = super::files(&input).unwrap_err().to_string();
        error.replace(&*directory.path().to_string_lossy(), "DIR")
    };
    let missing = error("missing\n");
    assert!(
        missing
            .starts_with(r"cannot read the input directory `DIR/missing\n`: "),
        "{missing}"
    );
    super::write(directory.path(), "file", "text");
    assert_eq!(error("file"), "the input `DIR/file` is not a directory");

    std::fs::create_dir(directory.path().join("empty")).unwrap();
    super::write(directory.path(), "hidden/.file", "text");
    for name in ["empty", "hidden"] {
        assert_eq!(
            error(name),
            format!(
                "no file under `DIR/{name}` \
                 (hidden and ignored ones do not count)"
            )
        );
    }
    let empty = super::files(Path::new("")).unwrap_err().to_string();
    assert!(empty.starts_with("cannot read the input directory"), "{empty}");
}

#[test]
fn a_summary_is_one_phrase() {
    let summary = |spec| super::jobs(spec, 100).summary();
    assert_eq!(summary("noop"), "100 jobs of nothing");
    assert_eq!(summary("sleep:1.5ms"), "100 jobs of 1.5ms sleep");
    assert_eq!(summary("spin:10us"), "100 jobs of 10us arithmetic");
    assert_eq!(
        summary("skew:50us"),
        "100 jobs of log-normal arithmetic, 50us on average"
    );
    assert_eq!(summary("fail:10"), "100 jobs of nothing, one in 10 an error");
    assert_eq!(summary("panic:10"), "100 jobs of nothing, one in 10 a panic");

    let directory = tempfile::tempdir().unwrap();
    super::write(directory.path(), "a", "text\n");
    super::write(directory.path(), "b", "");
    let files = super::files(directory.path()).unwrap();
    let shown = directory.path().display();
    assert_eq!(files.summary(), format!("2 files under {shown}"));
    files.prepare();
    assert_eq!(files.summary(), format!("2 files, 5 bytes under {shown}"));
}
