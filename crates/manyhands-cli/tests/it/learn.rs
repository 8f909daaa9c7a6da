//! The exercises, in this repository and in small ones made for the test. What
//! needs no network: cargo is played by a script where it is needed.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::program::{
    Ended, command, failed, run, started, stdout_of, unwrapped,
};

const EXERCISES: usize = 12;

/// Where the tests run is in the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_list_has_every_exercise_once_and_fits_80_columns() {
    let listed = stdout_of(&["learn", "list"]);
    assert_eq!(listed, stdout_of(&["learn"]), "the list is what learn does");
    for number in 1..=EXERCISES {
        let row = |line: &&str| {
            line.split_whitespace().next() == Some(&number.to_string())
        };
        assert_eq!(listed.lines().filter(row).count(), 1, "{listed}");
    }
    let widest = listed.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{listed}");
}

#[test]
fn the_chapter_says_the_same_of_an_exercise() {
    let listed = stdout_of(&["learn", "list"]);
    for number in 1..=EXERCISES {
        let row = |line: &&str| {
            line.split_whitespace().next() == Some(&number.to_string())
        };
        let row = listed.lines().find(row).unwrap();
        let words: Vec<_> = row.split_whitespace().collect();
        let prefix = format!("{number:02}-");
        let chapter = words.iter().position(|it| it.starts_with(&prefix));
        let chapter = chapter.unwrap();
        let (minutes, chapter) = (words[chapter - 1], words[chapter]);
        let page = read(&format!("docs/course/{chapter}.md"));
        let page = unwrapped(&page);
        let said = format!("{minutes} for the exercise. You will be able to");
        assert!(page.contains(&said), "{chapter}: {said}");
    }
}

#[test]
fn each_exercise_has_what_it_needs() {
    for number in 1..=EXERCISES {
        let folder = format!("crates/exercises/e{number:02}");
        let stub = read(&format!("{folder}/answer.rs"));
        assert!(stub.contains("`manyhands learn check"), "{stub}");
        for file in ["solution.rs", "checks.rs", "check.rs"] {
            read(&format!("{folder}/{file}"));
        }
        let wrong = fs::read_dir(root().join(&folder).join("wrong")).unwrap();
        assert!(wrong.count() >= 2, "{folder}: two wrong answers at least");
        let prove = read("crates/exercises/prove.rs");
        assert!(prove.contains(&format!("in \"e{number:02}\"")), "{number}");
        read(&format!("docs/solutions/{number:02}.md"));
    }
}

/// In a repository of this test's own, since the reader's may be written.
#[test]
fn the_states_are_told_from_the_answers() {
    let dir = clone();
    let state = |number: usize| {
        let listed = ended(Command::new(""), dir.path(), &["learn", "list"]);
        assert_eq!(listed.code, Some(0), "{listed:?}");
        let row = listed.stdout.lines().find(|line| {
            line.split_whitespace().next() == Some(&number.to_string())
        });
        let row = row.unwrap().trim_end();
        ["not begun", "begun", "written"]
            .into_iter()
            .find(|state| row.ends_with(state))
            .unwrap()
    };
    for number in 1..=EXERCISES {
        assert_eq!(state(number), "not begun", "exercise {number}");
    }
    let answer = dir.path().join("crates/exercises/e02/answer.rs");
    let stub = fs::read_to_string(&answer).unwrap();
    let todo = "todo!(\"exercise 02\")";
    fs::write(&answer, stub.replacen(todo, "()", 1)).unwrap();
    assert_eq!(state(2), "begun");
    fs::write(&answer, stub.replace(todo, "()")).unwrap();
    assert_eq!(state(2), "written");
}

#[test]
fn a_hint_comes_in_steps_and_says_how_to_get_the_next() {
    for number in 1..=EXERCISES {
        let number = &number.to_string();
        let first = stdout_of(&["learn", "hint", number]);
        let same = stdout_of(&["learn", "hint", number, "--step", "1"]);
        assert_eq!(first, same);
        let next = format!("`manyhands learn hint {number} --step 2`");
        assert!(first.contains(&next), "{first}");
        let second = stdout_of(&["learn", "hint", number, "--step", "2"]);
        let next = format!("`manyhands learn hint {number} --step 3`");
        assert!(second.contains(&next), "{second}");
        let third = stdout_of(&["learn", "hint", number, "--step", "3"]);
        assert!(third.contains("docs/solutions/"), "{third}");
        assert!(first != second && second != third);
        for text in [first, second, third] {
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(80), "{text}");
        }
    }
}

#[test]
fn bad_input_is_a_line() {
    for (arguments, parts) in [
        (&["learn", "chekc"] as &[_], &["chekc", "mean check?"] as &[_]),
        (&["learn", "check"], &["N is missing", "1 to 12"]),
        (&["learn", "hint"], &["N is missing", "1 to 12"]),
        (&["learn", "check", "0"], &["N is 0", "1 to 12"]),
        (&["learn", "check", "13"], &["N is 13", "1 to 12"]),
        (&["learn", "check", "-1"], &["N is -1", "1 to 12"]),
        (&["learn", "check", "one"], &["N is one", "1 to 12"]),
        (&["learn", "check", "1", "2"], &["2"]),
        (&["learn", "list", "1"], &["N is 1", "check and hint"]),
        (&["learn", "check", "1", "--step", "1"], &["--step is 1", "hint"]),
        (&["learn", "hint", "1", "--step", "4"], &["--step is 4", "1 to 3"]),
        (&["learn", "hint", "1", "--step", "0"], &["--step is 0", "1 to 3"]),
    ] {
        let ended = run(arguments);
        let line = failed(&ended, 2);
        for part in parts {
            assert!(line.contains(part), "{arguments:?}: {line}");
        }
    }
}

