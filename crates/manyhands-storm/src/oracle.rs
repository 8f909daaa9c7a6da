//! Says from what was written down, and from what the store ended with, which
//! promises were broken. It knows nothing of queues.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;

use crate::ledger::{Entry, Lines};

/// What a store knows of a job at the end.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) id: i64,
    pub(crate) key: Option<String>,
    /// As the store names it: `scheduled`, `ready`, `running`, `done`, `dead`.
    pub(crate) state: String,
    pub(crate) attempts: u32,
    pub(crate) max_attempts: u32,
    pub(crate) last_error: Option<String>,
    /// Of one that is done.
    pub(crate) output: Option<String>,
}

impl Kept {
    pub(crate) fn is_over(&self) -> bool {
        self.state == "done" || self.state == "dead"
    }

    /// Which attempt it was that did it: `attempt token`.
    fn mark(&self) -> Option<(u32, &str)> {
        let text = self.output.as_deref()?.trim_matches('"');
        let (attempt, token) = text.split_once(' ')?;
        Some((attempt.parse().ok()?, token))
    }
}

/// All that is known of a storm.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) ledgers: Vec<Lines>,
    pub(crate) kept: Vec<Kept>,
    /// The keys in the table of effects, which has each once.
    pub(crate) effects: Vec<String>,
}

/// The checks, in their order.
pub(crate) const CHECKS: [&str; 10] = [
    "no-loss",
    "done-or-dead",
    "no-invention",
    "attempts-bounded",
    "one-completion",
    "dead-for-a-reason",
    "no-lease-left",
    "payload-intact",
    "one-effect",
    "in-order",
];

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) check: &'static str,
    /// How many it looked at.
    pub(crate) examined: usize,
    /// How many break it.
    pub(crate) broken: usize,
    /// The first few of them.
    pub(crate) first: Vec<String>,
}

/// What the oracle says.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) checks: Vec<Found>,
    pub(crate) intended: usize,
    pub(crate) committed: usize,
    pub(crate) unknown: usize,
    pub(crate) refused: usize,
    pub(crate) done: usize,
    pub(crate) dead: usize,
    /// Attempts that began.
    pub(crate) starts: usize,
    /// Effects beyond the first of a job, and their part of all jobs that had
    /// one: what idempotence is for.
    pub(crate) duplicates: usize,
    pub(crate) duplicate_rate: f64,
}

