//! Runs checks, and says in sentences what they saw.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode, Stdio, abort};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, thread};

use crate::Check;
use crate::model::warm_up;

/// A check is done in a second or two. Whatever takes this long spins where
/// no schedule can end it.
const WATCHDOG: Duration = Duration::from_secs(20);

/// The argument with which the program is started once more, for one check.
const ONLY: &str = "--only";

/// Whoever starts it so holds its stdin: it ends when they do.
const HELD: &str = "--held";

/// What a check's process writes before what it saw.
const SAW: &str = "saw: ";

/// What is seen of an answer that is not written yet.
const NOTHING_YET: &str = "nothing yet: a `todo!` was reached";

/// Runs checks, each in a process of its own, so that each has an end; prints
/// a line for each and what it saw. An argument is a check's name: runs that.
#[must_use]
pub fn main(checks: &[Check]) -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [only, name, held @ ..] = arguments.as_slice()
        && only == ONLY
    {
        if held == [HELD] {
            end_with_stdin();
        }
        return one(checks, name);
    }
    // Options of the usual harness, which cargo passes on, mean nothing here.
    let named: Vec<_> =
        arguments.iter().filter(|it| !it.starts_with('-')).collect();
    let mut chosen = checks.to_vec();
    if !named.is_empty() {
        chosen.retain(|check| named.iter().any(|name| *name == check.name));
    }
    if chosen.is_empty() {
        return no_such(checks);
    }
    match chosen.iter().filter(|check| !passes(check)).count() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Runs one check in a process of its own, and prints how that went.
fn passes(check: &Check) -> bool {
    let Check { name, says, .. } = check;
    let saw = in_process(name);
    print(&match &saw {
        None => format!("ok    {name}\n"),
        Some(saw) if saw == NOTHING_YET => {
            format!("todo  {name}\n{}", told("asked:", says))
        }
        Some(saw) => {
            let (asked, seen) = (told("asked:", says), told("seen:", saw));
            format!("FAIL  {name}\n{asked}{seen}")
        }
    });
    saw.is_none()
}

/// A label, and a text beside it in lines of 80 columns.
fn told(label: &str, text: &str) -> String {
    const INDENT: usize = 13;
    const WIDTH: usize = 80;
    let mut lines = format!("      {label:<6}");
    let mut column = INDENT - 1;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column >= INDENT && column + 1 + width > WIDTH {
            lines += &format!("\n{}", " ".repeat(INDENT - 1));
            column = INDENT - 1;
        }
        lines += &format!(" {word}");
        column += 1 + width;
    }
    lines + "\n"
}

fn in_process(name: &str) -> Option<String> {
    let started = env::current_exe().and_then(|program| {
        Command::new(program)
            .args([ONLY, name, HELD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Where the checker says what it does: nothing for the reader.
            .stderr(Stdio::null())
            .spawn()
    });
    let ended = started.and_then(|mut child| {
        let mut text = String::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_string(&mut text)?;
        }
        Ok((child.wait()?, text))
    });
    match ended {
        Err(error) => Some(format!("the check cannot be run: {error}")),
        Ok((status, _)) if status.success() => None,
        Ok((_, text)) => Some(seen(&text)),
    }
}

/// What a check saw that has failed. What the answer prints is there as well.
fn seen(text: &str) -> String {
    match text.rsplit_once(SAW) {
        Some((_, saw)) => saw.trim_end().to_owned(),
        None => "the program was ended by the system: a panic while another \
                 was on its way (in a drop), or a stack that is too deep"
            .into(),
    }
}

fn no_such(checks: &[Check]) -> ExitCode {
    let names: Vec<_> = checks.iter().map(|it| it.name).collect();
    print(&format!("no such check; there are {}\n", names.join(", ")));
    ExitCode::from(2)
}

/// The process of one check. It ends, whatever the answer does.
fn one(checks: &[Check], name: &str) -> ExitCode {
    let Some(check) = checks.iter().find(|check| check.name == name) else {
        return no_such(checks);
    };
    let (done, ended) = channel();
    thread::spawn(move || {
        let ended = ended.recv_timeout(WATCHDOG);
        if ended == Err(RecvTimeoutError::Timeout) {
            let limit = WATCHDOG.as_secs();
            print(&format!(
                "{SAW}it did not end within {limit} s: something spins, or \
                 waits in `std::sync` instead of `exercises::sync`\n"
            ));
            abort();
        }
    });
    let fault = check.fault();
    let _ = done.send(());
    match fault {
        None => ExitCode::SUCCESS,
        Some(saw) => {
            print(&format!("{SAW}{saw}\n"));
            ExitCode::FAILURE
        }
    }
}

/// What spins would go on after Ctrl-C.
fn end_with_stdin() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        abort();
    });
}

/// Where nobody reads, there is nothing to be done.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// What shuttle says on a thread that is none of its own.
const OUTSIDE: &str = "outside of a Shuttle test";

/// Whether it has said so.
static ELSEWHERE: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether a check runs on this thread, whose panics are its findings.
    static CHECKS: Cell<bool> = const { Cell::new(false) };
    /// The last panic of this thread: its text, and where it was.
    static LAST: RefCell<(String, String)> = RefCell::default();
}

/// What a check saw, if that is wrong.
pub(crate) fn fault(check: &Check) -> Option<String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        // Shuttle has a hook of its own, with words that help nobody here.
        warm_up();
        panic::set_hook(Box::new(move |info| {
            if !CHECKS.get() {
                if text(info.payload()).contains(OUTSIDE) {
                    ELSEWHERE.store(true, Ordering::SeqCst);
                }
                return usual(info);
            }
            let place = info.location().map(ToString::to_string);
            let text = text(info.payload());
            LAST.set((text, place.unwrap_or_default()));
        }));
    });
    CHECKS.set(true);
    let ended = catch_unwind(AssertUnwindSafe(check.run));
    CHECKS.set(false);
    let payload = ended.err()?;
    let text = text(&*payload);
    if text.starts_with("not yet implemented") {
        return Some(NOTHING_YET.into());
    }
    if text.starts_with("deadlock! blocked tasks") {
        return Some(format!("{} (all threads wait: deadlock)", check.stuck));
    }
    if text.starts_with("deadlock! task") {
        return Some(
            "a thread locked a mutex that it holds already (deadlock)".into(),
        );
    }
    if text.starts_with("exceeded max_steps") {
        return Some(
            "it goes on for ever: something asks again and again instead of \
             waiting"
                .into(),
        );
    }
    if ELSEWHERE.swap(false, Ordering::SeqCst) {
        return Some(
            "a thread that the checker does not know: `std::thread` stands \
             where `exercises::thread` is meant"
                .into(),
        );
    }
    // A panic of the answer's own: where it was tells more than its text.
    let (last, place) = LAST.take();
    let own = place.contains("answer.rs") || place.contains("wrong");
    match own && last == text {
        true => Some(format!("the answer panicked: {text}, at {place}")),
        false => Some(text),
    }
}

/// What a panic says.
fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".into())
}
