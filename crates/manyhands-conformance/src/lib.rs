//! The laws of worker pools as checks, for any pool that keeps the contract
//! of `manyhands-core`: those of Many Hands, and yours.
//!
//! One dependency, one line in a test, and a line for each law that is
//! broken. `MyPool` is any
//! [`WorkerPool<LawJob>`](manyhands_core::WorkerPool), also a
//! `Box<dyn WorkerPool<LawJob>>`:
//!
//! ```no_run
//! # use manyhands_core::{Config, InlinePool};
//! # struct MyPool;
//! # impl MyPool {
//! #     fn new<J: manyhands_core::Job>(_: Config) -> InlinePool<J> {
//! #         InlinePool::new()
//! #     }
//! # }
//! use manyhands_conformance::check_all;
//!
//! // In a file of its own under `tests/`, as a `#[test]`:
//! fn my_pool_keeps_the_laws() {
//!     check_all(|config| MyPool::new(config)).assert_passed();
//! }
//! # my_pool_keeps_the_laws();
//! ```
//!
//! The example `pool_from_outside` is a whole pool in under a hundred
//! lines, and its check.
//!
//! # A map
//!
//! | to | see |
//! |---|---|
//! | hold a pool to all laws | [`check_all`], [`Report::assert_passed`] |
//! | say what the pool is beyond that | [`Kit::claims`], [`Claim`] |
//! | check for minutes | [`Kit::depth`], [`Depth`] |
//! | check some laws only, or show progress | [`Kit`], [`check`] |
//! | hold a sink to its laws | [`check_sink`] |
//! | print the laws and the claims | [`Law::ALL`], [`Claim::ALL`] |
//! | know what the pool will be given | [`LawJob`] |
//! | put an end to the waiting of any test | [`watchdog()`] |
//!
//! # How it is checked
//!
//! Each law has a thread of its own, on which pools of several sizes are made
//! and put into the situation that the law is about: all workers held at a
//! gate, every place taken, eight submitters racing a close. A latch, never a
//! sleep, shows that the situation is there. Whatever is then waited for has
//! a watchdog, so a pool that hangs fails with a line that says what did not
//! come, and what the threads are at that came since the check began; its
//! thread is left behind. Where something must not happen, it gets a moment to:
//! half a second in law 15, in which an idle pool does nothing, and
//! milliseconds in laws 7, 8 and 11. `close`, `cancel` and a `try_submit` that
//! says Full must take less than 50 ms, in one of ten tries.
//!
//! What is expected is asked of the pool: its
//! [`bound`](manyhands_core::WorkerPool::bound) may be another than
//! [`Config::bound`](manyhands_core::Config::bound), as it is for a pool
//! without a queue, but it must be exact. Its
//! [`workers`](manyhands_core::WorkerPool::workers) must be those of the
//! config.
//!
//! # What a pool claims
//!
//! The laws leave open in which order jobs start, whether there is a queue,
//! where threads come from, and what an `Err` means. A pool that promises
//! more says so, and is held to it:
//!
//! ```no_run
//! # use manyhands_core::{Config, InlinePool};
//! # struct MyPool;
//! # impl MyPool {
//! #     fn new<J: manyhands_core::Job>(_: Config) -> InlinePool<J> {
//! #         InlinePool::new()
//! #     }
//! # }
//! use manyhands_conformance::{Claim, Kit};
//!
//! Kit::new()
//!     .claims([Claim::InOrder])
//!     .check(|config| MyPool::new(config))
//!     .assert_passed();
//! ```
//!
//! What is left out of the list is checked too, where that is possible: a
//! pool without a queue, with a thread for each job, or that stops at an error
//! then fails until it claims so, and a pool that is none of these says it
//! with an empty list. Whoever reads the test then knows what the pool is.
//! [`check_all`] holds a pool to the laws alone.
//!
//! # How deep
//!
//! By [default](Depth::Default) a check takes a few seconds: most laws on
//! every combination of 1, 2, 3 and 8 workers with queues of 0, 1, 2 and 64;
//! those that take longer on a few of these. The [deep](Depth::Deep) form
//! takes minutes: each law on every combination, and then with large numbers
//! on two of them: hundreds of thousands of jobs and of wake-ups from idle, 64
//! blocked submitters, a thousand pools one after the other.
//!
//! Panics that the laws intend do not reach the panic hook. What the pool
//! prints itself is not touched.
//!
//! # Good to know
//!
//! - **Give the check a test binary of its own** (a file under `tests/`):
//!   laws 11, 15 and 16 and the claim about threads look at the threads,
//!   files and memory of the whole process. They look again before they blame
//!   the pool, and none of the kit's own checks runs beside them, but a
//!   neighbour that starts threads all the time would be taken for a leak.
//! - Those need a `/proc`. Elsewhere, the parts that need it are left out,
//!   and where nothing is left, the law is skipped and says so.
//! - Several pools may be checked at once, on threads of one test binary.
//!   Most checks then share the machine, and what the threads are at, in the
//!   line about a hang, is said of those of all pools.
//! - A pool that runs its jobs on the thread that submits them, as
//!   [`InlinePool`](manyhands_core::InlinePool) does, cannot be held to these
//!   laws: a job that waits for the submitter would wait for ever. The kit
//!   notices and says so, for each law.
//! - A panic while another one is unwinding ends the process, and the report
//!   with it. A pool whose `drop` panics may do that to any test.
//! - Detached jobs are not looked at: the kit submits none.
//! - Two checks of the same pool may differ: a race shows when it wants to.
//!   What the kit reports is a fault; what it does not report may be one.

#![forbid(unsafe_code)]

mod claim;
mod gate;
mod job;
mod kit;
mod latch;
mod law;
mod laws;
mod os;
mod report;
mod sink;
mod trial;
mod watchdog;

pub use crate::claim::Claim;
pub use crate::job::{Answer, LawError, LawJob};
pub use crate::kit::{Depth, Kit, check, check_all};
pub use crate::law::Law;
pub use crate::report::{Check, Finding, Report, Verdict};
pub use crate::sink::{BrokenSinkLaw, SinkStep, check_sink};
pub use crate::watchdog::watchdog;