impl Report {
    /// The names of the checks that were broken.
    pub(crate) fn broken(&self) -> Vec<&'static str> {
        let broken = self.checks.iter().filter(|found| found.broken > 0);
        broken.map(|found| found.check).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "jobs: {} intended, {} committed, {} unknown at first, {} \
             refused; {} done, {} dead; {} starts; {} effects twice ({:.2} %)",
            self.intended,
            self.committed,
            self.unknown,
            self.refused,
            self.done,
            self.dead,
            self.starts,
            self.duplicates,
            100.0 * self.duplicate_rate,
        )?;
        for found in &self.checks {
            let verdict = if found.broken == 0 { "holds" } else { "BROKEN" };
            write!(f, "{:<18} {verdict:<7}", found.check)?;
            write!(f, "{} of {}", found.broken, found.examined)?;
            for what in &found.first {
                write!(f, "\n    {what}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// An attempt that began.
#[derive(Clone, Copy, Debug)]
struct Start<'a> {
    id: i64,
    key: &'a str,
    attempt: u32,
    checksum: u64,
    at: u64,
}

/// What the ledgers say, by whom it is asked for.
#[derive(Default)]
struct Books<'a> {
    /// Key to checksum and serial word.
    intents: HashMap<&'a str, (u64, Option<&'a str>)>,
    /// The order of the intents that have a serial word.
    serials: BTreeMap<&'a str, Vec<&'a str>>,
    committed: BTreeMap<i64, &'a str>,
    unknown: BTreeSet<&'a str>,
    refused: BTreeSet<&'a str>,
    /// By token.
    starts: BTreeMap<&'a str, Start<'a>>,
    by_id: BTreeMap<i64, Vec<Start<'a>>>,
    /// Of what ran, by key.
    ids: HashMap<&'a str, i64>,
    /// By token: when.
    ends: HashMap<&'a str, u64>,
    effects: BTreeMap<i64, (usize, &'a str)>,
    /// Of each job, all that was seen of its end since it was driven again.
    seen: BTreeMap<i64, Vec<(&'a str, &'a str)>>,
    /// How often a job was driven again, and its starts before the last time.
    redriven: HashMap<i64, (usize, u32)>,
}

impl<'a> Books<'a> {
    fn open(ledgers: &'a [Lines]) -> Self {
        let mut books = Self::default();
        for (_, entries) in ledgers {
            for entry in entries {
                books.enter(entry);
            }
        }
        books
    }

    fn enter(&mut self, entry: &'a Entry) {
        match entry {
            Entry::Intent { key, checksum, serial } => {
                let serial = serial.as_deref();
                let old = self.intents.insert(key, (*checksum, serial));
                if let (None, Some(serial)) = (old, serial) {
                    self.serials.entry(serial).or_default().push(key);
                }
            }
            Entry::Committed { key, id } => {
                self.committed.insert(*id, key);
            }
            Entry::Unknown { key } => {
                self.unknown.insert(key);
            }
            Entry::Refused { key } => {
                self.refused.insert(key);
            }
            Entry::Start { id, key, attempt, token, checksum, at } => {
                let start = Start {
                    id: *id,
                    key,
                    attempt: *attempt,
                    checksum: *checksum,
                    at: *at,
                };
                self.starts.insert(token, start);
                self.by_id.entry(*id).or_default().push(start);
                self.ids.insert(key, *id);
            }
            Entry::Effect { id, key, .. } => {
                self.effects.entry(*id).or_insert((0, key)).0 += 1;
            }
            Entry::Seen { id, state, output } => {
                let seen = self.seen.entry(*id).or_default();
                seen.push((state, output));
            }
            Entry::Redriven { id, starts } => {
                let redriven = self.redriven.entry(*id).or_default();
                *redriven = (redriven.0 + 1, *starts);
                self.seen.remove(id);
            }
            Entry::End { token, at, .. } => {
                self.ends.insert(token, *at);
            }
            Entry::Failed { .. } => {}
        }
    }
}

/// One check, while it is made.
struct Check {
    found: Found,
}

impl Check {
    const FIRST: usize = 5;

    fn new(number: usize) -> Self {
        let check = CHECKS[number - 1];
        let first = Vec::new();
        Self { found: Found { check, examined: 0, broken: 0, first } }
    }

    /// Looks at one more. `broken` says what is wrong with it.
    fn look(&mut self, broken: Option<String>) {
        self.found.examined += 1;
        if let Some(what) = broken {
            self.found.broken += 1;
            if self.found.first.len() < Self::FIRST {
                self.found.first.push(what);
            }
        }
    }
}

/// Reads the ledgers, looks at what is kept, and says what is broken.
pub(crate) fn judge(history: &History) -> Report {
    let books = Books::open(&history.ledgers);
    let kept: BTreeMap<i64, &Kept> =
        history.kept.iter().map(|kept| (kept.id, kept)).collect();
    let checks = [
        no_loss(&books, &kept),
        done_or_dead(&books, history),
        no_invention(&books, history),
        attempts_bounded(&books, &kept),
        one_completion(&books, &kept),
        dead_for_a_reason(&kept),
        no_lease_left(&kept),
        payload_intact(&books),
        one_effect(&books, history),
        in_order(&books, &kept),
    ];
    let count =
        |state: &str| kept.values().filter(|it| it.state == state).count();
    let effects: usize = books.effects.values().map(|(times, _)| times).sum();
    let duplicates = effects - books.effects.len();
    Report {
        checks: checks.map(|check| check.found).into(),
        intended: books.intents.len(),
        committed: books.committed.len(),
        unknown: books.unknown.len(),
        refused: books.refused.len(),
        done: count("done"),
        dead: count("dead"),
        starts: books.starts.len(),
        duplicates,
        duplicate_rate: duplicates as f64 / books.effects.len().max(1) as f64,
    }
}

/// What was committed came to its end; and what is done was done.
fn no_loss(books: &Books<'_>, kept: &BTreeMap<i64, &Kept>) -> Check {
    let mut check = Check::new(1);
    for (id, key) in &books.committed {
        check.look(match kept.get(id) {
            None => Some(format!("job {id} ({key}) is not there")),
            Some(kept) if kept.state == "done" => {
                let did = books.effects.contains_key(id);
                (!did).then(|| format!("job {id} ({key}) is done, undone"))
            }
            // A lease that is left is another check's.
            Some(kept) if kept.state == "dead" => None,
            Some(kept) if kept.state == "running" => None,
            Some(kept) => Some(format!("job {id} ({key}): {}", kept.state)),
        });
    }
    check
}

/// No job is both, and none went from one to the other by itself.
fn done_or_dead(books: &Books<'_>, history: &History) -> Check {
    let mut check = Check::new(2);
    let mut states: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    for kept in &history.kept {
        states.entry(kept.id).or_default().insert(&kept.state);
    }
    for (id, seen) in &books.seen {
        let states = states.entry(*id).or_default();
        states.extend(seen.iter().map(|(state, _)| *state));
    }
    for (id, states) in states {
        check
            .look((states.len() > 1).then(|| format!("job {id}: {states:?}")));
    }
    check
}

/// Nothing runs that nobody asked for, or whose refusal was told; and a key
/// is one job.
fn no_invention(books: &Books<'_>, history: &History) -> Check {
    let mut check = Check::new(3);
    let mut jobs: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for start in books.starts.values() {
        jobs.entry(start.key).or_default().insert(start.id);
    }
    for kept in &history.kept {
        // Of what cannot be read, the store may not know the key.
        let known = books.committed.get(&kept.id).copied();
        let key = kept.key.as_deref().or(known).unwrap_or("(no key)");
        jobs.entry(key).or_default().insert(kept.id);
    }
    for (id, key) in &books.committed {
        jobs.entry(key).or_default().insert(*id);
    }
    for (key, ids) in jobs {
        check.look(if !books.intents.contains_key(key) {
            Some(format!("{key} was never submitted: {ids:?}"))
        } else if books.refused.contains(key) {
            Some(format!("{key} was refused: {ids:?}"))
        } else {
            (ids.len() > 1).then(|| format!("{key} is several: {ids:?}"))
        });
    }
    check
}

/// Starts are not more than were counted, nor those more than are allowed;
/// and no attempt begins twice.
fn attempts_bounded(books: &Books<'_>, kept: &BTreeMap<i64, &Kept>) -> Check {
    let mut check = Check::new(4);
    for (id, kept) in kept {
        let starts = books.by_id.get(id).map_or(&[][..], Vec::as_slice);
        let (redriven, before) =
            books.redriven.get(id).copied().unwrap_or_default();
        let mut times: BTreeMap<u32, usize> = BTreeMap::new();
        for start in starts {
            *times.entry(start.attempt).or_default() += 1;
        }
        let twice = times.iter().find(|(_, times)| **times > 1 + redriven);
        let most = kept.attempts as usize + before as usize;
        let (attempts, max) = (kept.attempts, kept.max_attempts);
        check.look(if attempts > max {
            Some(format!("job {id}: {attempts} attempts of {max}"))
        } else if let Some((attempt, times)) = twice {
            Some(format!("job {id}: attempt {attempt} began {times} times"))
        } else {
            (starts.len() > most).then(|| {
                let starts = starts.len();
                format!("job {id}: {starts} starts, {attempts} counted")
            })
        });
    }
    check
}

/// What is done was done by the attempt that had it last, and once.
fn one_completion(books: &Books<'_>, kept: &BTreeMap<i64, &Kept>) -> Check {
    let mut check = Check::new(5);
    for (id, kept) in kept.iter().filter(|(_, it)| it.state == "done") {
        let seen = books.seen.get(id).map_or(&[][..], Vec::as_slice);
        let output = kept.output.as_deref().unwrap_or_default();
        let other = seen
            .iter()
            .find(|(state, seen)| *state == "done" && *seen != output);
        check.look(match kept.mark() {
            None => Some(format!("job {id}: done by nobody: {output:?}")),
            Some((by, _)) if by != kept.attempts => Some(format!(
                "job {id}: done by attempt {by} of {}",
                kept.attempts
            )),
            Some((by, token)) => match books.starts.get(token) {
                Some(start) if (start.id, start.attempt) == (*id, by) => other
                    .map(|(_, other)| {
                        format!("job {id}: done by {other}, then {output}")
                    }),
                _ => Some(format!("job {id}: done by {token}, a stranger")),
            },
        });
    }
    check
}

/// The words with which the storm's own jobs fail for good.
pub(crate) const PERMANENT: &str = "for good";

/// The words of a dead letter that could not be read.
const UNREADABLE: [&str; 3] =
    ["not a job of kind", "not a stored job", "stored in form"];

/// A dead letter has no attempt left, or cannot be helped; and says why.
fn dead_for_a_reason(kept: &BTreeMap<i64, &Kept>) -> Check {
    let mut check = Check::new(6);
    for (id, kept) in kept.iter().filter(|(_, it)| it.state == "dead") {
        let error = kept.last_error.as_deref().unwrap_or_default();
        let for_good = error.contains(PERMANENT)
            || UNREADABLE.iter().any(|it| error.contains(it));
        let (attempts, max) = (kept.attempts, kept.max_attempts);
        check.look(if error.is_empty() {
            Some(format!("job {id}: dead without a word"))
        } else {
            (attempts < max && !for_good).then(|| {
                format!("job {id}: dead at {attempts} of {max}: {error}")
            })
        });
    }
    check
}

fn no_lease_left(kept: &BTreeMap<i64, &Kept>) -> Check {
    let mut check = Check::new(7);
    for (id, kept) in kept {
        let running = kept.state == "running";
        check.look(running.then(|| format!("job {id} is still running")));
    }
    check
}

/// What arrives is what was sent.
fn payload_intact(books: &Books<'_>) -> Check {
    let mut check = Check::new(8);
    for start in books.starts.values() {
        let sent = books.intents.get(start.key).map(|it| it.0);
        // One that was not sent is another check's.
        let Some(sent) = sent else { continue };
        let (id, got) = (start.id, start.checksum);
        check.look((sent != got).then(|| {
            format!("job {id}: {sent:016x} was sent, {got:016x} came")
        }));
    }
    check
}

/// An effect by its key is there once, however often it was made.
fn one_effect(books: &Books<'_>, history: &History) -> Check {
    let mut check = Check::new(9);
    let mut rows: HashMap<&str, usize> = HashMap::new();
    for key in &history.effects {
        *rows.entry(key).or_default() += 1;
    }
    let made: BTreeSet<&str> =
        books.effects.values().map(|(_, key)| *key).collect();
    for key in &made {
        let rows = rows.get(key).copied().unwrap_or_default();
        check.look((rows != 1).then(|| format!("{key}: {rows} rows")));
    }
    for key in rows.keys().filter(|key| !made.contains(*key)) {
        // Its process may have died before it could say so.
        let known = books.intents.contains_key(key);
        check.look((!known).then(|| format!("{key}: a row of nobody's")));
    }
    check
}

/// First attempts under one serial word are in the order of submission, and
/// nothing begins beside another.
fn in_order(books: &Books<'_>, kept: &BTreeMap<i64, &Kept>) -> Check {
    let mut check = Check::new(10);
    let mut first: HashMap<&str, Start<'_>> = HashMap::new();
    for start in books.starts.values() {
        let first = first.entry(start.key).or_insert(*start);
        if start.at < first.at {
            *first = *start;
        }
    }
    for (serial, keys) in &books.serials {
        // Of one whose first attempt was lost with its worker before it
        // began, or slept, no order is promised.
        let ran = keys
            .iter()
            .filter_map(|key| first.get(key))
            .filter(|start| start.attempt == 1);
        let ran: Vec<_> = ran.collect();
        for pair in ran.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            check.look((a.at > b.at).then(|| {
                format!("{serial}: job {} began after job {}", a.id, b.id)
            }));
        }
        one_at_a_time(books, kept, serial, keys, &mut check);
    }
    check
}

