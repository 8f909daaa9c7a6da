//! What is kept, and by which indexes it is found.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant, SystemTime};

use crate::envelope::{Envelope, VERSION};
use crate::status::millis;
use crate::store::{
    Ask, Claimed, Given, Hold, NewJob, Schedule, Settled, Settlement, due,
};
use crate::submission::When;
use crate::{Counts, Error, Filter, JobId, State, Status, cron};

#[derive(Default)]
pub(super) struct Kept {
    jobs: BTreeMap<JobId, Job>,
    kinds: BTreeMap<String, Kind>,
    /// When what is done is to be forgotten.
    forgotten: BTreeSet<(SystemTime, JobId)>,
    last: i64,
    /// How often something was stored.
    pub(super) stored: u64,
}

struct Job {
    kind: String,
    stored: String,
    at: At,
    attempts: u32,
    max_attempts: u32,
    priority: i16,
    submitted_at: SystemTime,
    run_at: SystemTime,
    finished_at: Option<SystemTime>,
    forgotten_at: Option<SystemTime>,
    last_error: Option<String>,
    key: Option<String>,
    serial: Option<String>,
    trace: Option<String>,
    output: Option<String>,
}

/// Where a job is. Whether one that waits is ready is a matter of time.
#[derive(PartialEq, Eq)]
enum At {
    Waiting,
    Running { token: String },
    Done,
    Dead,
}

/// The jobs of a kind.
#[derive(Default)]
struct Kind {
    is_paused: bool,
    /// Those that may be claimed, in order.
    ready: BTreeSet<(Reverse<i16>, JobId)>,
    /// Those whose time has not come, as far as was looked.
    scheduled: BTreeSet<(SystemTime, JobId)>,
    /// Until when each is held.
    running: BTreeMap<JobId, Instant>,
    serials: HashMap<String, Serial>,
    keys: HashMap<String, JobId>,
    /// When the rate lets the next begin.
    next_start: Option<Instant>,
    schedules: BTreeMap<String, Planned>,
}

/// The unfinished jobs under one serial word.
#[derive(Default)]
struct Serial {
    /// Not begun yet: the first of them is next.
    first: BTreeSet<JobId>,
    /// Begun before, and waiting again.
    again: BTreeSet<JobId>,
    running: Option<JobId>,
}

struct Planned {
    schedule: Schedule,
    next: SystemTime,
}

/// The reason that a job has whose last worker was not heard of again.
const VANISHED: &str = "its worker vanished";

impl Kept {
    /// Forgets what is done and past its time.
    pub(super) fn pass(&mut self, now: SystemTime) {
        while let Some(&(at, id)) = self.forgotten.first()
            && at <= now
        {
            self.forget(id);
        }
    }

    /// All or none.
    pub(super) fn submit(
        &mut self,
        jobs: Vec<NewJob>,
        now: SystemTime,
    ) -> Result<Vec<JobId>, Error> {
        self.pass(now);
        let sealed: Result<Vec<_>, _> =
            jobs.iter().map(|new| seal(new, now)).collect();
        let jobs = jobs.into_iter().zip(sealed?);
        Ok(jobs.map(|(new, stored)| self.keep(new, stored, now)).collect())
    }

    fn keep(&mut self, new: NewJob, stored: String, now: SystemTime) -> JobId {
        let kind = self.kinds.entry(new.kind.clone()).or_default();
        let key = new.how.key.as_ref();
        if let Some(id) = key.and_then(|key| kind.keys.get(key)) {
            return *id;
        }
        self.last += 1;
        let id = JobId::new(self.last);
        if let Some(key) = key {
            kind.keys.insert(key.clone(), id);
        }
        let job = Job {
            kind: new.kind,
            stored,
            at: At::Waiting,
            attempts: 0,
            max_attempts: new.max_attempts,
            priority: new.how.priority,
            submitted_at: now,
            run_at: due(new.how.when, now),
            finished_at: None,
            forgotten_at: None,
            last_error: None,
            key: new.how.key,
            serial: new.how.serial,
            trace: new.how.trace_parent,
            output: None,
        };
        self.jobs.insert(id, job);
        self.enter(id, now);
        id
    }

