//! Other people's pools, each as its manual has it.

mod channels;
mod closures;
mod futures;
mod paralight;
mod rayon;
mod smol;
mod tokio;
mod workerpool;

use std::thread::available_parallelism;

use super::{Contender, Sizes};

pub(super) fn contenders() -> Vec<Contender> {
    let mut all = channels::contenders();
    all.extend(closures::contenders());
    all.extend(workerpool::contenders());
    all.extend(rayon::contenders());
    all.extend(tokio::contenders());
    all.extend(futures::contenders());
    all.extend(smol::contenders());
    all.extend(paralight::contenders());
    all
}

/// How many threads a runtime of tasks gets: a task that waits needs none,
/// so there are no more than cores, however many tasks there may be.
fn threads(sizes: Sizes) -> usize {
    let cores = available_parallelism().map_or(1, |cores| cores.get());
    sizes.workers.min(cores)
}
