//! Workers that stay on their processors.
//!
//! A thread that moves to another core leaves its caches behind, and on a
//! machine with several sockets its memory. Where jobs find much of what they
//! need as the last one left it, it may pay to keep each worker where it is.
//! Mostly it does not: the system moves threads for good reasons, such as
//! another program on that core. Measure both.
//!
//! ```
//! use manyhands::affinity::pin_to_cores;
//! # #[cfg(feature = "channel")] {
//! use manyhands::{Task, channel::ChannelPool};
//!
//! let pool: ChannelPool<Task> = ChannelPool::builder()
//!     .workers(4)
//!     .on_start(pin_to_cores())
//!     .build()?;
//! # }
//! # Ok::<(), manyhands::BuildError>(())
//! ```

use core_affinity::{CoreId, get_core_ids, set_for_current};

use crate::WorkerInfo;

/// A hook that pins worker n to core n, for
/// [`Builder::on_start`](crate::Builder::on_start); where there are fewer
/// cores, to the one with the number n modulo as many.
///
/// The cores are those that the thread which calls this may run on, in the
/// order of their numbers: so not all, in a container that was given some. A
/// worker that is started later in place of one that has ended has the same
/// core.
///
/// That a worker cannot be pinned is no error of the pool: it runs wherever
/// the system puts it, as it would without this. To hear of it, take
/// [`pin_to_cores_and`]. Linux, FreeBSD and NetBSD do as they are told, and
/// Windows for its first 64 processors. macOS takes it for advice, and on
/// Apple's own processors refuses; other systems cannot.
///
/// Two pools that are both pinned share the first cores, and leave the others
/// to nobody.
pub fn pin_to_cores() -> impl Fn(&WorkerInfo) + Send + Sync + 'static {
    pin_to_cores_and(|_, _| ())
}

/// [`pin_to_cores`], and tells of each worker which core it has, as the system
/// numbers them: `None` for one that could not be pinned.
///
/// ```
/// use manyhands::ThreadOptions;
/// use manyhands::affinity::pin_to_cores_and;
///
/// let options = ThreadOptions::new().on_start(pin_to_cores_and(
///     |worker, core| match core {
///         Some(core) => println!("{}: on core {core}", worker.index()),
///         None => println!("{}: wherever it likes", worker.index()),
///     },
/// ));
/// # let _ = options;
/// ```
pub fn pin_to_cores_and(
    tell: impl Fn(&WorkerInfo, Option<usize>) + Send + Sync + 'static,
) -> impl Fn(&WorkerInfo) + Send + Sync + 'static {
    // None where the system does not tell of any.
    pin_to(get_core_ids().unwrap_or_default(), tell)
}

fn pin_to(
    cores: Vec<CoreId>,
    tell: impl Fn(&WorkerInfo, Option<usize>),
) -> impl Fn(&WorkerInfo) {
    move |worker| {
        let at = worker.index().checked_rem(cores.len());
        let core = at.map(|at| cores[at]).filter(|it| set_for_current(*it));
        tell(worker, core.map(|core| core.id));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use manyhands_core::ThreadOptions;

    use super::*;

    #[test]
    #[allow(clippy::unwrap_used, reason = "in tests a panic is the report")]
    fn a_worker_that_cannot_be_pinned_works_all_the_same_and_it_is_told() {
        let nowhere = CoreId { id: 1023 };
        for cores in [vec![], vec![nowhere]] {
            let (told, heard) = channel();
            let hook = pin_to(cores, move |_, core| told.send(core).unwrap());
            let options = ThreadOptions::new().on_start(hook);
            let (work, worked) = channel();
            let work = move || work.send(()).unwrap();
            options.spawn("worker", 0, work).unwrap().join().unwrap();
            assert_eq!(heard.recv(), Ok(None));
            assert_eq!(worked.recv(), Ok(()));
        }
    }
}
