//! Each bug of the museum is what it says.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use manyhands_museum::{Act, Bug, Ends, bugs, play};

/// What was written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn acts(bug: &Bug) -> [(&'static str, &Act); 2] {
    [("broken", &bug.broken), ("fixed", &bug.fixed)]
}

#[test]
fn each_comes_to_what_it_says_and_is_the_same_each_time() {
    for bug in bugs() {
        for (which, act) in acts(bug) {
            let at = format!("{}, {which}", bug.name);
            let texts: BTreeSet<String> = (0..3)
                .map(|_| {
                    let kept = Kept::default();
                    let played = play(act, kept.clone());
                    assert_eq!(played.ends, act.ends, "{at}");
                    let text = kept.0.lock().unwrap().clone();
                    String::from_utf8(text).unwrap()
                })
                .collect();
            assert_eq!(texts.len(), 1, "{at}: {texts:#?}");
        }
        assert_eq!(bug.fixed.ends, Ends::Returns, "{}", bug.name);
    }
}

#[test]
fn the_whole_schedule_is_played() {
    for bug in bugs() {
        for (which, act) in acts(bug) {
            let played = play(act, io::sink());
            let events = played.stage.events();
            let order: Vec<&str> = events
                .iter()
                .map(|event| event.who)
                .filter(|who| !who.is_empty())
                .collect();
            assert_eq!(order, act.schedule, "{}, {which}", bug.name);
        }
    }
}

#[test]
fn every_step_is_on_a_line_of_the_listing() {
    for bug in bugs() {
        for (which, act) in acts(bug) {
            let lines: BTreeSet<usize> =
                act.lines().map(|(number, _)| number).collect();
            assert!(lines.len() > 3, "{}, {which}", bug.name);
            for event in play(act, io::sink()).stage.events() {
                assert!(
                    lines.contains(&(event.line as usize)),
                    "{}, {which}: {event:?} is not within {lines:?}",
                    bug.name,
                );
            }
        }
    }
}

#[test]
fn every_bug_has_its_words() {
    let names: BTreeSet<&str> = bugs().iter().map(|bug| bug.name).collect();
    assert_eq!(names.len(), bugs().len(), "a name is there twice");
    for bug in bugs() {
        let name = bug.name;
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(name.chars().all(is_plain), "{name}");
        assert!((2..=4).contains(&bug.answers.len()), "{name}");
        assert!(bug.right < bug.answers.len(), "{name}");
        assert!(bug.question.ends_with('?'), "{name}");
        for words in [bug.story, bug.why, bug.found, bug.mend] {
            assert!(words.ends_with('.'), "{name}: {words}");
            assert!(!words.contains("  "), "{name}: {words}");
        }
        for (_, act) in acts(bug) {
            for (number, line) in act.lines() {
                assert!(line.len() <= 79, "{name}:{number}: {line}");
            }
        }
    }
}
