//! What is read, and what is found in it.

use std::fs;
use std::path::Path;

use manyhands_workloads::{FileError, FileReport, Settings, Workload};
use tempfile::tempdir;

use super::{files, names, parse, reports, run, write};

fn read(content: impl AsRef<[u8]>) -> FileReport {
    let directory = tempdir().unwrap();
    write(directory.path(), "file", content);
    FileReport::read(&directory.path().join("file")).unwrap()
}

fn counts(content: impl AsRef<[u8]>) -> (u64, u64, u64) {
    let FileReport { lines, words, bytes, .. } = read(content);
    (lines, words, bytes)
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_digest_is_blake3() {
    // From the test vectors of BLAKE3: no input, and 0, 1, … 250, 0, …
    let pattern: Vec<u8> = (0..102_400).map(|n| (n % 251) as u8).collect();
    for (length, digest) in [
        (
            0,
            "af1349b9f5f9a1a6a0404dea36dcc949\
             9bcb25c9adc112b7cc9a93cae41f3262",
        ),
        (
            1,
            "2d3adedff11b61f14c886e35afa03673\
             6dcd87a74d27b5c1510225d0f592e213",
        ),
        (
            1024,
            "42214739f095a406f3fc83deb889744a\
                c00df831c10daa55189b5d121c855af7",
        ),
        (
            102_400,
            "bc3e3d41a1146b069abffad3c0d44860\
                   cf664390afce4d9661f7902e7943e085",
        ),
    ] {
        assert_eq!(hex(read(&pattern[..length]).digest), digest);
    }
}

#[test]
fn lines_words_and_bytes_are_those_of_wc() {
    assert_eq!(counts(""), (0, 0, 0));
    assert_eq!(counts("\n"), (1, 0, 1));
    assert_eq!(counts("one"), (0, 1, 3));
    assert_eq!(counts("one\ntwo three"), (1, 3, 13));
    assert_eq!(counts("  a \t\r\n\x0b\x0c b\n"), (2, 2, 12));
    // No white space in C's eyes: NUL, a no-break space, other bytes.
    assert_eq!(counts("a\0b c\u{a0}d\u{2003}e"), (0, 2, 12));
    assert_eq!(counts(b"\xff\xfe \xff"), (0, 2, 4));
}

#[test]
fn a_word_across_the_borders_of_the_buffer_is_one_word() {
    const BUFFER: usize = 64 << 10;
    for border in [255, BUFFER - 1, BUFFER, BUFFER + 1, 2 * BUFFER] {
        let mut text = vec![b'x'; border];
        text.extend(b"yz\n");
        assert_eq!(counts(&text), (1, 1, text.len() as u64));
        // And a space there parts two.
        text[border] = b' ';
        assert_eq!(counts(&text), (1, 2, text.len() as u64));
        text[border - 1] = b'\n';
        assert_eq!(counts(&text), (2, 2, text.len() as u64));
    }
}

#[test]
fn long_texts_of_all_bytes_are_counted_as_a_plain_program_counts() {
    let mut random = fastrand::Rng::with_seed(3);
    for length in [1000, 100_000, 300_000] {
        let text: Vec<u8> = (0..length)
            .map(|_| match random.u8(..4) {
                0 => b" \t\n\x0b\x0c\r"[random.usize(..6)],
                _ => random.u8(..),
            })
            .collect();
        let is_space = |byte: &u8| b" \t\n\x0b\x0c\r".contains(byte);
        let words = text.split(is_space).filter(|word| !word.is_empty());
        let newlines = text.iter().filter(|&&byte| byte == b'\n');
        assert_eq!(
            counts(&text),
            (newlines.count() as u64, words.count() as u64, length as u64)
        );
        assert_eq!(read(&text).digest, *blake3::hash(&text).as_bytes());
    }
}

#[test]
fn files_come_in_the_order_of_their_paths() {
    let directory = tempdir().unwrap();
    let sorted = ["a/b", "a/z/y", "a-b", "b", "c/d", "e"];
    for name in ["e", "c/d", "a/z/y", "b", "a-b", "a/b"] {
        write(directory.path(), name, name);
    }
    assert_eq!(names(directory.path()), sorted);
}

#[test]
fn fewer_jobs_read_the_first_files_and_more_begin_again() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    for name in ["c", "a", "b"] {
        write(root, name, name);
    }
    let shown = root.display();
    for (jobs, summary) in [
        (1, format!("1 file, 1 byte under {shown}")),
        (2, format!("2 files, 2 bytes under {shown}")),
        (3, format!("3 files, 3 bytes under {shown}")),
        (8, format!("8 jobs reading 3 files, 8 bytes under {shown}")),
    ] {
        let settings = Settings {
            jobs: Some(jobs),
            input: Some(root.into()),
            ..Settings::default()
        };
        let workload = Workload::parse("files", &settings).unwrap();
        assert_eq!(workload.len(), jobs);
        assert_eq!(workload.reports().count(), jobs.min(3));
        let checked = run(&workload).unwrap();
        assert_eq!((checked.done, checked.bytes), (jobs as u64, jobs as u64));
        assert_eq!(workload.summary(), summary);
    }
}

