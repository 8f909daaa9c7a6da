//! What a command prints.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::fence;

/// A command that a page shows the output of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shown {
    /// As a reader writes it.
    command: String,
    program: Program,
    arguments: Vec<String>,
    /// It prints something else each time: what is shown was one of them.
    pub(crate) varies: bool,
    /// It is meant to end with another code than 0.
    fails: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Program {
    Manyhands,
    Example { package: String, example: String, release: bool },
}

const ALLOWED: &str = "allowed is `manyhands …` or `cargo run -q \
                       [--release] -p X --example Y [-- …]`, and after it \
                       `varies` or `fails`";

impl Shown {
    /// # Errors
    ///
    /// What is wrong with the command, and what is allowed.
    pub(crate) fn parse(asked: &str) -> Result<Self, String> {
        let refused = || format!("`{asked}` cannot be shown, {ALLOWED}");
        if asked.contains(['"', '\'', '|', '>', '<', ';', '&', '$', '\\']) {
            return Err(refused());
        }
        let mut words: Vec<&str> = asked.split_whitespace().collect();
        let (mut varies, mut fails) = (false, false);
        while let Some(last) = words.last() {
            match *last {
                "varies" => varies = true,
                "fails" => fails = true,
                _ => break,
            }
            words.pop();
        }
        let (program, rest) = match words.as_slice() {
            ["manyhands", rest @ ..] => (Program::Manyhands, rest),
            ["cargo", "run", rest @ ..] => {
                example(rest).ok_or_else(refused)?
            }
            _ => return Err(refused()),
        };
        let arguments = rest.iter().map(|&word| word.to_owned()).collect();
        let command = words.join(" ");
        Ok(Self { command, program, arguments, varies, fails })
    }

    /// A block as a page has it, with the command as its first line: the
    /// marker that names it is a comment, which nobody sees who reads the
    /// page.
    pub(crate) fn under_its_command(&self, block: &str) -> String {
        let command = &self.command;
        let block = block.replace("\r\n", "\n");
        let mut lines = block.split_inclusive('\n');
        let fence = lines.next().unwrap_or_default();
        let mut rest: String = lines.collect();
        if rest.starts_with("$ ") {
            let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
            rest.drain(..end);
        }
        format!("{fence}$ {command}\n{rest}")
    }

    /// What builds it, in the words of cargo: with the features that all
    /// members ask for, as tests and the main job are built, so that nothing
    /// is built twice.
    fn build(&self) -> Vec<&str> {
        match &self.program {
            Program::Manyhands => vec!["--release", "--bin", "manyhands"],
            Program::Example { example, release, .. } => {
                let mut words = match release {
                    true => vec!["--release"],
                    false => vec![],
                };
                words.extend(["--example", example]);
                words
            }
        }
    }

    /// Where its source is, if it is an example: cargo looks for it in all
    /// members, a reader in the one that is named.
    fn source(&self) -> Option<PathBuf> {
        match &self.program {
            Program::Manyhands => None,
            Program::Example { package, example, .. } => Some(
                ["crates", package, "examples", &format!("{example}.rs")]
                    .iter()
                    .collect(),
            ),
        }
    }
}

/// Understands what comes after `cargo run`: what is run, and its arguments.
fn example<'a>(words: &'a [&'a str]) -> Option<(Program, &'a [&'a str])> {
    let (words, rest) = match words.iter().position(|word| *word == "--") {
        Some(place) => (&words[..place], &words[place + 1..]),
        None => (words, &[][..]),
    };
    let (mut package, mut example, mut release) = (None, None, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "-q" | "--quiet" => {}
            "--release" => release = true,
            "-p" | "--package" => package = words.next(),
            "--example" => example = words.next(),
            _ => return None,
        }
    }
    let (package, example) = (package?.to_string(), example?.to_string());
    Some((Program::Example { package, example, release }, rest))
}

/// Runs commands in the repository: each once, and not for longer than a
/// minute.
#[derive(Debug)]
pub(crate) struct Runner {
    root: PathBuf,
    limit: Duration,
    printed: HashMap<Shown, Result<String, String>>,
}

impl Runner {
    pub(crate) fn new(root: PathBuf) -> Self {
        let limit = Duration::from_secs(60);
        Self { root, limit, printed: HashMap::new() }
    }

    /// What the command prints, as a block of text.
    ///
    /// # Errors
    ///
    /// What went wrong, in a line.
    pub(crate) fn block(
        &mut self,
        shown: &Shown,
        asked: &str,
    ) -> Result<String, String> {
        if let Some(known) = self.printed.get(shown) {
            return known.clone();
        }
        // It takes minutes in all. Nobody may be reading.
        let _ = writeln!(io::stderr(), "{asked}");
        let made = self.run(shown);
        self.printed.insert(shown.clone(), made.clone());
        made
    }

