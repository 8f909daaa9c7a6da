//! One run, as a record in a file has it.

use std::time::Duration;

use manyhands_measure::{Round, Spent, Switches};

use super::{Record, amount, within};

/// One timed run, and the circumstances of its round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    pub(crate) round: u64,
    pub(crate) process: u64,
    pub(crate) place: u64,
    pub(crate) variant: &'a str,
    pub(crate) wall_ns: u64,
    pub(crate) cpu_ns: Option<u64>,
    pub(crate) voluntary: Option<u64>,
    pub(crate) involuntary: Option<u64>,
    pub(crate) pressure_ns: Option<u64>,
    /// The machine's, before the round.
    pub(crate) load: Option<f64>,
    /// Before the round.
    pub(crate) cache_line_ns: Option<f64>,
    /// After it.
    pub(crate) cache_line_after_ns: Option<f64>,
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
        within("process", self.process, &Record::PROCESSES)?;
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
