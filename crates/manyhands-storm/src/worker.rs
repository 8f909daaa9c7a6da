//! A process that works, as a service would.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use manyhands_durable::JobQueue;
use signal_hook::consts::SIGTERM;

use crate::broken::Broken;
use crate::follow::NEW_WORKER;
use crate::job::{self, Form, NewJob, StormJob};
use crate::target::{Target, patiently};

/// Works until it is told to stop, by SIGTERM.
#[derive(Args, Clone, Debug)]
pub(crate) struct Worker {
    /// The queue.
    #[arg(long)]
    pub(crate) target: Target,
    /// Where the storm's files are.
    #[arg(long)]
    pub(crate) folder: PathBuf,
    /// How many jobs at once.
    #[arg(long, default_value_t = 4)]
    pub(crate) threads: usize,
    /// It is of the next release.
    #[arg(long)]
    pub(crate) new: bool,
    /// For how long a stop waits, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    pub(crate) grace: u64,
}

impl Worker {
    pub(crate) fn run(&self) -> Result<()> {
        let stop = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGTERM, Arc::clone(&stop))?;
        let who = if self.new { NEW_WORKER } else { "worker" };
        job::open(&self.folder, who)?;
        if let Target::Broken(flaw, path) = &self.target {
            let workers = Broken::open(path, *flaw)?.work(self.threads);
            wait(&stop);
            workers.stop();
            return Ok(());
        }
        if self.new {
            self.work::<NewJob>(&stop)
        } else {
            self.work::<StormJob>(&stop)
        }
    }

    fn work<J: Form>(&self, stop: &AtomicBool) -> Result<()> {
        let threads = self.threads;
        let queue: JobQueue<J> =
            patiently(|| self.target.queue(|it| it.workers(threads)))?;
        patiently(|| queue.start())?;
        wait(stop);
        queue.stop_within(Duration::from_millis(self.grace));
        Ok(())
    }
}

fn wait(stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(10));
    }
}