    pub(super) fn claim(
        &mut self,
        ask: &Ask<'_>,
        now: SystemTime,
        ticks: Instant,
    ) -> Claimed {
        self.pass(now);
        self.expire(ask.kind, now, ticks);
        self.promote(ask.kind, now);
        let mut jobs = Vec::new();
        while jobs.len() < ask.most {
            let Some(kind) = self.kinds.get_mut(ask.kind) else { break };
            let is_full =
                ask.limit.is_some_and(|most| kind.running.len() >= most.get());
            let is_early = ask.rate.is_some()
                && kind.next_start.is_some_and(|next| next > ticks);
            if kind.is_paused || is_full || is_early {
                break;
            }
            let Some((_, id)) = kind.ready.pop_first() else { break };
            if let Some(rate) = ask.rate {
                kind.next_start = Some(ticks + rate.interval());
            }
            kind.running.insert(id, ticks + ask.lease);
            self.leave(id);
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            job.at = At::Running { token: ask.token.into() };
            job.attempts += 1;
            jobs.push(Given {
                id,
                attempt: job.attempts,
                max_attempts: job.max_attempts,
                stored: job.stored.clone(),
            });
            if let Some(serial) = job.serial.clone() {
                self.hold_serial(ask.kind, &serial, id);
            }
        }
        let again = self.again(ask, now, ticks);
        Claimed { jobs, again }
    }

    /// When more may be ready, or known to be lost.
    fn again(
        &self,
        ask: &Ask<'_>,
        now: SystemTime,
        ticks: Instant,
    ) -> Option<Duration> {
        let kind = self.kinds.get(ask.kind)?;
        if kind.is_paused {
            return None;
        }
        let is_full =
            ask.limit.is_some_and(|most| kind.running.len() >= most.get());
        let scheduled = kind
            .scheduled
            .first()
            .map(|(at, _)| at.duration_since(now).unwrap_or_default());
        let leases = kind.running.values();
        let lease = leases.min().map(|until| *until - ticks);
        let start = kind
            .next_start
            .filter(|_| ask.rate.is_some() && !kind.ready.is_empty())
            // Who ends one of those that run says so.
            .filter(|_| !is_full)
            .map(|next| next - ticks);
        [scheduled, lease, start].into_iter().flatten().min()
    }

