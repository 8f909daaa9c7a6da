//! What a process has to say for itself: a file of lines, each of which is on
//! disk before it counts.
//!
//! A process has its own file, so that only a last line can be torn, and one
//! is ignored: what was not written to its end was not said.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use nix::time::{ClockId, clock_gettime};

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A job is about to be submitted.
    Intent { key: String, checksum: u64, serial: Option<String> },
    /// The submission returned `Ok`.
    Committed { key: String, id: i64 },
    /// It is not known whether it was stored. It is submitted again.
    Unknown { key: String },
    /// The submission returned an error that says it was not stored.
    Failed { key: String },
    /// It was refused, and is never submitted again.
    Refused { key: String },
    /// An attempt begins.
    Start {
        id: i64,
        key: String,
        attempt: u32,
        token: String,
        checksum: u64,
        at: u64,
    },
    /// What the job does to the world was done.
    Effect { id: i64, key: String, attempt: u32 },
    /// An attempt ends. What it returns is not written down yet.
    End { id: i64, attempt: u32, token: String, outcome: String, at: u64 },
    /// Somebody looked, and the job was done or dead.
    Seen { id: i64, state: String, output: String },
    /// A dead letter was driven again, after so many starts.
    Redriven { id: i64, starts: u32 },
}

impl Entry {
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Intent { key, checksum, serial } => {
                let serial = serial.as_deref().map_or("-".into(), word);
                format!("intent {} {checksum:016x} {serial}", word(key))
            }
            Self::Committed { key, id } => {
                format!("committed {} {id}", word(key))
            }
            Self::Unknown { key } => format!("unknown {}", word(key)),
            Self::Failed { key } => format!("failed {}", word(key)),
            Self::Refused { key } => format!("refused {}", word(key)),
            Self::Start { id, key, attempt, token, checksum, at } => format!(
                "start {id} {} {attempt} {token} {checksum:016x} {at}",
                word(key)
            ),
            Self::Effect { id, key, attempt } => {
                format!("effect {id} {} {attempt}", word(key))
            }
            Self::End { id, attempt, token, outcome, at } => {
                format!("end {id} {attempt} {token} {outcome} {at}")
            }
            Self::Seen { id, state, output } => {
                format!("seen {id} {state} {}", word(output))
            }
            Self::Redriven { id, starts } => {
                format!("redriven {id} {starts}")
            }
        }
    }

    pub(crate) fn parse(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        Ok(match words[..] {
            ["intent", key, checksum, serial] => Self::Intent {
                key: unword(key),
                checksum: u64::from_str_radix(checksum, 16)?,
                serial: Some(unword(serial)).filter(|it| it != "-"),
            },
            ["committed", key, id] => {
                Self::Committed { key: unword(key), id: id.parse()? }
            }
            ["unknown", key] => Self::Unknown { key: unword(key) },
            ["failed", key] => Self::Failed { key: unword(key) },
            ["refused", key] => Self::Refused { key: unword(key) },
            ["start", id, key, attempt, token, checksum, at] => Self::Start {
                id: id.parse()?,
                key: unword(key),
                attempt: attempt.parse()?,
                token: token.into(),
                checksum: u64::from_str_radix(checksum, 16)?,
                at: at.parse()?,
            },
            ["effect", id, key, attempt] => Self::Effect {
                id: id.parse()?,
                key: unword(key),
                attempt: attempt.parse()?,
            },
            ["end", id, attempt, token, outcome, at] => Self::End {
                id: id.parse()?,
                attempt: attempt.parse()?,
                token: token.into(),
                outcome: outcome.into(),
                at: at.parse()?,
            },
            ["seen", id, state, output] => Self::Seen {
                id: id.parse()?,
                state: state.into(),
                output: unword(output),
            },
            ["redriven", id, starts] => {
                Self::Redriven { id: id.parse()?, starts: starts.parse()? }
            }
            _ => bail!("no line of a ledger: {line:?}"),
        })
    }
}

/// As one word of a line: a key may be anything.
fn word(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '%' || c.is_whitespace() || c.is_control() {
            word.push_str(&format!("%{:x};", u32::from(c)));
        } else {
            word.push(c);
        }
    }
    if word.is_empty() { "%;".into() } else { word }
}