#[test]
fn a_file_that_is_read_again_is_named_once() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    write(root, "a", "text");
    write(root, "b", "text");
    let settings = Settings {
        jobs: Some(7),
        input: Some(root.into()),
        ..Settings::default()
    };
    let workload = Workload::parse("files", &settings).unwrap();
    fs::remove_file(root.join("b")).unwrap();
    assert_eq!(workload.unread().count(), 1);
    assert_eq!(run(&workload).unwrap().bytes, 16);
    write(root, "b", "text");
    let wrong = run(&workload).unwrap_err().to_string();
    assert!(wrong.contains("/b (job 1) differs from the first read"));
}

#[test]
fn what_gitignore_says_is_left_out_also_outside_of_a_repository() {
    let directory = tempdir().unwrap();
    write(directory.path(), ".gitignore", "*.log\n/target\n!keep.log\n");
    write(directory.path(), ".ignore", "private\n");
    write(directory.path(), "sub/.gitignore", "local\n");
    for name in [
        "a.txt",
        "a.log",
        "keep.log",
        "target/x",
        "sub/target/y",
        "sub/local",
        "sub/b.log",
        "private",
        ".hidden",
        ".hidden.d/x",
        "local",
    ] {
        write(directory.path(), name, name);
    }
    let left = ["a.txt", "keep.log", "local", "sub/target/y"];
    assert_eq!(names(directory.path()), left);
    fs::create_dir(directory.path().join(".git")).unwrap();
    assert_eq!(names(directory.path()), left);
    write(directory.path(), ".git/info/exclude", "a.txt\n");
    assert_eq!(names(directory.path()), left[1..]);
}

#[test]
fn in_a_part_of_a_repository_the_rules_of_the_whole_hold() {
    let directory = tempdir().unwrap();
    write(directory.path(), ".gitignore", "*.log\n");
    write(directory.path(), "sub/a.log", "");
    write(directory.path(), "sub/a.txt", "");
    let sub = directory.path().join("sub");
    // No repository: what lies above the input has no say.
    assert_eq!(names(&sub), ["a.log", "a.txt"]);
    fs::create_dir(directory.path().join(".git")).unwrap();
    assert_eq!(names(&sub), ["a.txt"]);
    // A repository of its own has no part in the one around it.
    fs::create_dir(sub.join(".git")).unwrap();
    assert_eq!(names(&sub), ["a.log", "a.txt"]);
}

#[test]
fn a_directory_can_be_named_in_any_way() {
    let directory = tempdir().unwrap();
    write(directory.path(), "-/file", "text");
    for name in ["-", "-/", "./-", "-/../-"] {
        let input = directory.path().join(name);
        let workload = files(&input).unwrap();
        assert_eq!(run(&workload).unwrap().bytes, 4);
    }
    // Relative ones: the tests run in the crate's own folder.
    for name in [".", "src", "./src", "src/", "../manyhands-workloads"] {
        let workload = files(Path::new(name)).unwrap();
        assert!(run(&workload).unwrap().done > 5, "{name}");
    }
}

#[test]
fn a_file_that_changes_is_named() {
    let directory = tempdir().unwrap();
    write(directory.path(), "same", "text");
    write(directory.path(), "log\n", "a line\n");
    let workload = parse("files", directory.path()).unwrap();
    workload.prepare();
    run(&workload).unwrap();
    // Longer; as long, but other; gone; back again.
    for (content, now) in [
        (Some("a line\nanother\n"), " from 15 bytes now"),
        (Some("A line\n"), " from 7 bytes now"),
        (None, " now"),
    ] {
        let path = directory.path().join("log\n");
        match content {
            Some(content) => fs::write(path, content).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let wrong = run(&workload).unwrap_err().to_string();
        assert!(
            wrong.contains(r"/log\n (job 0) differs from the first read: ")
        );
        assert!(wrong.contains(" from 7 bytes then, "), "{wrong}");
        assert!(wrong.ends_with(now), "{wrong}");
        assert!(!wrong.contains('\n'));
    }
    write(directory.path(), "log\n", "a line\n");
    run(&workload).unwrap();
}

#[test]
fn equal_content_under_two_names_is_no_error_and_each_is_read() {
    let directory = tempdir().unwrap();
    write(directory.path(), "a", "same");
    write(directory.path(), "b", "same");
    let reports = reports(directory.path());
    assert_eq!(reports[0].1, reports[1].1);
    assert_eq!(
        run(&parse("files", directory.path()).unwrap()).unwrap().done,
        2
    );
}

#[test]
fn a_file_that_vanished_after_it_was_listed_is_an_answer() {
    let directory = tempdir().unwrap();
    write(directory.path(), "here", "text");
    write(directory.path(), "gone", "text");
    write(directory.path(), "sub/gone", "text");
    let workload = parse("files", directory.path()).unwrap();
    fs::remove_file(directory.path().join("gone")).unwrap();
    fs::remove_dir_all(directory.path().join("sub")).unwrap();
    let found: Vec<_> = workload.reports().map(|(_, report)| report).collect();
    assert_eq!(found[0], Err(FileError::Gone));
    assert_eq!(found[1].unwrap().bytes, 4);
    assert_eq!(found[2], Err(FileError::Gone));
    let checked = run(&workload).unwrap();
    assert_eq!((checked.done, checked.errors, checked.bytes), (3, 0, 4));
    let unread: Vec<_> = workload.unread().collect();
    assert!(unread[0].ends_with("/gone: vanished since it was listed"));
    assert_eq!(unread.len(), 2);
    assert!(workload.summary().ends_with(", 2 of them not readable"));
}
