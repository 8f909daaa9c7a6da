//! A panic on the stage is part of the play.

use std::cell::RefCell;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::stage::Stage;

thread_local! {
    /// The stage on which the thread is, and its name there.
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

type Here = (Stage, &'static str);

/// While it lives, its thread is on a stage.
#[derive(Debug)]
pub(crate) struct OnStage {
    before: Option<Here>,
}

impl OnStage {
    /// Without a name, the thread's panics are not heard of.
    pub(crate) fn new(stage: &Stage, name: &'static str) -> Self {
        let here = (stage.clone(), name);
        Self { before: HERE.replace(Some(here)) }
    }
}

impl Drop for OnStage {
    fn drop(&mut self) {
        let before = self.before.take();
        // A thread that ends may have none any more.
        let _ = HERE.try_with(|here| here.replace(before));
    }
}

type AnyHook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// How many plays there are, and the hook that was there before the first.
static HOOK: Mutex<(usize, Option<Arc<AnyHook>>)> = Mutex::new((0, None));

fn hook() -> MutexGuard<'static, (usize, Option<Arc<AnyHook>>)> {
    HOOK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it lives, threads on a stage panic there.
#[derive(Debug)]
pub(crate) struct Hook(());

impl Hook {
    pub(crate) fn set() -> Self {
        let mut hook = hook();
        if hook.0 == 0 {
            let before = Arc::new(take_hook());
            hook.1 = Some(Arc::clone(&before));
            // It has the one before with it, and no lock to take: whoever
            // changes the hook holds that lock, and waits for those who panic.
            set_hook(Box::new(move |info| on_panic(info, &before)));
        }
        hook.0 += 1;
        Self(())
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let mut hook = hook();
        hook.0 -= 1;
        if hook.0 == 0 {
            drop(take_hook());
            if let Some(before) = hook.1.take().and_then(Arc::into_inner) {
                set_hook(before);
            }
        }
    }
}

fn on_panic(info: &PanicHookInfo<'_>, before: &AnyHook) {
    let here = HERE.try_with(|here| here.borrow().clone());
    match here.ok().flatten() {
        Some((_, "")) => {}
        Some((stage, name)) => {
            let line = info.location().map_or(0, |it| it.line());
            stage.note(format!("{name} panics: {}", message(info)), line);
        }
        None => before(info),
    }
}

fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or(payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of no words")
}