    fn run(&self, shown: &Shown) -> Result<String, String> {
        if let Some(source) = shown.source()
            && !self.root.join(&source).is_file()
        {
            return Err(format!("there is no {}", source.display()));
        }
        let mut build = self.cargo("build");
        build.args(shown.build()).stdout(Stdio::null());
        let built = build.status().map_err(|error| error.to_string())?;
        if !built.success() {
            return Err("it cannot be built".into());
        }
        let mut run = self.cargo("run");
        run.args(shown.build()).arg("--").args(&shown.arguments);
        run.stdout(Stdio::piped()).stderr(Stdio::piped());
        let printed = watched(&mut run, self.limit)?;
        match (printed.code, shown.fails) {
            (Some(0), true) => {
                return Err("it ended with 0, and is said to fail".into());
            }
            (Some(0), false) | (Some(_), true) => {}
            (code, _) => {
                let code =
                    code.map_or("a signal".into(), |code| code.to_string());
                let last = printed.stderr.trim().lines().last();
                return Err(format!(
                    "it ended with {code}: {}",
                    last.unwrap_or_default().trim()
                ));
            }
        }
        block(&printed.stdout).map(|block| shown.under_its_command(&block))
    }

    fn cargo(&self, verb: &str) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
        let mut command = Command::new(cargo);
        command.args([verb, "--quiet"]).current_dir(&self.root);
        command.env("NO_COLOR", "1").env("CARGO_TERM_COLOR", "never");
        command.env_remove("RUST_BACKTRACE");
        command.stdin(Stdio::null());
        command
    }
}

/// As text that a page can have.
fn block(printed: &str) -> Result<String, String> {
    if let Some(sign) =
        printed.chars().find(|sign| sign.is_control() && *sign != '\n')
    {
        return Err(format!(
            "it printed {sign:?}, allowed is plain text without colours"
        ));
    }
    let lines = printed.trim_end().lines().map(str::trim_end);
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    if text.trim().is_empty() {
        return Err("it printed nothing, allowed is a line or more".into());
    }
    Ok(fence::block("text", &text))
}

struct Printed {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs a command to its end, or ends it after so long.
fn watched(command: &mut Command, limit: Duration) -> Result<Printed, String> {
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let end = Instant::now() + limit;
    let code = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code(),
            Ok(None) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(5));
            }
            Ok(None) => {
                stop(&mut child);
                let seconds = limit.as_secs_f64();
                return Err(format!(
                    "it had not ended after {seconds} s, allowed is less"
                ));
            }
            Err(error) => {
                stop(&mut child);
                return Err(error.to_string());
            }
        }
    };
    let left = end.saturating_duration_since(Instant::now());
    let text = |pipe: mpsc::Receiver<Vec<u8>>| {
        // Whoever was started by it and outlives it may hold the pipe.
        let bytes = pipe.recv_timeout(left.max(Duration::from_secs(1)));
        let bytes = bytes.map_err(|_| "what it started goes on".to_owned())?;
        String::from_utf8(bytes)
            .map_err(|_| "it printed what is not UTF-8".to_owned())
    };
    Ok(Printed { code, stdout: text(stdout)?, stderr: text(stderr)? })
}

/// One that has ended already needs no ending.
fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn reader(
    pipe: Option<impl Read + Send + 'static>,
) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read up to an error is all that there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        // Nobody may be waiting for it any more.
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_command_is_one_of_two_forms() {
        let shown = Shown::parse("manyhands bug lost-wakeup").unwrap();
        assert_eq!(shown.program, Program::Manyhands);
        assert_eq!(shown.arguments, ["bug", "lost-wakeup"]);
        assert!(!shown.varies && !shown.fails);

        let asked = "cargo run -q -p a --example b -- c varies";
        let shown = Shown::parse(asked).unwrap();
        let build = ["--example", "b"];
        assert_eq!((shown.build(), shown.varies), (build.into(), true));
        let source = Path::new("crates/a/examples/b.rs");
        assert_eq!(shown.source().as_deref(), Some(source));
        assert_eq!(shown.arguments, ["c"]);

        for refused in [
            "ls",
            "manyhands list | head",
            "cargo run -q",
            "cargo run -q -p a",
            "cargo test",
            "cargo run -p a --example b --features c",
        ] {
            let why = Shown::parse(refused).unwrap_err();
            assert!(why.contains("allowed is `manyhands"), "{why}");
        }
    }

    #[test]
    fn a_block_begins_with_its_command_and_has_it_once() {
        let asked = "cargo run -q -p a --example b varies";
        let shown = Shown::parse(asked).unwrap();
        let right = "```text\n$ cargo run -q -p a --example b\nc\n```\n";
        let before = "```text\n$ manyhands list\nc\n```\n";
        let crlf = "```text\r\nc\r\n```\r\n";
        for old in ["```text\nc\n```\n", crlf, before, right] {
            assert_eq!(shown.under_its_command(old), right);
        }
    }

    #[test]
    fn what_is_printed_is_plain_text() {
        let text = block("a  \n\n b\n\n\n").unwrap();
        assert_eq!(text, "```text\na\n\n b\n```\n");
        assert!(block("\x1b[1ma\n").unwrap_err().contains("allowed"));
        assert!(block(" \n").unwrap_err().contains("nothing"));
    }

    #[test]
    #[cfg(unix)]
    fn a_command_that_does_not_end_is_ended() {
        let mut sleep = Command::new("sleep");
        sleep.arg("600").stdout(Stdio::piped()).stderr(Stdio::piped());
        let limit = Duration::from_millis(50);
        let refused = watched(&mut sleep, limit).err().unwrap();
        assert!(refused.contains("had not ended"), "{refused}");

        let mut echo = Command::new("echo");
        echo.arg("a").stdout(Stdio::piped()).stderr(Stdio::piped());
        let printed = watched(&mut echo, Duration::from_secs(20)).unwrap();
        assert_eq!((printed.code, &*printed.stdout), (Some(0), "a\n"));
    }
}