/// While the attempt ran that did a job, it held the job: none of the others
/// of its serial word may have begun. (Another attempt may have been given up
/// before it ended.)
fn one_at_a_time(
    books: &Books<'_>,
    kept: &BTreeMap<i64, &Kept>,
    serial: &str,
    keys: &[&str],
    check: &mut Check,
) {
    let ids = keys.iter().filter_map(|key| books.ids.get(key));
    let ids: BTreeSet<i64> = ids.copied().collect();
    let starts = ids.iter().filter_map(|id| books.by_id.get(id)).flatten();
    let mut starts: Vec<(u64, i64)> =
        starts.map(|start| (start.at, start.id)).collect();
    starts.sort_unstable();
    for id in ids {
        let token = kept.get(&id).and_then(|kept| kept.mark());
        let Some((_, token)) = token else { continue };
        let (Some(start), Some(end)) =
            (books.starts.get(token), books.ends.get(token))
        else {
            continue;
        };
        let after = starts.partition_point(|(at, _)| *at <= start.at);
        let beside = starts[after..].iter().take_while(|(at, _)| at < end);
        let mut others = beside.filter(|(_, other)| *other != id);
        check.look(others.next().map(|(_, other)| {
            format!("{serial}: job {other} began beside job {id}")
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "7-7-";

    fn intent(key: &str) -> Entry {
        Entry::Intent { key: key.into(), checksum: 5, serial: None }
    }

    fn committed(key: &str, id: i64) -> Entry {
        Entry::Committed { key: key.into(), id }
    }

    fn token(id: i64, attempt: u32) -> String {
        format!("{TOKEN}{id}.{attempt}")
    }

    fn start(id: i64, key: &str, attempt: u32) -> Entry {
        Entry::Start {
            id,
            key: key.into(),
            attempt,
            token: token(id, attempt),
            checksum: 5,
            at: id.unsigned_abs() * 100 + u64::from(attempt),
        }
    }

    fn effect(id: i64, key: &str, attempt: u32) -> Entry {
        Entry::Effect { id, key: key.into(), attempt }
    }

    fn end(id: i64, attempt: u32) -> Entry {
        let outcome = "done".into();
        Entry::End { id, attempt, token: token(id, attempt), outcome, at: 9 }
    }

    fn done(id: i64, key: &str, attempts: u32) -> Kept {
        Kept {
            id,
            key: Some(key.into()),
            state: "done".into(),
            attempts,
            max_attempts: 10,
            last_error: None,
            output: Some(format!("\"{attempts} {}\"", token(id, attempts))),
        }
    }

    fn dead(id: i64, key: &str, attempts: u32, error: &str) -> Kept {
        Kept {
            state: "dead".into(),
            last_error: Some(error.into()),
            output: None,
            ..done(id, key, attempts)
        }
    }

    /// Three jobs: one done at once, one at the second attempt, one dead.
    fn good() -> History {
        let producer = vec![
            intent("a"),
            committed("a", 1),
            intent("b"),
            Entry::Unknown { key: "b".into() },
            intent("b"),
            committed("b", 2),
            intent("c"),
            committed("c", 3),
            intent("r"),
            Entry::Refused { key: "r".into() },
        ];
        let worker = vec![
            start(1, "a", 1),
            effect(1, "a", 1),
            end(1, 1),
            start(2, "b", 2),
            effect(2, "b", 2),
            end(2, 2),
            start(3, "c", 1),
        ];
        let dead_worker = vec![start(2, "b", 1), effect(2, "b", 1)];
        let kept = vec![
            done(1, "a", 1),
            done(2, "b", 2),
            dead(3, "c", 1, "failed for good"),
        ];
        History {
            ledgers: vec![
                ("p".into(), producer),
                ("v".into(), dead_worker),
                ("w".into(), worker),
            ],
            kept,
            effects: vec!["a".into(), "b".into()],
        }
    }

    /// The checks that are broken after `change`.
    fn after(change: impl FnOnce(&mut History)) -> Vec<&'static str> {
        let mut history = good();
        change(&mut history);
        judge(&history).broken()
    }

    fn say(history: &mut History, entry: Entry) {
        history.ledgers.push(("x".into(), vec![entry]));
    }

    #[test]
    fn a_good_history_breaks_nothing_and_its_duplicates_are_counted() {
        let report = judge(&good());
        assert_eq!(report.broken(), [""; 0], "{report}");
        assert_eq!((report.done, report.dead), (2, 1));
        assert_eq!((report.intended, report.committed), (4, 3));
        assert_eq!((report.unknown, report.refused), (1, 1));
        assert_eq!((report.starts, report.duplicates), (4, 1));
        assert!((report.duplicate_rate - 0.5).abs() < 1e-9);
        assert!(report.checks.iter().map(|it| it.check).eq(CHECKS));
    }

    #[test]
    fn a_job_that_is_gone_or_waits_or_is_done_undone_is_lost() {
        let gone = after(|it| {
            say(it, intent("d"));
            say(it, committed("d", 4));
        });
        assert_eq!(gone, ["no-loss"]);
        let waits = after(|it| it.kept[2].state = "ready".into());
        assert_eq!(waits, ["no-loss"]);
        let undone = after(|it| {
            let worker = &mut it.ledgers[2].1;
            worker.retain(|entry| *entry != effect(1, "a", 1));
        });
        assert_eq!(undone, ["no-loss"]);
    }

    #[test]
    fn a_job_that_is_done_and_dead_is_found() {
        let both = after(|it| it.kept.insert(0, dead(1, "a", 10, "no luck")));
        assert_eq!(both, ["done-or-dead"]);
        let seen =
            Entry::Seen { id: 1, state: "dead".into(), output: String::new() };
        let was = after(|it| say(it, seen.clone()));
        assert_eq!(was, ["done-or-dead"]);
        let redriven = after(|it| {
            say(it, seen);
            say(it, Entry::Redriven { id: 1, starts: 0 });
        });
        assert_eq!(redriven, [""; 0]);
    }

    #[test]
    fn what_nobody_asked_for_or_was_refused_or_came_twice_is_invented() {
        let strange = after(|it| say(it, start(9, "z", 1)));
        assert_eq!(strange, ["no-invention"]);
        let refused = after(|it| say(it, start(9, "r", 1)));
        assert_eq!(refused, ["no-invention"]);
        let twice = after(|it| it.kept.push(dead(9, "a", 10, "no luck")));
        assert_eq!(twice, ["no-invention"]);
    }

    #[test]
    fn an_attempt_too_many_or_uncounted_or_begun_twice_is_found() {
        let many = after(|it| {
            let kept = &mut it.kept[2];
            kept.attempts = 11;
        });
        assert_eq!(many, ["attempts-bounded"]);
        let uncounted = after(|it| say(it, start(3, "c", 2)));
        assert_eq!(uncounted, ["attempts-bounded"]);
        let again = |it: &mut History| {
            let mut again = start(3, "c", 1);
            if let Entry::Start { token, .. } = &mut again {
                token.push('x');
            }
            say(it, again);
        };
        assert_eq!(after(again), ["attempts-bounded"]);
        // But not one that was driven again.
        let redriven = after(|it| {
            again(it);
            say(it, Entry::Redriven { id: 3, starts: 1 });
        });
        assert_eq!(redriven, [""; 0]);
    }

    #[test]
    fn a_completion_by_one_who_had_lost_the_job_is_found() {
        let zombie = after(|it| {
            let output = format!("\"1 {}\"", token(2, 1));
            it.kept[1].output = Some(output);
        });
        assert_eq!(zombie, ["one-completion"]);
        let stranger = after(|it| it.kept[0].output = Some("\"1 x\"".into()));
        assert_eq!(stranger, ["one-completion"]);
        let nobody = after(|it| it.kept[0].output = None);
        assert_eq!(nobody, ["one-completion"]);
        let twice = after(|it| {
            let output = format!("\"1 {}\"", token(2, 1));
            say(it, Entry::Seen { id: 2, state: "done".into(), output });
        });
        assert_eq!(twice, ["one-completion"]);
    }

    #[test]
    fn a_dead_letter_without_a_reason_is_found() {
        let early = after(|it| it.kept[2] = dead(3, "c", 1, "no luck"));
        assert_eq!(early, ["dead-for-a-reason"]);
        let silent = after(|it| it.kept[2].last_error = None);
        assert_eq!(silent, ["dead-for-a-reason"]);
    }

    #[test]
    fn a_lease_that_is_left_is_found() {
        let left = after(|it| it.kept[2].state = "running".into());
        assert_eq!(left, ["no-lease-left"]);
    }

    #[test]
    fn a_payload_that_changed_is_found() {
        let changed = after(|it| {
            if let Entry::Start { checksum, .. } = &mut it.ledgers[2].1[0] {
                *checksum = 6;
            }
        });
        assert_eq!(changed, ["payload-intact"]);
    }

    #[test]
    fn an_effect_that_is_not_there_once_is_found() {
        let twice = after(|it| it.effects.push("a".into()));
        assert_eq!(twice, ["one-effect"]);
        let none = after(|it| it.effects.retain(|key| key != "b"));
        assert_eq!(none, ["one-effect"]);
        let strange = after(|it| it.effects.push("z".into()));
        assert_eq!(strange, ["one-effect"]);
        // The process died before it could say so.
        let unsaid = after(|it| it.effects.push("c".into()));
        assert_eq!(unsaid, [""; 0]);
    }

    #[test]
    fn first_attempts_out_of_order_are_found() {
        let serial = |it: &mut History| {
            for entry in &mut it.ledgers[0].1 {
                if let Entry::Intent { serial, .. } = entry {
                    *serial = Some("s".into());
                }
            }
        };
        assert_eq!(after(serial), [""; 0]);
        let late = after(|it| {
            serial(it);
            if let Entry::Start { at, .. } = &mut it.ledgers[2].1[0] {
                *at = 1_000;
            }
        });
        assert_eq!(late, ["in-order"]);
        // Job 2 began at 202, while job 1, begun at 101, still ran.
        let beside = after(|it| {
            serial(it);
            if let Entry::End { at, .. } = &mut it.ledgers[2].1[2] {
                *at = 203;
            }
        });
        assert_eq!(beside, ["in-order"]);
        // One that ended too late was another's by then.
        let late = after(|it| {
            serial(it);
            let late = Entry::End {
                id: 2,
                attempt: 1,
                token: token(2, 1),
                outcome: "done".into(),
                at: 1_000,
            };
            it.ledgers[1].1.push(late);
        });
        assert_eq!(late, [""; 0]);
        // A second attempt may come later.
        let again = after(|it| {
            serial(it);
            it.ledgers[1].1.remove(0);
            if let Entry::Start { at, .. } = &mut it.ledgers[2].1[3] {
                *at = 1_000;
            }
        });
        assert_eq!(again, [""; 0]);
    }
}
