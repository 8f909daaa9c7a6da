//! `workerpool`: jobs of one type, run by a worker of one type; each answer
//! goes to the channel that was handed over with its job.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use manyhands::Job;
use workerpool::{Pool, Worker};

use super::super::{Contender, Sizes, Way};
use crate::drive::{Feed, Single};
use crate::work::{Answer, Task};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("workerpool", Way::Single, |sizes| {
            Single(WorkerPool::start(sizes))
        })
        .bends("unbounded; no ids; a panic loses its answer"),
    ]
}

#[derive(Default)]
struct Runner;

impl Worker for Runner {
    type Input = Task;
    type Output = Answer;

    fn execute(&mut self, task: Task) -> Answer {
        task.run()
    }
}

struct WorkerPool {
    pool: Pool<Runner>,
    sender: Sender<Answer>,
    /// Its own channel, which is for one reader.
    results: Mutex<Receiver<Answer>>,
}

impl WorkerPool {
    fn start(sizes: Sizes) -> Self {
        let (sender, results) = channel();
        let pool = Pool::new(sizes.workers);
        Self { pool, sender, results: Mutex::new(results) }
    }
}

impl Feed for WorkerPool {
    fn submit(&self, task: Task) {
        self.pool.execute_to(self.sender.clone(), task);
    }

    fn try_submit(&self, task: Task) -> Result<(), Task> {
        self.submit(task);
        Ok(())
    }

    fn receive(&self, sink: &mut dyn FnMut(u64, Answer)) -> u64 {
        let results = self.results.lock().expect("the reader did not panic");
        sink(0, results.recv().expect("this pool sends"));
        let more = results.try_iter().map(|answer| sink(0, answer));
        1 + more.count() as u64
    }

    fn most_owed(&self) -> u64 {
        u64::MAX
    }
}