    /// What nobody gave a sign of is ready again, or dead.
    fn expire(&mut self, kind: &str, now: SystemTime, ticks: Instant) {
        let Some(kind) = self.kinds.get(kind) else { return };
        let running = kind.running.iter();
        let over: Vec<JobId> = running
            .filter(|(_, until)| **until <= ticks)
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.release(id);
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            job.last_error = Some(VANISHED.into());
            if job.attempts >= job.max_attempts {
                job.at = At::Dead;
                job.finished_at = Some(now);
            } else {
                job.at = At::Waiting;
                self.enter(id, now);
            }
        }
    }

    fn promote(&mut self, kind: &str, now: SystemTime) {
        while let Some(kind) = self.kinds.get_mut(kind)
            && let Some(&(at, id)) = kind.scheduled.first()
            && at <= now
        {
            kind.scheduled.pop_first();
            self.offer(id, now);
        }
    }

    pub(super) fn settle(
        &mut self,
        settled: Settled,
        now: SystemTime,
    ) -> bool {
        let Settled { hold, what } = settled;
        if !self.is_held(&hold) {
            return false;
        }
        let id = hold.id;
        self.release(id);
        let Some(job) = self.jobs.get_mut(&id) else { return false };
        match what {
            Settlement::Done { output, retention } => {
                job.at = At::Done;
                job.output = output;
                job.stored = String::new();
                job.finished_at = Some(now);
                job.forgotten_at = now.checked_add(retention);
                if let Some(at) = job.forgotten_at {
                    self.forgotten.insert((at, id));
                }
            }
            Settlement::Retry { error, delay }
                if job.attempts < job.max_attempts =>
            {
                job.at = At::Waiting;
                job.last_error = Some(error);
                job.run_at = due(When::After(delay), now);
                self.enter(id, now);
            }
            Settlement::Retry { error, .. } | Settlement::Dead { error } => {
                job.at = At::Dead;
                job.last_error = Some(error);
                job.finished_at = Some(now);
            }
            Settlement::GiveBack => {
                job.at = At::Waiting;
                job.attempts -= 1;
                self.enter(id, now);
            }
        }
        true
    }

    pub(super) fn extend(&mut self, hold: &Hold, until: Instant) -> bool {
        if !self.is_held(hold) {
            return false;
        }
        if let Some(kind) = self.kind_of(hold.id) {
            kind.running.insert(hold.id, until);
        }
        true
    }

    fn is_held(&self, hold: &Hold) -> bool {
        self.jobs.get(&hold.id).is_some_and(|job| {
            matches!(&job.at, At::Running { token } if *token == hold.token)
        })
    }

    pub(super) fn retry(&mut self, filter: &Filter, now: SystemTime) -> u64 {
        self.pass(now);
        let ids = self.matching_in(filter, &[State::Dead], now);
        for id in &ids {
            let Some(job) = self.jobs.get_mut(id) else { continue };
            job.at = At::Waiting;
            job.attempts = 0;
            job.run_at = now;
            job.finished_at = None;
            self.enter(*id, now);
        }
        ids.len() as u64
    }

    pub(super) fn cancel(&mut self, id: JobId) -> bool {
        let job = self.jobs.get(&id);
        let is_idle =
            job.is_some_and(|job| matches!(job.at, At::Waiting | At::Dead));
        if is_idle {
            self.forget(id);
        }
        is_idle
    }

    pub(super) fn purge(&mut self, filter: &Filter, now: SystemTime) -> u64 {
        let ids = self.matching_in(filter, &[State::Done, State::Dead], now);
        ids.iter().for_each(|id| self.forget(*id));
        ids.len() as u64
    }

    pub(super) fn set_paused(&mut self, kind: &str, is_paused: bool) {
        self.kinds.entry(kind.into()).or_default().is_paused = is_paused;
    }

    pub(super) fn schedule(
        &mut self,
        kind: &str,
        schedules: &[Schedule],
        now: SystemTime,
    ) -> Result<(), Error> {
        let kind = self.kinds.entry(kind.into()).or_default();
        let mut planned = BTreeMap::new();
        for schedule in schedules {
            let before = kind.schedules.get(&schedule.name);
            let same = before.filter(|it| it.schedule.cron == schedule.cron);
            let next = match same {
                Some(same) => same.next,
                None => cron::next_after(&schedule.cron, now)?,
            };
            let schedule = schedule.clone();
            planned.insert(schedule.name.clone(), Planned { schedule, next });
        }
        kind.schedules = planned;
        Ok(())
    }

    pub(super) fn tick(
        &mut self,
        kind: &str,
        now: SystemTime,
    ) -> Result<Option<Duration>, Error> {
        let Some(planned) = self.kinds.get_mut(kind) else { return Ok(None) };
        let mut due = Vec::new();
        for it in planned.schedules.values_mut() {
            if it.next <= now {
                it.next = cron::next_after(&it.schedule.cron, now)?;
                due.push(it.schedule.job.clone());
            }
        }
        let next = planned.schedules.values().map(|it| it.next).min();
        if !due.is_empty() {
            self.submit(due, now)?;
        }
        Ok(next.map(|next| next.duration_since(now).unwrap_or_default()))
    }

    pub(super) fn matching(
        &self,
        filter: &Filter,
        now: SystemTime,
    ) -> Vec<JobId> {
        self.matching_in(filter, &State::ALL, now)
    }

    fn matching_in(
        &self,
        filter: &Filter,
        states: &[State],
        now: SystemTime,
    ) -> Vec<JobId> {
        let from =
            filter.after.map_or(i64::MIN, |id| id.get().saturating_add(1));
        self.jobs
            .range(JobId::new(from)..)
            .filter(|(id, job)| {
                let state = job.state(now);
                let age = job
                    .finished_at
                    .and_then(|finished| now.duration_since(finished).ok());
                let wanted = filter.older_than;
                states.contains(&state)
                    && filter.state.is_none_or(|wanted| wanted == state)
                    && filter.kind.as_ref().is_none_or(|it| *it == job.kind)
                    && filter.ids.as_ref().is_none_or(|it| it.contains(id))
                    && wanted.is_none_or(|wanted| {
                        age.is_some_and(|age| age >= wanted)
                    })
            })
            .map(|(id, _)| *id)
            .take(filter.limit)
            .collect()
    }

    pub(super) fn status(&self, id: JobId, now: SystemTime) -> Option<Status> {
        let job = self.jobs.get(&id)?;
        let state = job.state(now);
        let written = Envelope::open(&job.stored);
        let written = written.map(|envelope| envelope.job.get().to_owned());
        Some(Status {
            id,
            kind: job.kind.clone(),
            state,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            priority: job.priority,
            submitted_at: job.submitted_at,
            run_at: job.run_at,
            finished_at: job.finished_at,
            last_error: job.last_error.clone(),
            key: job.key.clone(),
            serial: job.serial.clone(),
            trace_parent: job.trace.clone(),
            job: written.ok().filter(|_| state != State::Done),
            output: job.output.clone(),
        })
    }

    pub(super) fn counts(&self, now: SystemTime) -> Vec<Counts> {
        let mut all: BTreeMap<&str, Counts> = BTreeMap::new();
        for (name, kind) in &self.kinds {
            let counts = Counts {
                kind: name.clone(),
                is_paused: kind.is_paused,
                ..Counts::default()
            };
            all.insert(name, counts);
        }
        for job in self.jobs.values() {
            let Some(counts) = all.get_mut(job.kind.as_str()) else {
                continue;
            };
            match job.state(now) {
                State::Scheduled => counts.scheduled += 1,
                State::Ready => {
                    counts.ready += 1;
                    let age = now.duration_since(job.run_at);
                    let age = age.unwrap_or_default();
                    counts.oldest_ready = counts.oldest_ready.max(age);
                }
                State::Running => counts.running += 1,
                State::Done => counts.done += 1,
                State::Dead => counts.dead += 1,
            }
        }
        all.into_values().collect()
    }

    fn kind_of(&mut self, id: JobId) -> Option<&mut Kind> {
        let job = self.jobs.get(&id)?;
        self.kinds.get_mut(&job.kind)
    }

    /// Puts a job that waits where it is found in its time.
    fn enter(&mut self, id: JobId, now: SystemTime) {
        let Some(job) = self.jobs.get(&id) else { return };
        let Some(kind) = self.kinds.get_mut(&job.kind) else { return };
        if let Some(serial) = &job.serial {
            let serial = kind.serials.entry(serial.clone()).or_default();
            match job.attempts {
                0 => serial.first.insert(id),
                _ => serial.again.insert(id),
            };
        }
        if job.run_at > now {
            kind.scheduled.insert((job.run_at, id));
        } else {
            self.offer(id, now);
        }
    }

    /// Lets a job be claimed whose time has come, unless another of its serial
    /// word is to run first. Those that may be claimed no longer are not.
    fn offer(&mut self, id: JobId, now: SystemTime) {
        let Some(job) = self.jobs.get(&id) else { return };
        let Some(kind) = self.kinds.get_mut(&job.kind) else { return };
        if job.at != At::Waiting || job.run_at > now {
            return;
        }
        if let Some(serial) = &job.serial {
            let Some(serial) = kind.serials.get(serial) else { return };
            if serial.running.is_some() {
                return;
            }
            if job.attempts == 0 {
                if serial.first.first() != Some(&id) {
                    return;
                }
                // The one that was first before this came back.
                let next = JobId::new(id.get() + 1);
                if let Some(other) = serial.first.range(next..).next()
                    && let Some(job) = self.jobs.get(other)
                {
                    kind.ready.remove(&(Reverse(job.priority), *other));
                }
            }
        }
        kind.ready.insert((Reverse(job.priority), id));
    }

    /// Takes a job that waits from where it is found.
    fn leave(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let Some(kind) = self.kinds.get_mut(&job.kind) else { return };
        kind.ready.remove(&(Reverse(job.priority), id));
        kind.scheduled.remove(&(job.run_at, id));
        let Some(word) = &job.serial else { return };
        if let Some(serial) = kind.serials.get_mut(word) {
            serial.first.remove(&id);
            serial.again.remove(&id);
        }
    }

    /// No other of the word is claimed while this one runs.
    fn hold_serial(&mut self, kind: &str, serial: &str, id: JobId) {
        let Some(kind) = self.kinds.get_mut(kind) else { return };
        let Some(serial) = kind.serials.get_mut(serial) else { return };
        serial.running = Some(id);
        for other in serial.again.iter().chain(serial.first.first()) {
            if let Some(job) = self.jobs.get(other) {
                kind.ready.remove(&(Reverse(job.priority), *other));
            }
        }
    }

    /// Nobody holds the job any more.
    fn release(&mut self, id: JobId) {
        let Some(kind) = self.kind_of(id) else { return };
        kind.running.remove(&id);
        self.free_serial(id);
    }

    /// Others of the job's word may run, if it was what they wait for.
    fn free_serial(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let Some(kind) = self.kinds.get_mut(&job.kind) else { return };
        let Some(word) = &job.serial else { return };
        let Some(serial) = kind.serials.get_mut(word) else { return };
        if serial.running == Some(id) {
            serial.running = None;
        }
        let next: Vec<JobId> =
            serial.again.iter().chain(serial.first.first()).copied().collect();
        if next.is_empty() && serial.running.is_none() {
            kind.serials.remove(word);
        }
        let now = SystemTime::now();
        for id in next {
            self.offer(id, now);
        }
    }

    fn forget(&mut self, id: JobId) {
        self.leave(id);
        self.release(id);
        let Some(job) = self.jobs.remove(&id) else { return };
        if let Some(at) = job.forgotten_at {
            self.forgotten.remove(&(at, id));
        }
        let Some(key) = &job.key else { return };
        if let Some(kind) = self.kinds.get_mut(&job.kind) {
            kind.keys.remove(key);
        }
    }
}

