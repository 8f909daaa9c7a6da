//! Whoever waits for jobs, and what wakes them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_core::Stream;
use graphile_worker_database::Database;

use super::{PATIENCE, Shared};

/// Counts how often something was stored.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    rings: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.rings.notify_all();
    }

    pub(super) fn wait(&self, seen: u64, until: Instant) -> u64 {
        let mut rung =
            self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while *rung == seen {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.rings.wait_timeout(rung, left);
            rung = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *rung
    }
}

/// Listens for what other processes store. The engine's listener connects
/// again when its connection is lost; what it misses is found by polling.
pub(super) async fn listen(shared: Arc<Shared>) {
    const FIRST: Duration = Duration::from_millis(100);
    let db = Database::from(shared.db.clone());
    let mut pause = FIRST;
    loop {
        let listening =
            tokio::time::timeout(PATIENCE, db.listen("jobs:insert")).await;
        if let Ok(Ok(Some(mut heard))) = listening {
            pause = FIRST;
            shared.bell.ring();
            let next = |cx: &mut std::task::Context<'_>| {
                Stream::poll_next(heard.as_mut(), cx)
            };
            let mut next = next;
            while let Some(Ok(_)) = std::future::poll_fn(&mut next).await {
                shared.bell.ring();
            }
        }
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
