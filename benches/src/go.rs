//! The contenders in Go: the program in `go/`, which runs the tutorials'
//! patterns on the same jobs, with the standard library of Go alone.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::contenders::{Sizes, Way};
use crate::work::{Sum, What, Work};

/// One of the program's patterns.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// Its name in a table.
    pub name: &'static str,
    /// How jobs are handed over.
    pub way: Way,
    /// What it does not do, or does otherwise, than a variant.
    pub bends: &'static str,
    /// Its name on the program's command line.
    argument: &'static str,
}

/// All of them.
pub const PATTERNS: [Pattern; 6] = {
    const BENDS: &str = "no ids; a panic ends the process; results bounded";
    const fn single(name: &'static str, argument: &'static str) -> Pattern {
        Pattern { name, way: Way::Single, bends: BENDS, argument }
    }
    [
        single("go-channels", "channels"),
        single("go-struct", "struct"),
        single("go-dispatcher", "dispatcher"),
        single("go-semaphore", "semaphore"),
        single("go-errgroup", "errgroup"),
        Pattern {
            name: "go-slices",
            way: Way::Batch,
            bends: BENDS,
            argument: "slices",
        },
    ]
};

/// Builds the program beside the one that runs.
///
/// # Errors
///
/// Why there is none, in a line: no toolchain, most likely.
pub fn build() -> Result<PathBuf, String> {
    let program = program().map_err(|why| why.to_string())?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
    let output = Command::new("go")
        .arg("build")
        .arg("-o")
        .arg(&program)
        .arg(".")
        .current_dir(&sources)
        // The one that is here, or none.
        .env("GOTOOLCHAIN", "local")
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(program),
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.lines().find(|line| !line.starts_with('#'));
            let why = why.unwrap_or("it does not say why").escape_debug();
            Err(format!("`go build` failed: {why}"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("there is no `go` on the PATH".to_owned())
        }
        Err(error) => Err(format!("`go` cannot be started: {error}")),
    }
}

/// Where the program is, once it is built.
///
/// # Errors
///
/// When the running program does not know where it is itself.
pub fn program() -> io::Result<PathBuf> {
    let name = format!("manyhands-go{}", std::env::consts::EXE_SUFFIX);
    Ok(std::env::current_exe()?.with_file_name(name))
}

impl Pattern {
    /// What starts the program with this pattern. It then reads a number of
    /// jobs from its standard input, line by line, and answers each with its
    /// nanoseconds, its processor time, and the [`answer`]. `None` for work
    /// that it does not know.
    pub fn command(
        &self,
        program: &Path,
        sizes: Sizes,
        work: &Work,
    ) -> Option<Command> {
        let mut text = String::new();
        match (work.what(), work.sizes()) {
            (_, Some(sizes)) => {
                for (place, rounds) in sizes.iter().enumerate() {
                    let before = if place == 0 { "skew:" } else { "," };
                    write!(text, "{before}{rounds}").ok()?;
                }
            }
            (What::Spin(rounds), None) => {
                write!(text, "spin:{rounds}").ok()?
            }
            (What::Sleep(micros), None) => {
                write!(text, "sleep:{micros}").ok()?;
            }
            _ => return None,
        }
        let mut command = Command::new(program);
        command.arg("-pattern").arg(self.argument).arg("-work").arg(text);
        command.arg("-workers").arg(sizes.workers.to_string());
        command.arg("-queue").arg(sizes.queue.to_string());
        Some(command)
    }
}

/// How the program prints what came back.
pub fn answer(sum: Sum) -> String {
    let Sum { jobs, failed, digest } = sum;
    format!("{jobs} {failed} {digest:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_gives_the_answers_of_a_loop_if_there_is_go() {
        let program = match build() {
            Ok(program) => program,
            Err(why) => return eprintln!("skipped: {why}"),
        };
        let sizes = Sizes { workers: 2, queue: 8 };
        for work in ["noop", "spin:7x", "skew:1us", "sleep:10us"] {
            let work = Work::parse(work).unwrap();
            for pattern in &PATTERNS {
                for jobs in [1, 300] {
                    let mut command =
                        pattern.command(&program, sizes, &work).unwrap();
                    command.arg("-jobs").arg(jobs.to_string());
                    let output = command.output().unwrap();
                    let line = String::from_utf8(output.stdout).unwrap();
                    let answer = answer(work.expected(jobs));
                    assert!(
                        line.trim_end().ends_with(&format!(" {answer}")),
                        "{} on {}: {line:?}, not {answer}",
                        pattern.name,
                        work.name(),
                    );
                }
            }
        }
    }
}
