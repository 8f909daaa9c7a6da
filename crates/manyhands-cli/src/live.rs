//! `run --live`: the lanes as plain text, while they move.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use console::Term;

use crate::board::{Board, Lane};
use crate::output::{WIDTH, is_quiet};

/// Draws the board on stderr, if that is a terminal, until it is ended.
#[derive(Debug)]
pub(crate) struct Live {
    /// Dropped to end it.
    end: Sender<()>,
    thread: JoinHandle<Strip>,
}

/// How much time a column stands for.
const TICK: Duration = Duration::from_millis(100);

/// What stands before a lane.
const LABEL: usize = 10;

impl Live {
    pub(crate) fn start(board: Arc<Board>) -> Self {
        let (end, ended) = channel();
        let thread = thread::spawn(move || {
            let term = Term::stderr();
            let shown = term.is_term() && !is_quiet();
            let mut strip = Strip::new(WIDTH - LABEL);
            let mut lines = 0;
            loop {
                let waited = ended.recv_timeout(TICK);
                let (lanes, waiting) = board.now();
                strip.tick(&lanes, waiting);
                if shown {
                    // Where nobody can see it there is nothing to be done.
                    let _ = term.clear_last_lines(lines);
                    lines = 0;
                }
                if waited != Err(RecvTimeoutError::Timeout) {
                    return strip;
                }
                if shown {
                    let rows = usize::from(term.size().0);
                    let frame = strip.frame(rows.saturating_sub(4).max(1));
                    lines = frame.lines().count();
                    let _ = term.write_str(&frame);
                }
            }
        });
        Self { end, thread }
    }

    /// Takes it from the terminal, and returns how it looked in the end.
    pub(crate) fn end(self) -> String {
        drop(self.end);
        match self.thread.join() {
            Ok(strip) => strip.frame(usize::MAX),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// The last so many ticks of every lane.
#[derive(Debug)]
struct Strip {
    columns: usize,
    ticks: u64,
    lanes: Vec<Row>,
    waiting: VecDeque<char>,
    now_waiting: usize,
}

#[derive(Debug, Default)]
struct Row {
    cells: VecDeque<char>,
    /// What ran at the last tick.
    job: Option<u64>,
    /// How many had ended by then.
    ended: u64,
    /// What is still to be written of the job's number.
    label: VecDeque<char>,
}

impl Strip {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            ticks: 0,
            lanes: Vec::new(),
            waiting: VecDeque::new(),
            now_waiting: 0,
        }
    }

    /// One column more, of what is seen now.
    fn tick(&mut self, lanes: &[Lane], waiting: usize) {
        while self.lanes.len() < lanes.len() {
            // It had nothing to do before.
            let cells = self.waiting.iter().map(|_| '.').collect();
            self.lanes.push(Row { cells, ..Row::default() });
        }
        for (row, lane) in self.lanes.iter_mut().zip(lanes) {
            let cell = row.cell(lane.job(), lane.jobs);
            push(&mut row.cells, cell, self.columns);
        }
        let depth = match waiting {
            0 => '.',
            1..=9 => char::from(b'0' + waiting as u8),
            _ => '+',
        };
        push(&mut self.waiting, depth, self.columns);
        self.now_waiting = waiting;
        self.ticks += 1;
    }

    /// As text, with this many lanes at most.
    fn frame(&self, most: usize) -> String {
        let mut text = String::new();
        let mut line = |label: &str, cells: &VecDeque<char>| {
            let cells: String = cells.iter().collect();
            // A `String` takes everything.
            let _ = writeln!(text, "{label:<LABEL$}{cells}");
        };
        for (lane, row) in self.lanes.iter().enumerate().take(most) {
            line(&format!("worker {}", lane + 1), &row.cells);
        }
        line("waiting", &self.waiting);
        let hidden = self.lanes.len().saturating_sub(most);
        if hidden > 0 {
            let _ = writeln!(text, "and {hidden} more");
        }
        let seconds = self.ticks as f64 * TICK.as_secs_f64();
        let _ = writeln!(
            text,
            "{seconds:.1}s, a column is 0.1s: 7=== job 7 runs, * several did, \
             . none"
        );
        text
    }
}

impl Row {
    /// What is seen of a lane in which this job runs, and so many have ended.
    fn cell(&mut self, job: Option<u64>, ended: u64) -> char {
        let since = ended - self.ended;
        self.ended = ended;
        let is_new = job != self.job || since > 0;
        self.job = job;
        match job {
            None if since > 0 => '*',
            None => '.',
            Some(_) if since > 1 => {
                self.label.clear();
                '*'
            }
            Some(job) => {
                if is_new {
                    self.label = job.to_string().chars().collect();
                }
                self.label.pop_front().unwrap_or('=')
            }
        }
    }
}

fn push(cells: &mut VecDeque<char>, cell: char, most: usize) {
    if cells.len() == most {
        cells.pop_front();
    }
    cells.push_back(cell);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_shows_what_ran_when_and_what_was_too_brief_to_be_seen() {
        let mut row = Row::default();
        let seen = [
            (None, 0),
            (Some(12), 0),
            (Some(12), 0),
            (Some(12), 0),
            (Some(3), 1),
            (None, 2),
            (None, 2),
            (Some(9), 5),
            (Some(9), 5),
            (Some(9), 6),
        ];
        let cells: String = seen
            .into_iter()
            .map(|(job, ended)| row.cell(job, ended))
            .collect();
        assert_eq!(cells, ".12=3*.*=9");
    }

    #[test]
    fn the_strip_moves_and_has_a_row_a_lane_however_late_it_comes() {
        let mut strip = Strip::new(4);
        let lane = Lane::default();
        strip.tick(&[lane], 0);
        strip.tick(&[lane, lane], 3);
        for _ in 0..4 {
            strip.tick(&[lane, lane], 12);
        }
        let frame = strip.frame(1);
        let lines: Vec<_> = frame.lines().collect();
        assert_eq!(lines[0], "worker 1  ....");
        assert_eq!(lines[1], "waiting   ++++");
        assert_eq!(lines[2], "and 1 more");
        assert!(lines[3].starts_with("0.6s, "), "{frame}");
    }
}
