use crate::program::{json_of, run, stdout_of, unwrapped};

/// Every bug, as the program lists them.
fn bugs() -> Vec<(String, String)> {
    let list = json_of(&["bug", "list", "--format", "json"]);
    assert_eq!(list["format"], "manyhands-bugs/1");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let bugs = list["bugs"].as_array().unwrap().iter();
    bugs.map(|bug| (text(&bug["name"]), text(&bug["ends"]))).collect()
}

fn check_width(text: &str) {
    let is_wide = |line: &&str| line.chars().count() > 80;
    assert_eq!(text.lines().find(is_wide), None);
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
}

#[test]
fn the_list_names_every_bug_in_every_format() {
    for format in ["table", "csv", "md"] {
        let listed = stdout_of(&["bug", "list", "--format", format]);
        for (name, _) in bugs() {
            assert!(listed.contains(&name), "{name} in {format}:\n{listed}");
        }
    }
    check_width(&stdout_of(&["bug", "list"]));
}

#[test]
fn each_is_shown_and_played_within_80_columns() {
    for (name, ends) in bugs() {
        let ended = run(&["bug", &name]);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
        check_width(&ended.stdout);
        let shown = ended.stdout;
        for part in [
            &format!("{name}: "),
            "fn broken(",
            "\na) ",
            &format!("\nIt {ends}"),
            "\nIt is ",
            "\nWhy: ",
            "\nHow it is found: ",
            &format!("\nThe mend: manyhands bug {name} --fixed\n"),
        ] {
            assert!(shown.contains(part), "{part:?} is not in:\n{shown}");
        }
        // Some are one thread, which no schedule is needed for.
        let has_schedule = shown.contains("\nThe schedule: ");
        assert_eq!(has_schedule, shown.contains("\n  1 "), "{shown}");
    }
}

#[test]
fn each_mend_is_shown_and_returns() {
    for (name, _) in bugs() {
        let ended = run(&["bug", &name, "--fixed"]);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
        check_width(&ended.stdout);
        for part in ["The mend: ", "fn fixed(", "\nIt returns.\n"] {
            assert!(ended.stdout.contains(part), "{part:?}: {ended:?}");
        }
    }
}

#[test]
fn the_threads_have_a_column_each_under_their_names() {
    let shown = stdout_of(&["bug", "lost-wakeup"]);
    let mut lines = shown.lines().skip_while(|it| !it.starts_with("    wor"));
    let head = lines.next().unwrap();
    let column = head.find("producer").unwrap();
    let steps: Vec<&str> = lines.take(4).collect();
    assert_eq!(&steps[0][..5], "  1 l", "{shown}");
    assert_eq!(&steps[1][..column], format!("{:<column$}", "  2"), "{shown}");
    assert!(steps[1][column..].starts_with("puts job 1"), "{shown}");
}

#[test]
fn of_a_hang_it_says_who_waits_for_what() {
    let shown = stdout_of(&["bug", "lost-wakeup"]);
    let end = "It hangs: nobody moves any more. - worker: waits to be woken ";
    assert!(unwrapped(&shown).contains(end), "{shown}");
}

#[test]
fn played_alone_it_is_what_the_whole_shows_in_the_middle() {
    for (name, _) in bugs() {
        for side in [&[][..], &["--fixed"]] {
            let words = [&["bug", &name][..], side].concat();
            let alone = stdout_of(&[&words[..], &["--play"]].concat());
            let whole = stdout_of(&words);
            let lines = alone.lines().count();
            assert!(lines >= 2 && lines < whole.lines().count(), "{alone}");
            assert!(whole.contains(&format!("\n{alone}")), "{alone}\n{whole}");
            assert!(!alone.contains("fn "), "{alone}");
        }
    }
}

#[test]
fn a_prediction_is_right_or_it_is_another() {
    let verdict = |letter| {
        let shown = stdout_of(&["bug", "lost-wakeup", "--predict", letter]);
        let line = shown.lines().find(|line| line.starts_with("You said"));
        line.unwrap().to_owned()
    };
    assert_eq!(verdict("b"), "You said b: right.");
    assert_eq!(verdict("B"), "You said b: right.");
    assert_eq!(verdict("a"), "You said a: it is b.");
}

#[test]
fn panics_of_a_play_are_in_the_play() {
    let ended = run(&["bug", "poisoned-queue"]);
    assert_eq!(ended.stderr, "");
    let shown = unwrapped(&ended.stdout);
    assert!(shown.contains("worker 2 panics: called"), "{shown}");
    assert!(shown.contains("PoisonError"), "{shown}");
}

#[test]
fn a_play_goes_into_the_file_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("play");
    let path = path.to_str().unwrap();
    let shown = stdout_of(&["bug", "lost-wakeup", "--output", path]);
    assert_eq!(shown, "");
    let kept = std::fs::read_to_string(path).unwrap();
    assert_eq!(kept, stdout_of(&["bug", "lost-wakeup"]));
}
