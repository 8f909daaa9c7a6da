//! Another program, whose lines are read as they come.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::interrupt::Interrupt;

/// How often it is looked whether it has ended, while it says nothing.
const LOOK: Duration = Duration::from_millis(100);

/// How long its lines are waited for once it has.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A line of another program.
#[derive(Debug)]
pub(super) enum Line {
    Out(String),
    Err(String),
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself.
    Itself(ExitStatus),
    /// It was ended, since it took too long.
    TooLong,
    /// It was ended by Ctrl-C.
    Interrupted,
}

enum News {
    Line(Line),
    Closed,
    Pressed,
}

/// Runs a program, and hands its lines on as they come.
pub(super) fn follow(
    command: &mut Command,
    limit: Duration,
    interrupt: &Interrupt,
    mut on_line: impl FnMut(Line) -> anyhow::Result<()>,
) -> anyhow::Result<Ended> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn();
    let mut child = child.with_context(|| format!("cannot run {name}"))?;
    let (sender, news) = channel();
    if let Some(stdout) = child.stdout.take() {
        read(stdout, Line::Out, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        read(stderr, Line::Err, sender.clone());
    }
    let _guard = interrupt.on_press(move || drop(sender.send(News::Pressed)));
    let end = Instant::now() + limit;
    // When it was seen to have ended.
    let mut gone: Option<Instant> = None;
    let mut open = 2;
    let mut ended = None;
    while open > 0 && ended.is_none() {
        match news.recv_timeout(LOOK) {
            Ok(News::Line(line)) => {
                if let Err(error) = on_line(line) {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(error);
                }
            }
            Ok(News::Closed) => open -= 1,
            Ok(News::Pressed) => ended = Some(Ended::Interrupted),
            // Whatever it has started and left may hold the pipes.
            Err(RecvTimeoutError::Timeout) => match gone {
                Some(gone) if gone.elapsed() > LAST_WORDS => open = 0,
                Some(_) => {}
                None if matches!(child.try_wait(), Ok(Some(_))) => {
                    gone = Some(Instant::now());
                }
                None => {}
            },
            // The guard has a sender.
            Err(RecvTimeoutError::Disconnected) => open = 0,
        }
        if open > 0 && ended.is_none() && Instant::now() >= end {
            ended = Some(Ended::TooLong);
        }
    }
    if ended.is_some() {
        let _ = child.kill();
    }
    let status = child.wait();
    let status = status.with_context(|| format!("cannot wait for {name}"))?;
    // A terminal tells both of Ctrl-C, and the other may be the first to end.
    if ended.is_none() && (interrupt.is_pressed() || by_ctrl_c(status)) {
        ended = Some(Ended::Interrupted);
    }
    Ok(ended.unwrap_or(Ended::Itself(status)))
}

#[cfg(unix)]
fn by_ctrl_c(status: ExitStatus) -> bool {
    const SIGINT: i32 = 2;
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(SIGINT)
}

#[cfg(not(unix))]
fn by_ctrl_c(_: ExitStatus) -> bool {
    false
}

fn read(
    pipe: impl Read + Send + 'static,
    which: fn(String) -> Line,
    sender: Sender<News>,
) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        while let Ok(Some(line)) = line(&mut pipe) {
            if sender.send(News::Line(which(line))).is_err() {
                return;
            }
        }
        let _ = sender.send(News::Closed);
    });
}

/// The next line, whatever bytes it has.
fn line(pipe: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if pipe.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}
