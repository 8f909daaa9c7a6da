//! What the work is, as the processes that measure find it, who alone look.

use anyhow::Context;
use manyhands_workloads::Workload;
use serde::{Deserialize, Serialize};

/// What is reported of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AboutWork {
    /// Its name, with its parameter.
    pub(crate) name: String,
    /// A phrase about it.
    pub(crate) summary: String,
    /// How many jobs it has.
    pub(crate) jobs: u64,
    /// How many inputs could not be read.
    pub(crate) unread: u64,
    /// The first of them, at most [`AboutWork::MOST_UNREAD`], each with the
    /// cause.
    pub(crate) first_unread: Vec<String>,
}

impl AboutWork {
    /// A million broken links are told by their number, and a screen of them.
    pub(crate) const MOST_UNREAD: usize = 100;

    pub(crate) fn of(workload: &Workload) -> Self {
        let mut unread = workload.unread();
        let first: Vec<_> = unread.by_ref().take(Self::MOST_UNREAD).collect();
        Self {
            name: workload.name().to_owned(),
            summary: workload.summary(),
            jobs: workload.len() as u64,
            unread: (first.len() + unread.count()) as u64,
            first_unread: first,
        }
    }

    pub(crate) fn to_line(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    pub(crate) fn from_line(line: &str) -> anyhow::Result<Self> {
        serde_json::from_str(line).context("a process tells of no work")
    }
}