#[test]
fn outside_a_clone_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in
        [&["learn"] as &[_], &["learn", "check", "1"], &["learn", "hint", "1"]]
    {
        let ended = ended(Command::new(""), dir.path(), arguments);
        let line = failed(&ended, 2);
        assert!(line.contains("a clone of the repository"), "{line}");
    }
}

#[test]
fn the_clone_is_found_from_any_folder_in_it() {
    let dir = clone();
    let inner = dir.path().join("crates/exercises/e01/wrong");
    let ended = ended(Command::new(""), &inner, &["learn"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// A repository with the stubs in it, and nothing else.
fn clone() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let exercises = dir.path().join("crates/exercises");
    for number in 1..=EXERCISES {
        let folder = exercises.join(format!("e{number:02}"));
        fs::create_dir_all(folder.join("wrong")).unwrap();
        // The repository's own may have been written in: made of its docs.
        let parts = [1, 4, 4, 4, 4, 4, 5, 4, 5, 1, 1, 4][number - 1];
        let todo = format!("todo!(\"exercise {number:02}\")\n");
        fs::write(folder.join("answer.rs"), todo.repeat(parts)).unwrap();
    }
    fs::write(exercises.join("Cargo.toml"), "").unwrap();
    dir
}

/// The program in a folder, with the environment of `like`.
fn ended(like: Command, folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = command(arguments);
    command.current_dir(folder);
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    started(&mut command).end()
}

#[cfg(unix)]
mod with_a_cargo {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, Instant};

    use super::*;

    fn script(path: &Path, text: &str) {
        fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, mode).unwrap();
    }

    /// `learn check N` where cargo is this script, and what it builds is that.
    fn check(number: &str, cargo: &str, checks: &str) -> Ended {
        let dir = clone();
        let built = dir.path().join("built");
        script(&built, checks);
        let path = dir.path().join("cargo");
        script(&path, &cargo.replace("BUILT", &built.to_string_lossy()));
        let mut like = Command::new("");
        like.env("CARGO", &path);
        ended(like, dir.path(), &["learn", "check", number])
    }

    /// What cargo says of a test that it has built.
    const BUILDS: &str = r#"
        echo '{"reason":"compiler-artifact","target":{"name":"exercises"},"executable":null}'
        echo '{"reason":"compiler-artifact","target":{"name":"e02"},"executable":"BUILT"}'
        echo '{"reason":"build-finished","success":true}'"#;

    #[test]
    fn what_passes_leads_to_the_next_exercise() {
        let ended = check("2", BUILDS, "echo 'ok    one'; echo 'ok    two'");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for part in [
            "Exercise 2, ",
            "ok    two\n",
            "2 checks passed",
            "docs/solutions/02.md",
            "Next: exercise 3, ",
            "docs/course/03-who-closes-what.md",
        ] {
            assert!(ended.stdout.contains(part), "{part}: {ended:?}");
        }
    }

    #[test]
    fn what_fails_leads_to_the_hint() {
        let checks = "echo 'ok    one'
            echo 'FAIL  two'
            echo '      seen:  job 3 ran twice'
            exit 1";
        let ended = check("2", BUILDS, checks);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for part in [
            "seen:  job 3 ran twice\n",
            "1 of 2 checks failed",
            "`manyhands learn hint 2`",
            "docs/course/02-the-channel-pool.md",
        ] {
            assert!(ended.stdout.contains(part), "{part}: {ended:?}");
        }
    }

    #[test]
    fn a_program_without_checks_is_no_pass() {
        for checks in ["exit 0", "echo 'ok    one'; exit 1", "kill -9 $$"] {
            let ended = check("2", BUILDS, checks);
            assert_eq!(ended.code, Some(1), "{checks}: {ended:?}");
            assert!(!ended.stdout.contains("passed"), "{ended:?}");
        }
    }

    #[test]
    fn what_ctrl_c_has_ended_is_no_failure() {
        for (cargo, checks) in [
            ("kill -INT $$", ""),
            (BUILDS, "echo 'ok    one'; kill -INT $$"),
            (BUILDS, "echo 'FAIL  one'; kill -INT $$"),
        ] {
            let ended = check("2", cargo, checks);
            assert_eq!(ended.code, Some(130), "{ended:?}");
            for words in ["not built", "failed", "passed", "Next"] {
                assert!(!ended.stdout.contains(words), "{ended:?}");
            }
        }
    }

    #[test]
    fn what_cargo_has_left_running_is_not_waited_for() {
        let begin = Instant::now();
        let cargo = format!("{BUILDS}\nsleep 60 &");
        let ended = check("2", &cargo, "echo 'ok    one'");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(begin.elapsed() < Duration::from_secs(50), "it waited");
    }

    #[test]
    fn an_error_of_the_compiler_is_shown_as_it_is() {
        let cargo = "echo 'error[E0425]: cannot find value `x`' >&2
            echo '  --> e02/answer.rs:3:5' >&2
            exit 101";
        let ended = check("2", cargo, "");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("E0425"), "{ended:?}");
        assert!(ended.stderr.contains("answer.rs:3:5"), "{ended:?}");
        assert!(ended.stdout.contains("were not built"), "{ended:?}");
    }

    #[test]
    fn without_a_network_it_says_what_is_missing() {
        let cargo = "echo 'error: failed to download `shuttle v0.9.9`' >&2
            exit 101";
        let ended = check("2", cargo, "");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("needs a network once"), "{ended:?}");
    }

    #[test]
    fn without_a_cargo_it_says_so() {
        let dir = clone();
        let mut like = Command::new("");
        like.env("CARGO", dir.path().join("no cargo"));
        let ended = ended(like, dir.path(), &["learn", "check", "1"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("cannot run "), "{ended:?}");
    }
}
