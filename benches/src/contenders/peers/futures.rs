//! `buffer_unordered` of `futures`: a stream that polls many at once, on the
//! caller's thread.

use futures_util::stream::{StreamExt, iter};
use manyhands::AsyncJob;
use tokio::runtime::{Builder, Runtime};

use super::super::{Contender, Sizes, Way};
use crate::drive::Drive;
use crate::work::{Answer, Source};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("buffer_unordered", Way::Single, Stream::start)
            .bends("one thread: waits at once, computes in turn; no ids"),
    ]
}

struct Stream {
    /// For the timer of jobs that sleep.
    runtime: Runtime,
    most: usize,
}

impl Stream {
    fn start(sizes: Sizes) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("the system has a timer");
        Self { runtime, most: sizes.queue }
    }
}

impl Drive for Stream {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let futures = (0..jobs).map(|i| source.task(i).run_async());
        let stream = iter(futures).buffer_unordered(self.most);
        let read = stream.for_each(|answer| {
            sink(0, answer);
            std::future::ready(())
        });
        self.runtime.block_on(read);
    }
}