fn unword(word: &str) -> String {
    let mut parts = word.split('%');
    let mut text = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let (code, rest) = part.split_once(';').unwrap_or(("", part));
        let code = u32::from_str_radix(code, 16).ok();
        text.extend(code.and_then(char::from_u32));
        text.push_str(rest);
    }
    text
}

/// A ledger to write.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: Mutex<File>,
    sync: File,
}

impl Ledger {
    /// A new one, in `folder`, of a process that is a `who`.
    pub(crate) fn new(folder: &Path, who: &str) -> Result<Self> {
        // In order of their beginnings.
        let (now, pid) = (now(), std::process::id());
        let name = format!("{who}-{now:016}-{pid}.log");
        let path = folder.join(name);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .with_context(|| format!("ledger {}", path.display()))?;
        let sync = file.try_clone()?;
        Ok(Self { file: Mutex::new(file), sync })
    }

    /// Returns when the line is on disk.
    pub(crate) fn write(&self, entry: &Entry) -> Result<()> {
        self.write_all(std::slice::from_ref(entry))
    }

    /// Returns when all lines are on disk.
    pub(crate) fn write_all(&self, entries: &[Entry]) -> Result<()> {
        let mut lines = String::new();
        for entry in entries {
            lines.push_str(&entry.line());
            lines.push('\n');
        }
        let mut file =
            self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(lines.as_bytes())?;
        drop(file);
        // Beside each other: a sync is of all that was written before it.
        self.sync.sync_data()?;
        Ok(())
    }
}

/// Microseconds of a clock that all processes share, and nobody sets.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC);
    now.map_or(0, |now| {
        now.tv_sec().unsigned_abs() * 1_000_000
            + now.tv_nsec().unsigned_abs() / 1000
    })
}

/// A ledger as it is read: whose, and what it says.
pub(crate) type Lines = (String, Vec<Entry>);

/// All ledgers of a folder, in order of their names.
pub(crate) fn read_all(folder: &Path) -> Result<Vec<Lines>> {
    read_of(folder, "")
}

/// Those whose names begin so.
pub(crate) fn read_of(folder: &Path, who: &str) -> Result<Vec<Lines>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(who)
    });
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Lines> {
    let text = fs::read(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let entries = entries(&String::from_utf8_lossy(&text));
    let entries = entries.with_context(|| name.clone().into_owned())?;
    Ok((name.into_owned(), entries))
}

/// The lines that have their ends.
pub(crate) fn entries(text: &str) -> Result<Vec<Entry>> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(Entry::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let key = "a key; 'with' 100 % \n of everything \u{1F600}";
        let token = "12-34-5".to_owned();
        for entry in [
            Entry::Intent { key: key.into(), checksum: 7, serial: None },
            Entry::Intent {
                key: String::new(),
                checksum: u64::MAX,
                serial: Some("s".into()),
            },
            Entry::Committed { key: key.into(), id: -4 },
            Entry::Unknown { key: key.into() },
            Entry::Failed { key: key.into() },
            Entry::Refused { key: key.into() },
            Entry::Start {
                id: 1,
                key: key.into(),
                attempt: 2,
                token: token.clone(),
                checksum: 3,
                at: 4,
            },
            Entry::Effect { id: 1, key: key.into(), attempt: 2 },
            Entry::End {
                id: 1,
                attempt: 2,
                token,
                outcome: "done".into(),
                at: 5,
            },
            Entry::Seen { id: 1, state: "done".into(), output: key.into() },
            Entry::Redriven { id: 1, starts: 9 },
        ] {
            assert_eq!(Entry::parse(&entry.line()).unwrap(), entry);
        }
    }

    #[test]
    fn a_torn_last_line_was_not_said_and_another_is_an_error() {
        let whole = Entry::Committed { key: "a".into(), id: 12 };
        let torn = "committed a 12\ncommitted b 1";
        assert_eq!(entries(torn).unwrap(), [whole]);
        assert_eq!(entries("committed b 1").unwrap(), []);
        assert!(entries("committed b\nstopping\n").is_err());
    }

    #[test]
    fn a_ledger_is_in_the_file_when_write_returns() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::new(folder.path(), "worker").unwrap();
        let entry = Entry::Unknown { key: "a b".into() };
        ledger.write(&entry).unwrap();
        let read = read_all(folder.path()).unwrap();
        assert_eq!(read.len(), 1);
        assert!(read[0].0.starts_with("worker-"));
        assert_eq!(read[0].1, [entry]);
    }
}
