//! Another program, whose lines are read as they come.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::interrupt::Interrupt;

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
    let mut open = 2;
    let mut ended = None;
    while open > 0 && ended.is_none() {
        match news.recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            Ok(News::Line(line)) => {
                if let Err(error) = on_line(line) {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(error);
                }
            }
            Ok(News::Closed) => open -= 1,
            Ok(News::Pressed) => ended = Some(Ended::Interrupted),
            Err(RecvTimeoutError::Timeout) => ended = Some(Ended::TooLong),
            // The guard has a sender.
            Err(RecvTimeoutError::Disconnected) => open = 0,
        }
    }
    if ended.is_some() {
        let _ = child.kill();
    }
    let status = child.wait();
    let status = status.with_context(|| format!("cannot wait for {name}"))?;
    Ok(ended.unwrap_or(Ended::Itself(status)))
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
