//! The process that measures.

use std::io::{self, BufRead, Write};

use crate::Contender;
use crate::wire::{Ask, HELLO, Said};

/// The variable of the environment by which a process knows what it is for.
pub(crate) const CHILD: &str = "MANYHANDS_MEASURE";

/// True if this process was started by [`measure`](crate::measure) to make
/// the runs: then its `main` calls [`serve`] and ends.
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Makes the runs that the parent asks for on stdin, says on stdout what they
/// took, and returns when the parent asks no more. Nothing else may print on
/// stdout.
///
/// `work` is what all do, in one line. The parent sees to it that it is the
/// same in every process, and returns it as [`Measured::work`].
///
/// The first contender is the baseline.
///
/// [`Measured::work`]: crate::Measured::work
///
/// # Errors
///
/// The parent cannot be heard, or does not listen.
pub fn serve(
    work: &str,
    contenders: &mut [&mut dyn Contender],
) -> io::Result<()> {
    end_with_parent();
    say(&Said::Hello(contenders.len()))?;
    for contender in contenders.iter() {
        say(&Said::Contender(contender.name().to_owned()))?;
    }
    say(&Said::Work(work.to_owned()))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let ask = Ask::read(&line).filter(|ask| match ask {
            Ask::Run(who) | Ask::Rehearse(who) => *who < contenders.len(),
        });
        let said = match ask {
            Some(Ask::Run(who)) => contenders[who].run().map(Said::Ran),
            Some(Ask::Rehearse(who)) => {
                contenders[who].rehearse().map(Said::Note)
            }
            None => {
                let what = format!("'{line}' is not of {HELLO}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        };
        match said {
            Ok(said) => say(&said)?,
            Err(wrong) => return say(&Said::Wrong(wrong.0)),
        }
    }
    Ok(())
}

/// Says to the parent why there is nothing to [`serve`], in one line, which
/// [`measure`](crate::measure) then returns.
///
/// # Errors
///
/// The parent does not listen.
pub fn give_up(why: &str) -> io::Result<()> {
    say(&Said::Wrong(why.to_owned()))
}

fn say(said: &Said) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(said.line().as_bytes())?;
    stdout.flush()
}

/// Where the system can do that, this process does not outlive the one that
/// asks, not even by a run; elsewhere it ends after it.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::{prctl::set_pdeathsig, signal::Signal};
        let _ = set_pdeathsig(Signal::SIGKILL);
    }
}
