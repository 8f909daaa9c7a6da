//! How an act is played.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::bug::{Act, Ends};
use crate::stage::Stage;

/// How long nobody must have moved in an act that comes to that.
const HANGS: Duration = Duration::from_millis(500);

/// And in one that does not.
const WATCHDOG: Duration = Duration::from_secs(20);

/// An act that was played.
#[derive(Debug)]
pub struct Played {
    /// How it ended.
    pub ends: Ends,
    /// On what it was played.
    pub stage: Arc<Stage>,
    /// Who waits for what, if it hangs.
    pub waiting: Vec<(&'static str, String)>,
}

/// Plays an act, and writes what happens to `out`, a line a step.
///
/// Returns when the act does, or when nobody has moved for half a second (20 s
/// in an act that is not known to hang). Threads that wait for ever stay where
/// they are until the process ends; and only they.
pub fn play(act: &Act, out: impl Write + Send + 'static) -> Played {
    let stage = Arc::new(Stage::new(act.schedule, Box::new(out)));
    let (run, acting) = (act.run, Arc::clone(&stage));
    let player = thread::spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| run(&acting)));
        acting.end();
        ended.is_ok()
    });
    let limit = match act.ends {
        Ends::Hangs => HANGS,
        Ends::Returns | Ends::Panics => WATCHDOG,
    };
    let waiting = stage.until_end(limit);
    let ends = match waiting {
        Some(_) => Ends::Hangs,
        None if player.join().is_ok_and(|returned| returned) => Ends::Returns,
        None => Ends::Panics,
    };
    Played { ends, stage, waiting: waiting.unwrap_or_default() }
}
