//! Reads ledgers while they are written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::ledger::{Entry, entries};

/// The name of workers of the next release.
pub(crate) const NEW_WORKER: &str = "newworker";

/// An attempt that began.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) id: i64,
    pub(crate) attempt: u32,
    pub(crate) at: u64,
    /// The process, and whether it is of the next release.
    pub(crate) pid: u32,
    pub(crate) is_new: bool,
}

/// Who says it.
#[derive(Clone, Copy)]
struct Who {
    pid: u32,
    is_new: bool,
    is_producer: bool,
}

/// What was said so far.
#[derive(Debug)]
pub(crate) struct Follow {
    folder: PathBuf,
    read: HashMap<PathBuf, u64>,
    /// By producers.
    pub(crate) committed: usize,
    /// Submissions of theirs that returned an error.
    pub(crate) failed: usize,
    /// By key.
    pub(crate) starts: BTreeMap<String, Vec<Start>>,
    /// By id and attempt: when it ended.
    pub(crate) ends: HashMap<(i64, u32), u64>,
    /// Keys.
    pub(crate) unknown: BTreeSet<String>,
}

impl Follow {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.join("ledgers"),
            read: HashMap::new(),
            committed: 0,
            failed: 0,
            starts: BTreeMap::new(),
            ends: HashMap::new(),
            unknown: BTreeSet::new(),
        }
    }

    /// Reads what is new.
    pub(crate) fn look(&mut self) -> Result<()> {
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let length = path.metadata()?.len();
            let from = self.read.get(&path).copied().unwrap_or(0);
            if length <= from {
                continue;
            }
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(from))?;
            let mut text = String::new();
            file.take(length - from).read_to_string(&mut text)?;
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let pid = name.rsplit('-').next().and_then(|it| it.parse().ok());
            let who = Who {
                pid: pid.unwrap_or(0),
                is_new: name.starts_with(NEW_WORKER),
                is_producer: name.starts_with("producer"),
            };
            for entry in entries(&text[..whole])? {
                self.enter(entry, who);
            }
            self.read.insert(path, from + whole as u64);
        }
        Ok(())
    }

    fn enter(&mut self, entry: Entry, who: Who) {
        let Who { pid, is_new, is_producer } = who;
        match entry {
            Entry::Committed { .. } if is_producer => self.committed += 1,
            Entry::Failed { .. } => self.failed += 1,
            Entry::Unknown { key } => {
                self.unknown.insert(key);
            }
            Entry::Start { id, key, attempt, at, .. } => {
                let start = Start { id, attempt, at, pid, is_new };
                self.starts.entry(key).or_default().push(start);
            }
            Entry::End { id, attempt, at, .. } => {
                self.ends.insert((id, attempt), at);
            }
            _ => {}
        }
    }

    /// The attempts at the job of this key that began.
    pub(crate) fn of(&self, key: &str) -> &[Start] {
        self.starts.get(key).map_or(&[], Vec::as_slice)
    }
}
