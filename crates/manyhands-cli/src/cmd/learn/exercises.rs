//! Which exercises there are, and where.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::args::Usage;

/// One exercise of the course.
#[derive(Debug)]
pub(super) struct Exercise {
    pub(super) number: usize,
    pub(super) title: &'static str,
    /// What it takes, by guess; its chapter says the same.
    pub(super) minutes: u8,
    /// The name of its chapter's page.
    pub(super) chapter: &'static str,
    /// How many functions the reader writes.
    parts: usize,
}

const fn exercise(
    number: usize,
    title: &'static str,
    minutes: u8,
    chapter: &'static str,
    parts: usize,
) -> Exercise {
    Exercise { number, title, minutes, chapter, parts }
}

/// All of them, in order.
#[rustfmt::skip]
pub(super) const EXERCISES: &[Exercise] = &[
    exercise(1, "three threads, five jobs", 12, "01-why-a-pool", 1),
    exercise(2, "workers share a receiver", 14, "02-the-channel-pool", 4),
    exercise(3, "results that end", 14, "03-who-closes-what", 4),
    exercise(4, "a queue that may be full", 13, "04-backpressure", 4),
    exercise(5, "a queue that waits", 17, "05-waiting-right", 4),
    exercise(6, "drain and abort", 14, "06-the-dispatcher", 4),
    exercise(7, "panics and first errors", 20, "07-when-jobs-fail", 5),
    exercise(8, "a semaphore", 10, "08-how-many-workers", 4),
    exercise(9, "queues in numbers", 12, "09-queues-and-latency", 5),
    exercise(10, "a map in order", 11, "10-cpu-work", 1),
    exercise(11, "so many futures at once", 25, "11-async", 1),
    exercise(12, "what can be said", 20, "12-measure-and-choose", 4),
];

impl Exercise {
    /// `e01`: its folder and its test.
    pub(super) fn name(&self) -> String {
        format!("e{:02}", self.number)
    }

    /// How far an answer is, by what is left of the stub.
    pub(super) fn state(&self, answer: &str) -> &'static str {
        let left = format!("todo!(\"exercise {:02}\")", self.number);
        match answer.matches(&left).count() {
            0 => "written",
            left if left < self.parts => "begun",
            _ => "not begun",
        }
    }
}

/// The repository that somebody learns in.
#[derive(Debug)]
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    /// Looks for it from the working folder upwards.
    pub(super) fn find() -> anyhow::Result<Self> {
        let folder =
            env::current_dir().context("cannot tell the working folder")?;
        let is_root = |folder: &&Path| manifest(folder).is_file();
        match folder.ancestors().find(is_root) {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => Err(Usage(format!(
                "the working folder is {}, allowed is one in a clone of the \
                 repository, where crates/exercises is",
                folder.display()
            ))
            .into()),
        }
    }

    /// The workspace of the exercises.
    pub(super) fn manifest(&self) -> PathBuf {
        manifest(&self.root)
    }

    /// The folder of an exercise.
    pub(super) fn folder(&self, exercise: &Exercise) -> PathBuf {
        self.root.join("crates/exercises").join(exercise.name())
    }

    /// What the reader writes in.
    pub(super) fn answer(&self, exercise: &Exercise) -> PathBuf {
        self.folder(exercise).join("answer.rs")
    }
}

fn manifest(root: &Path) -> PathBuf {
    root.join("crates/exercises/Cargo.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_from_one_up() {
        let numbers = EXERCISES.iter().map(|it| it.number);
        assert!(numbers.eq(1..=EXERCISES.len()));
    }

    #[test]
    fn the_state_is_told_by_what_is_left_of_the_stub() {
        let two = exercise(3, "", 0, "", 2);
        let left = "todo!(\"exercise 03\")";
        assert_eq!(two.state(&format!("{left} {left}")), "not begun");
        assert_eq!(two.state(&format!("{left} done")), "begun");
        assert_eq!(two.state("done todo!(\"exercise 30\")"), "written");
    }
}
