//! A job with a key.

use std::fmt;

use manyhands_core::{AsyncJob, Job};

/// A job with a key of its own, which comes back with the answer.
///
/// A pool has its own [ids](manyhands_core::JobId), and completions come in
/// the order of finishing. With a key, an answer says what it belongs to:
///
/// ```
/// use std::collections::HashMap;
/// use manyhands_core::{InlinePool, WorkerPoolExt};
/// use manyhands_jobs::Keyed;
///
/// let words = ["many", "hands"];
/// let jobs = words.map(|word| Keyed::new(word, move || word.len()));
/// let mut lengths = HashMap::new();
/// InlinePool::new()
///     .run_all(jobs, |completion| lengths.extend(completion.done()))
///     .unwrap();
/// assert_eq!(lengths["hands"], 5);
/// ```
///
/// A job that comes back unrun, refused or cancelled, has its key still. Where
/// others want to see the key, such as the order of a managed pool, it goes
/// around all other wrappers.
///
/// # Panics
///
/// `Outcome::Panicked` carries no job and so no key. With the job in a
/// [`Caught`](crate::Caught) the key outlives a panic: the answer is
/// `(K, Result<Output, Panic>)`.
#[derive(Clone, Copy)]
pub struct Keyed<K, J> {
    /// What the answer comes back with.
    pub key: K,
    /// The job itself.
    pub job: J,
}

impl<K, J> Keyed<K, J> {
    /// Gives a job a key.
    pub fn new(key: K, job: J) -> Self {
        Self { key, job }
    }
}

impl<K: Send, J: Job> Job for Keyed<K, J> {
    type Output = (K, J::Output);

    const DETACHED: bool = J::DETACHED;

    fn run(self) -> Self::Output {
        let Self { key, job } = self;
        (key, job.run())
    }
}

impl<K: Send, J: AsyncJob> AsyncJob for Keyed<K, J> {
    async fn run_async(self) -> Self::Output {
        let Self { key, job } = self;
        (key, job.run_async().await)
    }
}

impl<K: fmt::Debug, J> fmt::Debug for Keyed<K, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("key", &self.key).finish_non_exhaustive()
    }
}
