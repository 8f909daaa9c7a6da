//! Workers around two crossbeam channels and nothing else: what the variants
//! are held to.

use std::thread::{JoinHandle, spawn};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use manyhands::Job;

use super::{Contender, Sizes, Way};
use crate::drive::{Drive, Feed, Single};
use crate::work::{Answer, Source, Stops, Task};

pub(super) fn contenders() -> Vec<Contender> {
    const BENDS: &str = "no ids; a panic ends its worker";
    vec![
        Contender::new("crossbeam", Way::Single, |sizes: Sizes| {
            Single(Channels::start(sizes, unbounded()))
        })
        .bends(BENDS),
        Contender::new("crossbeam-bounded", Way::Single, |sizes: Sizes| {
            Single(Channels::start(sizes, bounded(sizes.queue)))
        })
        .bends("no ids; a panic ends its worker; results bounded too"),
        Contender::new("crossbeam-vecs", Way::Batch, Vectors::start)
            .bends("no ids; a panic ends its worker; vectors of 256"),
    ]
}

/// Jobs in a bounded channel; results in another.
struct Channels {
    jobs: Option<Sender<Task>>,
    /// To take back what no worker has taken.
    queued: Receiver<Task>,
    results: Receiver<Answer>,
    queue: usize,
    workers: Vec<JoinHandle<()>>,
}

impl Channels {
    fn start(
        sizes: Sizes,
        (sender, results): (Sender<Answer>, Receiver<Answer>),
    ) -> Self {
        let (jobs, queued) = bounded::<Task>(sizes.queue);
        let worker = |_| {
            let (jobs, results) = (queued.clone(), sender.clone());
            spawn(move || {
                for job in jobs {
                    if results.send(job.run()).is_err() {
                        return;
                    }
                }
            })
        };
        let workers = (0..sizes.workers).map(worker).collect();
        Self { jobs: Some(jobs), queued, results, queue: sizes.queue, workers }
    }

    fn jobs(&self) -> &Sender<Task> {
        self.jobs.as_ref().expect("open until it is dropped")
    }
}

impl Feed for Channels {
    fn submit(&self, task: Task) {
        self.jobs().send(task).expect("its workers live");
    }

    fn try_submit(&self, task: Task) -> Result<(), Task> {
        self.jobs().try_send(task).map_err(|error| error.into_inner())
    }

    fn receive(&self, sink: &mut dyn FnMut(u64, Answer)) -> u64 {
        sink(0, self.results.recv().expect("its workers live"));
        let more = self.results.try_iter().map(|answer| sink(0, answer));
        1 + more.count() as u64
    }

    fn most_owed(&self) -> u64 {
        2 * self.queue as u64
    }

    /// The caller takes back what is queued as soon as it reads the error.
    fn fail_fast(&self, source: &Stops, jobs: u64) -> bool {
        let (mut owed, mut index, mut failed) = (0, 0, false);
        while owed > 0 || index < jobs && !failed {
            if index < jobs && !failed && !self.jobs().is_full() {
                self.submit(source.task(index));
                index += 1;
                owed += 1;
            } else {
                owed -= self.receive(&mut |_, it| failed |= it.is_err());
                if failed {
                    owed -= self.queued.try_iter().count() as u64;
                }
            }
        }
        true
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            worker.join().expect("no job panics");
        }
    }
}

/// Jobs go in by the vector and come back by the vector; the two go round
/// together and are filled again, so that nothing is allocated.
struct Vectors {
    jobs: Option<Sender<Batch>>,
    results: Receiver<Batch>,
    spare: Vec<Batch>,
    workers: Vec<JoinHandle<()>>,
}

type Batch = (Vec<Task>, Vec<Answer>);

/// Few enough that a queue of 1024 holds some.
const BATCH: u64 = 256;

impl Vectors {
    fn start(sizes: Sizes) -> Self {
        let slots = (sizes.queue / BATCH as usize).max(2);
        let (jobs, queued) = bounded::<Batch>(slots);
        let (sender, results) = unbounded();
        let worker = |_| {
            let (jobs, results) = (queued.clone(), sender.clone());
            spawn(move || {
                for (mut tasks, mut answers) in jobs {
                    answers.extend(tasks.drain(..).map(Job::run));
                    if results.send((tasks, answers)).is_err() {
                        return;
                    }
                }
            })
        };
        let workers = (0..sizes.workers).map(worker).collect();
        Self { jobs: Some(jobs), results, spare: Vec::new(), workers }
    }
}

impl Drive for Vectors {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let Self { jobs: sender, results, spare, .. } = self;
        let sender = sender.as_ref().expect("open until it is dropped");
        let mut receive = |spare: &mut Vec<Batch>| {
            let mut batch = results.recv().expect("its workers live");
            let count = batch.1.len() as u64;
            batch.1.drain(..).for_each(|answer| sink(0, answer));
            spare.push(batch);
            count
        };
        let (mut next, mut owed) = (0, 0);
        while next < jobs {
            let end = jobs.min(next + BATCH);
            let mut batch = spare.pop().unwrap_or_default();
            batch.0.extend((next..end).map(|index| source.task(index)));
            while let Err(back) = sender.try_send(batch) {
                batch = back.into_inner();
                owed -= receive(spare);
            }
            owed += end - next;
            next = end;
        }
        while owed > 0 {
            owed -= receive(spare);
        }
    }
}

impl Drop for Vectors {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            worker.join().expect("no job panics");
        }
    }
}
