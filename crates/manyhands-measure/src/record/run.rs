//! One run, as a record in a file has it.

use std::time::Duration;

use super::{Runs, amount, within};
use crate::{Round, Spent, Switches};

/// One timed run, and the circumstances of its round.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Which round, from 1.
    pub round: u64,
    /// Which process made it, from 1.
    pub process: u64,
    /// Which it was within its round, from 1.
    pub place: u64,
    /// Whose run it is.
    pub variant: &'a str,
    /// How long it took.
    pub wall_ns: u64,
    /// For how long its threads had a core.
    pub cpu_ns: Option<u64>,
    /// How often they gave theirs away.
    pub voluntary: Option<u64>,
    /// How often it was taken from them.
    pub involuntary: Option<u64>,
    /// How long some thread of the machine was ready and had no core.
    pub pressure_ns: Option<u64>,
    /// The machine's, before the round.
    pub load: Option<f64>,
    /// Before the round.
    pub cache_line_ns: Option<f64>,
    /// After it.
    pub cache_line_after_ns: Option<f64>,
}

impl Run<'_> {
    /// What it took.
    pub(super) fn spent(&self) -> Result<Spent, String> {
        let switches = self.voluntary.zip(self.involuntary);
        if self.voluntary.is_some() != self.involuntary.is_some() {
            return Err("voluntary is known and involuntary is not, or the \
                        other way round; allowed is both or none"
                .into());
        }
        Ok(Spent {
            wall: Duration::from_nanos(self.wall_ns),
            cpu: self.cpu_ns.map(Duration::from_nanos),
            switches: switches.map(|(voluntary, involuntary)| Switches {
                voluntary,
                involuntary,
            }),
            pressure: self.pressure_ns.map(Duration::from_nanos),
        })
    }

    /// A round of which nothing has run, so many contenders.
    pub(super) fn begins(&self, contenders: usize) -> Result<Round, String> {
        within("process", self.process, &Runs::PROCESSES)?;
        let lines = [self.cache_line_ns, self.cache_line_after_ns];
        for (what, value) in [
            ("load", self.load),
            ("cache_line_ns", lines[0]),
            ("cache_line_after_ns", lines[1]),
        ] {
            if let Some(value) = value {
                amount(what, value)?;
            }
        }
        if lines[0].is_some() != lines[1].is_some() {
            return Err("cache_line_ns is known and cache_line_after_ns is \
                        not, or the other way round; allowed is both or none"
                .into());
        }
        Ok(Round {
            // Up to 64, as was checked.
            process: self.process as usize,
            order: Vec::new(),
            runs: vec![None; contenders],
            cache_line: lines[0].zip(lines[1]),
            load: self.load,
        })
    }
}
