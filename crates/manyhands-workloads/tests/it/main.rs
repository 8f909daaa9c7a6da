//! What the workloads promise, seen from outside.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod files;
mod hostile;
mod jobs;
mod parsing;
mod tallies;
mod tasks;

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use manyhands_core::{InlinePool, WorkerPoolExt};
use manyhands_workloads::{
    Checked, FileError, FileReport, Settings, Workload, WorkloadError,
    WrongAnswer,
};

/// Parses a workload that reads this directory, if it reads any.
fn parse(spec: &str, input: &Path) -> Result<Workload, WorkloadError> {
    let settings =
        Settings { input: Some(input.into()), ..Settings::default() };
    Workload::parse(spec, &settings)
}

/// The files of a directory, or what is wrong with it; hangs for a while at
/// most.
fn files(input: &Path) -> Result<Workload, WorkloadError> {
    let input = input.to_owned();
    within_time(move || parse("files", &input))
}

fn jobs(spec: &str, jobs: usize) -> Workload {
    let settings = Settings { jobs: Some(jobs), ..Settings::default() };
    Workload::parse(spec, &settings).unwrap()
}

/// Runs all jobs on the inline pool, and checks the answers.
fn run(workload: &Workload) -> Result<Checked, WrongAnswer> {
    let mut tally = workload.tally();
    let pool = InlinePool::new();
    let fed =
        pool.run_all(workload.jobs(), |done| tally.add(done.id, done.outcome));
    assert_eq!(fed.unwrap(), workload.len() as u64);
    tally.check(false)
}

/// What each file under a directory holds, with its path from there.
fn reports(input: &Path) -> Vec<(String, Result<FileReport, FileError>)> {
    let input = input.to_owned();
    within_time(move || {
        let workload = parse("files", &input).unwrap();
        workload
            .reports()
            .map(|(path, report)| {
                let path = path.strip_prefix(&input).unwrap();
                (path.display().to_string(), report)
            })
            .collect()
    })
}

fn names(input: &Path) -> Vec<String> {
    reports(input).into_iter().map(|(name, _)| name).collect()
}

fn write(directory: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The watchdog: fails if it takes longer than anything here can.
fn within_time<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (result, done) = mpsc::channel();
    let thread = thread::spawn(move || result.send(work()));
    match done.recv_timeout(Duration::from_secs(60)) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().unwrap_err())
        }
    }
}
