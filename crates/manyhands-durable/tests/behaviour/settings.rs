//! What is not allowed is said, with its value, and what is.

use std::time::Duration;

use manyhands_durable::{
    Admin, Attempt, Backoff, Builder, DurableJob, Error, Failure, JobQueue,
    Rate, Submission,
};
use serde::{Deserialize, Serialize};

use crate::lab::{Lab, Task};

type Change = fn(Builder<Task>) -> Builder<Task>;

#[test]
fn a_setting_that_is_not_allowed_is_named() {
    let second = Duration::from_secs(1);
    let cases: [(Change, &[&str]); 10] = [
        (|it| it.workers(0), &["worker", "0", "1"]),
        (|it| it.workers(usize::MAX), &["worker", "18446744073709551615"]),
        (|it| it.limit(0), &["limit 0", "at least one"]),
        (|it| it.lease(Duration::from_secs(2)), &["lease 2s", "3s to 86400s"]),
        (|it| it.lease(Duration::MAX), &["lease", "3s to 86400s"]),
        (|it| it.poll(Duration::ZERO), &["poll 0ns", "10ms to 60s"]),
        (
            |it| it.cron("n", "61 * * * *", task()),
            &["\"61 * * * *\"", "five fields"],
        ),
        (
            |it| it.cron("a b", "* * * * *", task()),
            &["schedule \"a b\"", "1 to 64 of a-z"],
        ),
        (
            |it| {
                it.cron("n", "* * * * *", task()).cron(
                    "n",
                    "0 * * * *",
                    task(),
                )
            },
            &["two schedules are named 'n'"],
        ),
        (
            |it| {
                let name = manyhands_core::ThreadOptions::new().name("a\0b");
                it.threads(name)
            },
            &["name"],
        ),
    ];
    for (change, words) in cases {
        let error = change(JobQueue::builder()).in_process().unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        let text = error.to_string();
        for word in words {
            assert!(text.contains(word), "no {word:?} in: {text}");
        }
    }
    assert_eq!(Rate::new(0, second), None);
    assert_eq!(Rate::new(1, Duration::ZERO), None);
    let backoff = Backoff::exponential(second, 5 * second);
    let delays = [1, 2, 3, 4, 1000].map(|it| backoff.delay(it).as_secs());
    assert_eq!(delays, [1, 2, 4, 5, 5]);
}

fn task() -> Task {
    Lab::idle().task("a")
}

#[test]
fn a_submission_that_is_not_allowed_is_named() {
    let queue = JobQueue::<Task>::in_process(1).unwrap();
    let new = Submission::new;
    let cases = [
        (new().key(""), ["key", "0 bytes", "1 to 512"]),
        (new().key("x".repeat(513)), ["key", "513 bytes", "1 to 512"]),
        (new().key("a\0b"), ["key", "NUL", ""]),
        (new().serial("x".repeat(257)), ["serial", "257", "1 to 256"]),
        (new().trace_parent(""), ["trace parent", "0 bytes", "256"]),
        (new().max_attempts(0), ["0 attempts", "1 to 1000", ""]),
        (new().max_attempts(1001), ["1001 attempts", "1 to 1000", ""]),
    ];
    for (how, words) in cases {
        let refused = queue.submit_with(task(), how).unwrap_err();
        let text = refused.to_string();
        assert!(matches!(refused.error, Error::Invalid(_)), "{text}");
        for word in words {
            assert!(text.contains(word), "no {word:?} in: {text}");
        }
        assert_eq!(refused.job.name, "a");
    }
    assert_eq!(queue.counts().unwrap().unfinished(), 0);
}

#[derive(Serialize, Deserialize)]
struct Nameless;

impl DurableJob for Nameless {
    const KIND: &'static str = "'; DROP TABLE jobs; --";
    type Output = ();

    fn run(self, _: &Attempt) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn a_kind_that_is_no_name_is_refused() {
    let error = JobQueue::<Nameless>::in_process(1).unwrap_err().to_string();
    assert!(error.contains("DROP TABLE"), "{error}");
    assert!(error.contains("1 to 64 of a-z"), "{error}");
}

#[cfg(feature = "postgres")]
#[test]
fn no_error_shows_a_password() {
    let url = "postgres://hands:hunter2@127.0.0.1:1/nothing";
    let opened = [
        JobQueue::<Task>::postgres(url, 1).map(drop),
        Admin::open(url).map(drop),
    ];
    for opened in opened {
        let error = opened.unwrap_err();
        let texts = [error.to_string(), format!("{error:?}")];
        assert!(texts.iter().all(|it| !it.contains("hunter2")), "{error}");
    }
}

#[test]
fn what_is_not_there_is_not_made_for_an_administrator() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    assert!(Admin::open(path.to_str().unwrap()).is_err());
    assert!(!path.exists());
}

#[cfg(feature = "sqlite")]
#[test]
fn a_file_may_be_named_after_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password-resets.db");
    drop(JobQueue::<Task>::sqlite(&path, 1).unwrap());
    Admin::open(path.to_str().unwrap()).unwrap();
    let why = Admin::open("host=h password=hunter2").unwrap_err().to_string();
    assert!(!why.contains("hunter2"), "{why}");
}
