//! A process that submits, and does not rest until it knows.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use fastrand::Rng;
use manyhands_durable::Error;

use crate::job::{self, Form, NewJob, StormJob, What};
use crate::ledger::{Entry, read_of};
use crate::target::{Item, Sender, Target};

/// Submits its jobs, those that it does not know to be stored.
#[derive(Args, Clone, Debug)]
pub(crate) struct Producer {
    /// The queue.
    #[arg(long)]
    pub(crate) target: Target,
    /// Where the storm's files are.
    #[arg(long)]
    pub(crate) folder: PathBuf,
    /// Which of the producers.
    #[arg(long)]
    pub(crate) slot: usize,
    /// How many jobs.
    #[arg(long)]
    pub(crate) jobs: usize,
    /// What they are is drawn from this.
    #[arg(long)]
    pub(crate) seed: u64,
    /// Some of them end their process.
    #[arg(long)]
    pub(crate) killers: usize,
    /// How long it takes, in milliseconds, if the store takes no time.
    #[arg(long, default_value_t = 0)]
    pub(crate) pace: u64,
    /// How many submit at once.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// It is of the next release.
    #[arg(long)]
    pub(crate) new: bool,
}

impl Producer {
    pub(crate) fn run(&self) -> Result<()> {
        job::open(&self.folder, &format!("producer{}", self.slot))?;
        if self.new {
            self.produce::<NewJob>()
        } else {
            self.produce::<StormJob>()
        }
    }

    /// Its jobs, the same each time.
    fn items(&self) -> Vec<Item> {
        let slot = self.slot as u64;
        let mut rng = Rng::with_seed(self.seed ^ (slot + 1) << 32);
        let deadly = |number: usize| {
            let each = self.jobs / (self.killers + 1).max(1);
            self.killers > 0 && number > 0 && number.is_multiple_of(each)
        };
        let item = |number| {
            let what = draw(&mut rng);
            let what = if deadly(number) { What::Killer } else { what };
            let key = format!("p{slot}-{number}");
            let mut job = StormJob::new(key, what);
            if number % 150 == 75 {
                job.pad = "too large ".repeat(200_000);
            }
            let word = rng.u32(0..50);
            let serial = (word < 5).then(|| format!("p{slot}-s{word}"));
            // It would hold back all that come after it.
            let serial = serial.filter(|_| what != What::Killer);
            (job, serial)
        };
        (0..self.jobs).map(item).collect()
    }

    fn produce<J: Form>(&self) -> Result<()> {
        let (settled, begun) = self.before()?;
        let sender = Sender::<J>::open(&self.target)?;
        let threads = self.threads.max(1);
        let mut parts = vec![Vec::new(); threads];
        for (number, (job, serial)) in self.items().into_iter().enumerate() {
            // What is in order is of one thread.
            let word = serial.as_deref().map(|it| it.bytes().map(usize::from));
            let part = word.map_or(number, Iterator::sum);
            if !settled.contains(&job.key) {
                parts[part % threads].push((job, serial));
            }
        }
        std::thread::scope(|scope| {
            let (sender, begun) = (&sender, &begun);
            let mut all = Vec::new();
            for (part, items) in (0..).zip(&parts) {
                let rng = Rng::with_seed(self.seed ^ part);
                all.push(
                    scope.spawn(move || self.send(sender, items, begun, rng)),
                );
            }
            let ends = all.into_iter().map(|it| it.join());
            let mut ends =
                ends.map(|end| end.unwrap_or_else(|_| bail!("panic")));
            ends.try_for_each(|end| end)
        })
    }

    /// One after another, some of them together.
    fn send<J: Form>(
        &self,
        sender: &Sender<J>,
        items: &[Item],
        begun: &BTreeSet<String>,
        mut rng: Rng,
    ) -> Result<()> {
        let each = self.jobs.max(1) as f64 / self.threads.max(1) as f64;
        let pause = Duration::from_millis(self.pace).div_f64(each);
        let mut rest = items;
        while !rest.is_empty() {
            // Some come in one transaction.
            let several =
                if rng.u32(0..20) == 0 { rng.usize(2..20) } else { 1 };
            let (batch, others) = rest.split_at(several.min(rest.len()));
            rest = others;
            let is_new =
                batch.iter().all(|(job, _)| !begun.contains(&job.key));
            self.submit(sender, batch, is_new, &mut rng)?;
            std::thread::sleep(pause * batch.len() as u32);
        }
        Ok(())
    }

    /// What earlier processes of this slot know, and what they had begun.
    fn before(&self) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
        let mut settled = BTreeSet::new();
        let mut begun = BTreeSet::new();
        let mine = format!("producer{}-", self.slot);
        for (_, entries) in read_of(&self.folder.join("ledgers"), &mine)? {
            for entry in entries {
                match entry {
                    Entry::Committed { key, .. } | Entry::Refused { key } => {
                        settled.insert(key);
                    }
                    Entry::Intent { key, .. } => {
                        begun.insert(key);
                    }
                    _ => {}
                }
            }
        }
        Ok((settled, begun))
    }

    fn submit<J: Form>(
        &self,
        sender: &Sender<J>,
        batch: &[Item],
        is_new: bool,
        rng: &mut Rng,
    ) -> Result<()> {
        for (job, serial) in batch {
            job::say(&Entry::Intent {
                key: job.key.clone(),
                checksum: job.checksum(),
                serial: serial.clone(),
            })?;
        }
        // Once it may be there, it can be given up no more.
        let mut may_be_there = !is_new;
        let mut pause = 10;
        loop {
            match sender.submit(batch) {
                Ok(ids) => {
                    if ids.len() != batch.len() {
                        bail!("{} ids for {}", ids.len(), batch.len());
                    }
                    for ((job, _), id) in batch.iter().zip(ids) {
                        let key = job.key.clone();
                        job::say(&Entry::Committed { key, id })?;
                    }
                    return Ok(());
                }
                Err(Error::Unknown(_)) => {
                    may_be_there = true;
                    for (job, _) in batch {
                        let key = job.key.clone();
                        job::say(&Entry::Unknown { key })?;
                    }
                }
                Err(Error::Store(_)) => {
                    let key = batch[0].0.key.clone();
                    job::say(&Entry::Failed { key })?;
                    if !may_be_there && rng.u32(0..8) == 0 {
                        return refused(batch);
                    }
                }
                // One is too large: alone then, each.
                Err(Error::Invalid(_)) if batch.len() > 1 => {
                    for item in batch {
                        let item = std::slice::from_ref(item);
                        self.submit(sender, item, !may_be_there, rng)?;
                    }
                    return Ok(());
                }
                Err(Error::Invalid(_)) => return refused(batch),
                Err(error) => bail!("submit: {error}"),
            }
            std::thread::sleep(Duration::from_millis(
                rng.u64(pause / 2..=pause),
            ));
            pause = (pause * 2).min(500);
        }
    }
}

fn refused(batch: &[Item]) -> Result<()> {
    for (job, _) in batch {
        job::say(&Entry::Refused { key: job.key.clone() })?;
    }
    Ok(())
}

/// What most jobs of the world are, and some of all others.
fn draw(rng: &mut Rng) -> What {
    match rng.u32(0..1000) {
        0..10 => What::Poison,
        10..30 => What::Permanent,
        30..110 => What::Fails(rng.u32(1..=2)),
        110..260 => What::Slow(rng.u64(1..40)),
        // Longer than from one heartbeat to the next.
        260..268 => What::Slow(1500),
        268..276 => What::Big,
        _ => What::Good,
    }
}
