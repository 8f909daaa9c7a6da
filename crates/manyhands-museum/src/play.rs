//! How an act is played.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::bug::{Act, Ends};
use crate::panics::{self, OnStage};
use crate::stage::Stage;

/// How long nobody must have moved at the end of an act that comes to that.
const HANGS: Duration = Duration::from_millis(500);

/// And otherwise.
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

/// Plays an act, and writes what happens to `out`: who is on the stage, and
/// then a line a step, no wider than 80 columns.
///
/// Returns when the act does, or when nobody has moved for 20 s; if the act is
/// known to hang, half a second after the last of its schedule. Threads that
/// wait for ever stay where they are until the process ends; and only they.
///
/// A panic of a thread on the stage is a line of the play, and not one on
/// stderr: while an act is played, the panic hook is another one.
pub fn play(act: &Act, out: impl Write + Send + 'static) -> Played {
    let stage = Arc::new(Stage::new(act.schedule, Box::new(out)));
    let _hook = panics::Hook::set();
    stage.head();
    let (run, acting) = (act.run, Arc::clone(&stage));
    let player = thread::spawn(move || {
        let _on_stage = OnStage::new(&acting, "");
        let ended = catch_unwind(AssertUnwindSafe(|| run(&acting)));
        acting.end();
        ended.is_ok()
    });
    let after = match act.ends {
        Ends::Hangs => HANGS,
        Ends::Returns | Ends::Panics => WATCHDOG,
    };
    let waiting = stage.until_end(WATCHDOG, after);
    let ends = match waiting {
        Some(_) => Ends::Hangs,
        None if player.join().is_ok_and(|returned| returned) => Ends::Returns,
        None => Ends::Panics,
    };
    Played { ends, stage, waiting: waiting.unwrap_or_default() }
}
