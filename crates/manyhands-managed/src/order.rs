//! Which of the queued jobs is next.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::{Duration, Instant};

use manyhands_core::JobId;

use crate::entry::Entry;

/// In which order a [`ManagedPool`](crate::ManagedPool) takes up its jobs.
///
/// A wrapper hides its job from these functions. With what they need as the key
/// of a `Keyed` job of `manyhands-jobs`, outermost, they see it:
/// `|job| job.key.urgent`.
///
/// ```
/// use std::time::Duration;
/// use manyhands_managed::Order;
///
/// struct Mail { urgent: bool, customer: u32 }
/// # impl manyhands_core::Job for Mail { type Output = (); fn run(self) {} }
///
/// // Urgent mail overtakes what came in the ten seconds before it; the
/// // mails of one customer go out one after the other.
/// let order = Order::fifo()
///     .by_priority(Duration::from_secs(10), |mail: &Mail| mail.urgent.into())
///     .one_at_a_time(|mail: &Mail| Some(mail.customer));
/// ```
pub struct Order<J> {
    rank: Option<Rank<J>>,
    key: Option<Key<J>>,
}

/// A job's priority, and how much time a step of it is worth.
struct Rank<J> {
    of: Box<dyn Fn(&J) -> i32 + Send + Sync>,
    step: Duration,
}

/// A job's key, hashed.
type Key<J> = Box<dyn Fn(&J) -> Option<u64> + Send + Sync>;

impl<J> Order<J> {
    /// First in, first out: the order in which jobs were accepted.
    pub fn fifo() -> Self {
        Self { rank: None, key: None }
    }

    /// Jobs of a higher priority first, with *ageing*: each step of priority
    /// is worth so much time of waiting.
    ///
    /// A job is served as if it had been accepted `step` earlier for each
    /// step of its priority. So it overtakes the jobs of the next lower
    /// priority that came within `step` before it, and no others: however
    /// many urgent jobs come, one of low priority waits for those only that
    /// came before it or soon after. Equal priorities are first in, first out.
    ///
    /// `priority` is called once a job, when it is submitted.
    pub fn by_priority(
        self,
        step: Duration,
        priority: impl Fn(&J) -> i32 + Send + Sync + 'static,
    ) -> Self {
        Self { rank: Some(Rank { of: Box::new(priority), step }), ..self }
    }

    /// Jobs of one key run one at a time, in the order in which they were
    /// accepted; jobs of different keys, and those without (`None`), beside
    /// each other as before.
    ///
    /// A job that waits for its key holds up nobody else, and takes a place
    /// in the queue. Keys are compared by a 64-bit hash with a random seed:
    /// two keys with the same hash would be treated as one, which costs
    /// nothing but time. `key` is called once a job, when it is submitted.
    pub fn one_at_a_time<K: Hash>(
        self,
        key: impl Fn(&J) -> Option<K> + Send + Sync + 'static,
    ) -> Self {
        let seed = RandomState::new();
        let hashed = move |job: &J| key(job).map(|key| seed.hash_one(key));
        Self { key: Some(Box::new(hashed)), ..self }
    }

    /// A job that is to be accepted, with what the queue has to know of it:
    /// calls the user's functions, so not to be called with a lock held.
    pub(crate) fn offer(&self, job: J) -> Offer<J> {
        let place = self.place(&job);
        Offer { job: Some(job), place }
    }

    fn place(&self, job: &J) -> Place {
        let (priority, step) = match &self.rank {
            Some(rank) => ((rank.of)(job), rank.step),
            None => (0, Duration::ZERO),
        };
        let lead = step.as_nanos() as i128 * i128::from(priority);
        let key = self.key.as_ref().and_then(|key| key(job));
        Place { lead, key }
    }

    pub(crate) fn queue(&self) -> Queue<J> {
        if self.rank.is_none() && self.key.is_none() {
            Queue::Fifo(VecDeque::new())
        } else {
            let start = Instant::now();
            Queue::Ranked(Ranked {
                start,
                last: start,
                entries: BTreeMap::new(),
                ready: BTreeSet::new(),
                lanes: HashMap::new(),
            })
        }
    }
}

/// First in, first out.
impl<J> Default for Order<J> {
    fn default() -> Self {
        Self::fifo()
    }
}

impl<J> fmt::Debug for Order<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("step", &self.rank.as_ref().map(|rank| rank.step))
            .field("keyed", &self.key.is_some())
            .finish()
    }
}

/// A job on its way into a queue, which may take more than one attempt.
pub(crate) struct Offer<J> {
    /// `None` once it was accepted, or has come back.
    pub(crate) job: Option<J>,
    pub(crate) place: Place,
}

