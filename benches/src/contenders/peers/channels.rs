//! The pool of `crossbeam.rs`, over the channels of others.

use std::thread::{JoinHandle, spawn};

use manyhands::Job;

use super::super::{Contender, Sizes, Way};
use crate::drive::{Feed, Single};
use crate::work::{Answer, Task};

pub(super) fn contenders() -> Vec<Contender> {
    const BENDS: &str = "no ids; a panic ends its worker";
    vec![
        Contender::new("kanal", Way::Single, |sizes| {
            Single(Kanal::start(sizes))
        })
        .bends("no ids; a panic ends its worker; spins while it waits"),
        Contender::new("flume", Way::Single, |sizes| {
            Single(Flume::start(sizes))
        })
        .bends(BENDS),
    ]
}

struct Kanal {
    jobs: Option<kanal::Sender<Task>>,
    results: kanal::Receiver<Answer>,
    queue: usize,
    workers: Vec<JoinHandle<()>>,
}

impl Kanal {
    fn start(sizes: Sizes) -> Self {
        let (jobs, queued) = kanal::bounded::<Task>(sizes.queue);
        let (sender, results) = kanal::unbounded();
        let worker = |_| {
            let (jobs, results) = (queued.clone(), sender.clone());
            spawn(move || {
                while let Ok(job) = jobs.recv() {
                    if results.send(job.run()).is_err() {
                        return;
                    }
                }
            })
        };
        let workers = (0..sizes.workers).map(worker).collect();
        Self { jobs: Some(jobs), results, queue: sizes.queue, workers }
    }

    fn jobs(&self) -> &kanal::Sender<Task> {
        self.jobs.as_ref().expect("open until it is dropped")
    }
}

impl Feed for Kanal {
    fn submit(&self, task: Task) {
        self.jobs().send(task).expect("its workers live");
    }

    fn try_submit(&self, task: Task) -> Result<(), Task> {
        match self.jobs().try_send(task).expect("its workers live") {
            true => Ok(()),
            false => Err(task),
        }
    }

    fn receive(&self, sink: &mut dyn FnMut(u64, Answer)) -> u64 {
        sink(0, self.results.recv().expect("its workers live"));
        let mut count = 1;
        while let Ok(Some(answer)) = self.results.try_recv() {
            sink(0, answer);
            count += 1;
        }
        count
    }

    fn most_owed(&self) -> u64 {
        2 * self.queue as u64
    }
}

impl Drop for Kanal {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            worker.join().expect("no job panics");
        }
    }
}

struct Flume {
    jobs: Option<flume::Sender<Task>>,
    results: flume::Receiver<Answer>,
    queue: usize,
    workers: Vec<JoinHandle<()>>,
}

impl Flume {
    fn start(sizes: Sizes) -> Self {
        let (jobs, queued) = flume::bounded::<Task>(sizes.queue);
        let (sender, results) = flume::unbounded();
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
        Self { jobs: Some(jobs), results, queue: sizes.queue, workers }
    }

    fn jobs(&self) -> &flume::Sender<Task> {
        self.jobs.as_ref().expect("open until it is dropped")
    }
}

impl Feed for Flume {
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
}

impl Drop for Flume {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            worker.join().expect("no job panics");
        }
    }
}
