//! Places at which a test can have the process die. For tests of queues
//! alone: where the feature `crash-points` is off nobody dies.

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WHERE: LazyLock<Option<(String, AtomicU64)>> =
        LazyLock::new(|| {
            let name = std::env::var("CRASH_AT").ok()?;
            let after = std::env::var("CRASH_AFTER").ok();
            let after = after.and_then(|it| it.parse().ok()).unwrap_or(0);
            Some((name, AtomicU64::new(after)))
        });

    /// Dies here, at once, if the environment says so: `CRASH_AT` names the
    /// place, and `CRASH_AFTER` how often it is passed first (0).
    pub fn point(name: &str) {
        let Some((place, left)) = &*WHERE else { return };
        if place == name && left.fetch_sub(1, Ordering::Relaxed) == 0 {
            // No destructor, no flush, no word.
            std::process::abort();
        }
    }

    /// True if it is to die at some place. What is done between a statement
    /// and its commit needs the two to be apart; else they are one.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_armed() -> bool {
        WHERE.is_some()
    }
}

#[cfg(not(feature = "crash-points"))]
mod armed {
    pub(crate) fn point(_: &str) {}

    #[cfg(feature = "postgres")]
    pub(crate) fn is_armed() -> bool {
        false
    }
}

#[cfg(feature = "postgres")]
pub(crate) use armed::is_armed;
#[cfg(feature = "crash-points")]
pub use armed::point;
#[cfg(not(feature = "crash-points"))]
pub(crate) use armed::point;
