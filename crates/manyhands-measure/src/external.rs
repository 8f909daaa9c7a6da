//! Programs of other languages.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::child::CHILD;
use crate::{Contender, Ran, Spent, Stopwatch, Wrong};

/// A contender that is a program of its own, of any language.
///
/// It is started once and then told again and again, by a line on its
/// standard input, **how many jobs** to run. It runs them, and prints one
/// line with three fields and a space between them: how many **nanoseconds**
/// that took, the **CPU time** it used meanwhile, in nanoseconds (or `-`, if
/// it cannot tell), and the **answer**, which must be the one that is
/// expected. When its standard input ends, it ends.
///
/// ```text
/// to the program     1000000
/// from the program   73112840 139004000 499999500000
/// ```
///
/// ```
/// use std::process::Command;
/// use manyhands_measure::{Contender, External};
///
/// let mut command = Command::new("sh");
/// // It claims to take a nanosecond a job.
/// command.args(["-c", "while read jobs; do echo $jobs - $jobs; done"]);
/// let mut liar = External::start("liar", command, 1000, "1000")?;
/// let ran = liar.run().unwrap();
/// assert_eq!(ran.spent.wall.as_nanos(), 1000);
/// assert_eq!(ran.spent.cpu, None);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct External {
    name: String,
    jobs: u64,
    answer: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl External {
    /// Starts the program, which will be told to run so many jobs, and must
    /// then give this answer.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn start(
        name: impl Into<String>,
        mut command: Command,
        jobs: u64,
        answer: impl Into<String>,
    ) -> io::Result<Self> {
        // It is none of those that measure, even if it is such a program.
        command.env_remove(CHILD);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let Some(stdout) = child.stdout.take() else {
            return Err(io::Error::other("it has no pipe"));
        };
        Ok(Self {
            name: name.into(),
            jobs,
            answer: answer.into(),
            stdin: child.stdin.take(),
            stdout: BufReader::new(stdout),
            child,
        })
    }

    /// Tells it to run, and returns the line with which it answers.
    fn ask(&mut self) -> io::Result<String> {
        if let Some(stdin) = &mut self.stdin {
            stdin.write_all(format!("{}\n", self.jobs).as_bytes())?;
            stdin.flush()?;
        }
        let mut line = String::new();
        match self.stdout.read_line(&mut line)? {
            0 => Err(io::Error::other("it ended")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// What it says, unless it is not what it should be.
    fn understand(&self, line: &str) -> Option<Spent> {
        let (wall, rest) = line.split_once(' ')?;
        let (cpu, answer) = rest.split_once(' ')?;
        let wall = Duration::from_nanos(wall.parse().ok()?);
        let cpu = match cpu {
            "-" => None,
            cpu => Some(Duration::from_nanos(cpu.parse().ok()?)),
        };
        let spent = Spent { wall, cpu, ..Spent::default() };
        (answer == self.answer).then_some(spent)
    }
}

impl Contender for External {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&mut self) -> Result<Ran, Wrong> {
        // Of this, only what is true of the whole machine: it is not this
        // process that works.
        let watch = Stopwatch::start();
        let name = &self.name.clone();
        let line = self
            .ask()
            .map_err(|why| Wrong(format!("{name} does not answer: {why}")))?;
        let pressure = watch.stop().pressure;
        let spent = self.understand(&line).ok_or_else(|| {
            let line: String = line.chars().take(60).collect();
            let (line, answer) = (line.escape_debug(), &self.answer);
            Wrong(format!(
                "{name} prints '{line}', allowed is its nanoseconds, its CPU \
                 time and the answer {answer}"
            ))
        })?;
        Ok(Ran::whole(Spent { pressure, ..spent }, self.jobs))
    }
}

impl Drop for External {
    fn drop(&mut self) {
        // It waits to be told something, and has nothing to put in order.
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> External {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        External::start("shell", command, 9, "a b").unwrap()
    }

    #[test]
    fn a_program_is_told_the_jobs_and_tells_the_times_and_the_answer() {
        let mut shell = shell("while read n; do echo 70$n 80$n a b; done");
        for _ in 0..3 {
            let Ran { spent, answers, stopped } = shell.run().unwrap();
            assert_eq!(spent.wall, Duration::from_nanos(709));
            assert_eq!(spent.cpu, Some(Duration::from_nanos(809)));
            assert_eq!((answers, stopped), (9, false));
        }
    }

    #[test]
    fn a_wrong_answer_a_riddle_and_an_end_are_told_in_a_line() {
        for (script, why) in [
            ("read n; echo 1 2 c", "shell prints '1 2 c', allowed is"),
            ("read n; echo 1 a b", "shell prints '1 a b', allowed is"),
            ("read n; echo", "shell prints '', allowed is"),
            ("read n", "shell does not answer: it ended"),
        ] {
            let Wrong(line) = shell(script).run().unwrap_err();
            assert!(line.starts_with(why), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
    }
}