impl Job {
    fn state(&self, now: SystemTime) -> State {
        match self.at {
            At::Waiting if self.run_at > now => State::Scheduled,
            At::Waiting => State::Ready,
            At::Running { .. } => State::Running,
            At::Done => State::Done,
            At::Dead => State::Dead,
        }
    }
}

fn seal(new: &NewJob, now: SystemTime) -> Result<String, Error> {
    let job = serde_json::from_str(&new.job).map_err(|error| {
        Error::Invalid(format!("the job is not written as JSON: {error}"))
    })?;
    let envelope = Envelope {
        v: VERSION,
        at: millis(now),
        key: new.how.key.clone(),
        serial: new.how.serial.clone(),
        trace: new.how.trace_parent.clone(),
        job,
    };
    envelope.seal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Submission;

    fn schedule(name: &str, cron: &str) -> Schedule {
        let job = NewJob {
            kind: "k".into(),
            job: "1".into(),
            how: Submission::new(),
            max_attempts: 1,
        };
        Schedule { name: name.into(), cron: cron.into(), job }
    }

    #[test]
    fn a_schedule_comes_at_its_times_and_once_for_all_that_passed() {
        const MINUTE: Duration = Duration::from_secs(60);
        let mut kept = Kept::default();
        let start = SystemTime::UNIX_EPOCH + MINUTE * 60 * 24 * 365;
        let hourly = [schedule("a", "0 * * * *")];
        kept.schedule("k", &hourly, start).unwrap();
        let tick = |kept: &mut Kept, minutes: u32| {
            let next = kept.tick("k", start + MINUTE * minutes).unwrap();
            (kept.last, next.map(|next| next.as_secs() / 60))
        };
        assert_eq!(tick(&mut kept, 0), (0, Some(60)));
        assert_eq!(tick(&mut kept, 59), (0, Some(1)));
        assert_eq!(tick(&mut kept, 60), (1, Some(60)));
        assert_eq!(tick(&mut kept, 60), (1, Some(60)));
        // Nobody looked for hours.
        assert_eq!(tick(&mut kept, 330), (2, Some(30)));
        assert_eq!(tick(&mut kept, 331), (2, Some(29)));
        // Said again, as by another process: nothing changes.
        kept.schedule("k", &hourly, start + MINUTE * 400).unwrap();
        assert_eq!(tick(&mut kept, 400), (3, Some(20)));
        // Another expression, and no word of it.
        let often =
            [schedule("a", "*/10 * * * *"), schedule("b", "5 * * * *")];
        kept.schedule("k", &often, start + MINUTE * 401).unwrap();
        assert_eq!(tick(&mut kept, 401), (3, Some(9)));
        assert_eq!(tick(&mut kept, 410), (4, Some(10)));
        kept.schedule("k", &[], start + MINUTE * 411).unwrap();
        assert_eq!(tick(&mut kept, 1000), (4, None));
    }

    #[test]
    fn a_full_limit_is_not_asked_again_and_again_for_a_rate() {
        let mut kept = Kept::default();
        let new = schedule("a", "* * * * *").job;
        let (now, ticks) = (SystemTime::now(), Instant::now());
        kept.submit(vec![new; 3], now).unwrap();
        let lease = Duration::from_secs(30);
        let ask = Ask {
            kind: "k",
            token: "t",
            most: 8,
            lease,
            limit: std::num::NonZeroUsize::new(1),
            rate: crate::Rate::new(1000, Duration::from_secs(1)),
        };
        assert_eq!(kept.claim(&ask, now, ticks).jobs.len(), 1);
        let later = ticks + Duration::from_secs(1);
        let full = kept.claim(&ask, now, later);
        assert!(full.jobs.is_empty());
        assert_eq!(full.again, Some(lease - Duration::from_secs(1)));
    }

    #[test]
    fn a_delay_beyond_all_clocks_is_not_none() {
        let mut kept = Kept::default();
        let mut new = schedule("a", "* * * * *").job;
        new.max_attempts = 2;
        let (now, ticks) = (SystemTime::now(), Instant::now());
        let id = kept.submit(vec![new], now).unwrap()[0];
        let ask = Ask {
            kind: "k",
            token: "t",
            most: 1,
            lease: Duration::from_secs(30),
            limit: None,
            rate: None,
        };
        assert_eq!(kept.claim(&ask, now, ticks).jobs.len(), 1);
        let (error, delay) = (String::new(), Duration::MAX);
        let what = Settlement::Retry { error, delay };
        let hold = Hold { id, token: "t".into() };
        assert!(kept.settle(Settled { hold, what }, now));
        assert_eq!(kept.status(id, now).unwrap().state, State::Scheduled);
    }
}
