//! Worker-pool patterns, side by side: one crate a pattern, one shared trait.
//!
//! This crate re-exports the contract ([`manyhands_core`]) and, a feature
//! each, the patterns. If you need one pattern, depend on its crate alone. To
//! choose at run time, or to compare, take this crate and its list,
//! [`variants`].
//!
//! # A map
//!
//! | to | see | feature |
//! |---|---|---|
//! | use any pool | [`WorkerPool`], [`WorkerPoolExt`] | |
//! | choose a pool by its name | [`variants`], [`Variant`], [`Claims`] | those to choose from |
//! | have workers range over a channel | `channel` | `channel` |
//! | know when all workers are done | `waitgroup` | `waitgroup` |
//! | have a queue beside a server | `dispatcher` | `dispatcher` |
//! | limit how many run at once | `semaphore` | `semaphore` |
//! | stop at the first error | `errgroup` | `errgroup` |
//! | run jobs of a microsecond or less | `batch` | `batch` |
//! | steal work | `rayon` | `rayon` |
//! | run async jobs | `tokio` | `tokio` |

#![forbid(unsafe_code)]

#[cfg(feature = "affinity")]
pub mod affinity;
mod list;

pub use manyhands_core::*;

pub use crate::list::{Claims, Variant, variants};

#[cfg(feature = "batch")]
pub use manyhands_batch as batch;
#[cfg(feature = "channel")]
pub use manyhands_channel as channel;
#[cfg(feature = "dispatcher")]
pub use manyhands_dispatcher as dispatcher;
#[cfg(feature = "errgroup")]
pub use manyhands_errgroup as errgroup;
#[cfg(feature = "rayon")]
pub use manyhands_rayon as rayon;
#[cfg(feature = "semaphore")]
pub use manyhands_semaphore as semaphore;
#[cfg(feature = "tokio")]
pub use manyhands_tokio as tokio;
#[cfg(feature = "waitgroup")]
pub use manyhands_waitgroup as waitgroup;

/// The pages of the repository, so that each of their examples is a test.
#[cfg(all(doctest, feature = "all"))]
mod documentation {
    macro_rules! pages {
        ($($name:ident: $path:literal,)*) => {$(
            #[doc = include_str!(concat!("../../../", $path))]
            mod $name {}
        )*};
    }

    pages! {
        readme: "README.md",
        features: "docs/FEATURES.md",
        migrating: "docs/MIGRATING.md",
        course_01: "docs/course/01-why-a-pool.md",
        course_02: "docs/course/02-the-channel-pool.md",
        course_03: "docs/course/03-who-closes-what.md",
        course_04: "docs/course/04-backpressure.md",
        course_05: "docs/course/05-waiting-right.md",
        course_06: "docs/course/06-the-dispatcher.md",
        course_07: "docs/course/07-when-jobs-fail.md",
        course_08: "docs/course/08-how-many-workers.md",
        course_09: "docs/course/09-queues-and-latency.md",
        course_10: "docs/course/10-cpu-work.md",
        course_11: "docs/course/11-async.md",
        course_12: "docs/course/12-measure-and-choose.md",
        refused: "docs/refused.md",
        batch: "docs/patterns/batch.md",
        channel: "docs/patterns/channel.md",
        dispatcher: "docs/patterns/dispatcher.md",
        errgroup: "docs/patterns/errgroup.md",
        rayon: "docs/patterns/rayon.md",
        semaphore: "docs/patterns/semaphore.md",
        tokio: "docs/patterns/tokio.md",
        waitgroup: "docs/patterns/waitgroup.md",
        museum_waitgroup_copied: "docs/museum/waitgroup-copied.md",
        batch_readme: "crates/manyhands-batch/README.md",
        channel_readme: "crates/manyhands-channel/README.md",
        conformance_readme: "crates/manyhands-conformance/README.md",
        core_readme: "crates/manyhands-core/README.md",
        dispatcher_readme: "crates/manyhands-dispatcher/README.md",
        errgroup_readme: "crates/manyhands-errgroup/README.md",
        facade_readme: "crates/manyhands/README.md",
        managed_readme: "crates/manyhands-managed/README.md",
        rayon_readme: "crates/manyhands-rayon/README.md",
        semaphore_readme: "crates/manyhands-semaphore/README.md",
        tokio_readme: "crates/manyhands-tokio/README.md",
        waitgroup_readme: "crates/manyhands-waitgroup/README.md",
        workloads_readme: "crates/manyhands-workloads/README.md",
    }
}
