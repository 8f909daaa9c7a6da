//! What a claim is known by.

use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// A word that no claim had before, here or in another process.
pub(super) fn fresh() -> String {
    static PROCESS: LazyLock<String> = LazyLock::new(|| {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        // A process number comes again, also at the same time in another
        // container; chance tells them apart.
        let (nanos, id) = (since.as_nanos(), process::id());
        format!("{nanos:x}-{id:x}-{:x}", fastrand::u64(..))
    });
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("{}-{:x}", *PROCESS, LAST.fetch_add(1, Ordering::Relaxed))
}
