//! Ctrl-C: the first ends what runs and lets the program print what it has;
//! the second ends the program.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Context;

use crate::output;

/// The exit code of a program that was interrupted, as shells know it. Also
/// where it was not Ctrl-C but another signal that asks to end.
pub(crate) const EXIT_CODE: u8 = 130;

/// Knows whether Ctrl-C was pressed, and whom to tell when it is.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pressed: AtomicBool,
    /// What ends that which runs now. Called with the lock held, so that it
    /// is not called any more once its [`Guard`] is gone.
    stop: Mutex<Option<Stop>>,
}

struct Stop(Box<dyn FnMut() + Send>);

impl Interrupt {
    /// Takes over Ctrl-C, and the signals that ask a program to end.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            pressed: AtomicBool::new(false),
            stop: Mutex::new(None),
        });
        let interrupt = Self { shared };
        let on_signal = interrupt.clone();
        ctrlc::set_handler(move || on_signal.press())
            .context("cannot listen for Ctrl-C")?;
        // Else the system ends the program in the middle of a file for which
        // there is a limit (`ulimit -f`); so writing it is what fails.
        #[cfg(unix)]
        signal_hook::flag::register(
            signal_hook::consts::SIGXFSZ,
            Arc::new(AtomicBool::new(false)),
        )
        .context("cannot listen for SIGXFSZ")?;
        Ok(interrupt)
    }

    /// True once Ctrl-C was pressed.
    pub(crate) fn is_pressed(&self) -> bool {
        self.shared.pressed.load(Ordering::SeqCst)
    }

    /// Has `stop` called when Ctrl-C is pressed while the guard lives; at
    /// once if it was pressed before.
    pub(crate) fn on_press(
        &self,
        mut stop: impl FnMut() + Send + 'static,
    ) -> Guard<'_> {
        let mut slot = self.slot();
        if self.is_pressed() {
            stop();
        }
        *slot = Some(Stop(Box::new(stop)));
        Guard { interrupt: self }
    }

    /// Does `work` on a thread of its own and waits for it, or for Ctrl-C:
    /// `None` then, with the work left to end with the program.
    pub(crate) fn or<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = channel();
        let pressed = sender.clone();
        let _guard = self.on_press(move || drop(pressed.send(None)));
        thread::spawn(move || {
            // Sent, for else the wait below would not end.
            let done = catch_unwind(AssertUnwindSafe(work));
            sender.send(Some(done))
        });
        match receiver.recv() {
            Ok(Some(Ok(done))) => Some(done),
            Ok(Some(Err(panic))) => resume_unwind(panic),
            Ok(None) | Err(_) => None,
        }
    }

    /// Ends what runs as Ctrl-C does, without a word.
    pub(crate) fn stop(&self) {
        self.shared.pressed.store(true, Ordering::SeqCst);
        if let Some(Stop(stop)) = self.slot().as_mut() {
            stop();
        }
    }

    fn press(&self) {
        if self.is_pressed() {
            end_at_once();
        }
        output::say("interrupted: ending what runs (Ctrl-C again: at once)");
        self.stop();
    }

    fn slot(&self) -> MutexGuard<'_, Option<Stop>> {
        self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, Ctrl-C ends something; see [`Interrupt::on_press`].
#[derive(Debug)]
#[must_use = "Ctrl-C ends what runs only while the guard lives"]
pub(crate) struct Guard<'a> {
    interrupt: &'a Interrupt,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let stop = self.interrupt.slot().take();
        drop(stop);
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stop(..)")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the second Ctrl-C waits for nothing, not even for drops"
)]
fn end_at_once() -> ! {
    output::discard();
    std::process::exit(EXIT_CODE.into())
}