/// What decides about a job's place in the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// How much earlier it counts as accepted, in nanoseconds.
    lead: i128,
    pub(crate) key: Option<u64>,
}

/// The queued jobs. No method calls the user's code.
pub(crate) enum Queue<J> {
    Fifo(VecDeque<Entry<J>>),
    Ranked(Ranked<J>),
}

pub(crate) struct Ranked<J> {
    start: Instant,
    /// When the last one was accepted: the clock of those that come at the
    /// same time from several threads.
    last: Instant,
    /// All of them, by id.
    entries: BTreeMap<JobId, Entry<J>>,
    /// Those that may start: the virtual time of being accepted, and the id.
    ready: BTreeSet<(i128, JobId)>,
    /// Of each key that runs or is ready, those that wait for it.
    lanes: HashMap<u64, VecDeque<JobId>>,
}

impl<J> Queue<J> {
    pub(crate) fn push(&mut self, entry: Entry<J>) {
        match self {
            Self::Fifo(entries) => entries.push_back(entry),
            Self::Ranked(ranked) => ranked.push(entry),
        }
    }

    /// The next that may start.
    pub(crate) fn pop(&mut self) -> Option<Entry<J>> {
        match self {
            Self::Fifo(entries) => entries.pop_front(),
            Self::Ranked(ranked) => {
                let (_, id) = ranked.ready.pop_first()?;
                ranked.entries.remove(&id)
            }
        }
    }

    /// The one that was accepted first, to be given up.
    pub(crate) fn pop_oldest(&mut self) -> Option<Entry<J>> {
        match self {
            Self::Fifo(entries) => entries.pop_front(),
            Self::Ranked(ranked) => ranked.pop_oldest(),
        }
    }

    /// A job of this key is to run that was never queued. False if the key is
    /// in use.
    pub(crate) fn claim(&mut self, key: Option<u64>) -> bool {
        match (self, key) {
            (Self::Ranked(ranked), Some(key)) => {
                let is_free = !ranked.lanes.contains_key(&key);
                if is_free {
                    ranked.lanes.insert(key, VecDeque::new());
                }
                is_free
            }
            _ => true,
        }
    }

    /// A job that was popped, or claimed its key, is over.
    pub(crate) fn over(&mut self, key: Option<u64>) {
        if let (Self::Ranked(ranked), Some(key)) = (self, key) {
            ranked.next_of(key);
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Fifo(entries) => entries.len(),
            Self::Ranked(ranked) => ranked.entries.len(),
        }
    }

    /// How many of them may start.
    pub(crate) fn ready(&self) -> usize {
        match self {
            Self::Fifo(entries) => entries.len(),
            Self::Ranked(ranked) => ranked.ready.len(),
        }
    }

    /// Since when the one waits that was accepted first.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        match self {
            Self::Fifo(entries) => entries.front(),
            Self::Ranked(ranked) => ranked.entries.values().next(),
        }
        .map(|entry| entry.since)
    }
}

impl<J> Ranked<J> {
    fn push(&mut self, mut entry: Entry<J>) {
        self.last = self.last.max(entry.since);
        entry.since = self.last;
        let id = entry.ticket.id;
        match entry.place.key {
            Some(key) if self.lanes.contains_key(&key) => {
                self.lanes.entry(key).or_default().push_back(id);
            }
            key => {
                if let Some(key) = key {
                    self.lanes.insert(key, VecDeque::new());
                }
                self.ready.insert(self.rank(&entry));
            }
        }
        self.entries.insert(id, entry);
    }

    fn pop_oldest(&mut self) -> Option<Entry<J>> {
        let (id, entry) = self.entries.pop_first()?;
        let was_ready = self.ready.remove(&self.rank(&entry));
        match entry.place.key {
            Some(key) if was_ready => self.next_of(key),
            Some(key) => {
                // The oldest of all is in front of its lane.
                if let Some(lane) = self.lanes.get_mut(&key) {
                    let front = lane.pop_front();
                    debug_assert_eq!(front, Some(id));
                }
            }
            None => {}
        }
        Some(entry)
    }

    /// The next of this key may start.
    fn next_of(&mut self, key: u64) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        match lane.pop_front().and_then(|id| self.entries.get(&id)) {
            Some(entry) => {
                self.ready.insert(self.rank(entry));
            }
            None => {
                self.lanes.remove(&key);
            }
        }
    }

    fn rank(&self, entry: &Entry<J>) -> (i128, JobId) {
        let accepted = entry.since.saturating_duration_since(self.start);
        let accepted = accepted.as_nanos() as i128;
        (accepted - entry.place.lead, entry.ticket.id)
    }
}
