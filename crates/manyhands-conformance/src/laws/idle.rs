//! A pool that has nothing to do: law 15.

use std::collections::BTreeSet;
use std::mem::replace;
use std::thread;
use std::time::Duration;

use super::moves::{Way, receive, submit};
use crate::LawJob;
use crate::gate::Gate;
use crate::latch::Lobby;
use crate::os::{self, Tid};
use crate::trial::{Pool, Result, Stop, Trial, ensure};

/// Law 15.
///
/// Three pools are brought into the three situations in which nothing is
/// done, and then looked at together.
pub(super) fn idle_is_free(trial: &Trial) -> Result {
    let Some(mut known) = os::threads() else {
        return Err(Stop::Skipped("no /proc/self/task"));
    };
    if os::this_thread().and_then(os::usage).is_none() {
        return Err(Stop::Skipped("no schedstat of threads"));
    }
    // The threads that came with a situation.
    let mut group = move |when| {
        let now = os::threads().unwrap_or_default();
        let before = replace(&mut known, now);
        let threads = known.difference(&before).copied().collect();
        Group { when, threads, noise: Some(String::new()) }
    };
    let closed = warm(trial)?;
    closed.close();
    let closed_group = group("closed and drained");
    let idle = warm(trial)?;
    let lobby = Lobby::new();
    let gate = Gate::closed();
    let groups = thread::scope(|scope| {
        let (lobby, gate) = (&lobby, &gate);
        let idle = &idle;
        let reader = scope.spawn(move || {
            lobby.enter();
            let read = Way::OneByOne.drain(trial, idle).len();
            ensure!(
                trial,
                read == 1,
                "a job that came after idleness had {read} completions"
            );
            Ok(())
        });
        lobby.wait_for(1);
        let idle_group = group("with nothing to do");

        // Every worker waits within its job, and a submitter for a place.
        let full = &warm(trial)?;
        trial.note("places for as many jobs as bound() says");
        for number in 0..full.bound().get() as u64 {
            submit(trial, full, LawJob::new(number).pass(gate))?;
        }
        gate.wait_for(trial.workers());
        let submitted = thread::scope(|scope| {
            let submitter = scope.spawn(move || {
                lobby.enter();
                submit(trial, full, LawJob::new(0).pass(gate)).map(drop)
            });
            lobby.wait_for(2);
            let full_group = group("with all blocked");
            let mut groups = [closed_group, idle_group, full_group];
            listen(trial, &mut groups);
            gate.open();
            trial.note("all to come to an end");
            trial.join(submitter).map(|()| groups)
        });
        let after = submit(trial, idle, LawJob::new(0));
        idle.close();
        trial.note("a job that came after idleness");
        trial.join(reader)?;
        after.and(submitted)
    })?;
    for Group { when, noise, .. } in groups {
        if let Some(noise) = noise {
            return Err(trial.fail(format_args!("{when}, the pool {noise}")));
        }
    }
    Ok(())
}

/// A pool that has done something before.
fn warm(trial: &Trial) -> Result<Pool> {
    let pool = trial.pool();
    for number in 0..2 * pool.bound().get() as u64 {
        submit(trial, &pool, LawJob::new(number))?;
        trial.note("a job, to warm up");
        receive(trial, &pool)?;
    }
    Ok(pool)
}

/// The threads of a situation, and what is wrong with them.
struct Group {
    when: &'static str,
    threads: BTreeSet<Tid>,
    /// `None` once they were quiet for as long as it takes.
    noise: Option<String>,
}

/// Looks at what the threads use of the processor, for a while.
fn listen(trial: &Trial, groups: &mut [Group]) {
    /// Long enough to tell 1 % from nothing, and to see whoever polls six
    /// times a second or more. Less than four times goes unseen.
    const WINDOW: Duration = Duration::from_millis(500);
    const LONG_WINDOW: Duration = Duration::from_secs(2);
    /// Threads may settle down, and the machine have its own business, but
    /// hardly each time.
    const WINDOWS: usize = 3;
    /// Who is woken more often in a window is polling.
    const WAKES: u64 = 2;
    let window = trial.many(WINDOW, LONG_WINDOW);
    for _ in 0..WINDOWS {
        let usage = |group: &Group| -> Vec<_> {
            let usage = |&thread| os::usage(thread).unwrap_or_default();
            group.threads.iter().map(usage).collect()
        };
        let before: Vec<_> = groups.iter().map(usage).collect();
        thread::sleep(window);
        for (group, before) in groups.iter_mut().zip(before) {
            let after = usage(group);
            let pairs = || before.iter().zip(&after);
            let used: Duration = pairs()
                .map(|(before, after)| after.0.saturating_sub(before.0))
                .sum();
            let woken = pairs()
                .map(|(before, after)| after.1.saturating_sub(before.1))
                .max()
                .unwrap_or(0);
            let share = used.as_secs_f64() / window.as_secs_f64() * 100.0;
            let burns = (used > window / 100)
                .then(|| format!("used {share:.1} % of a processor"));
            let polls = (woken > WAKES)
                .then(|| format!("woke a thread {woken} times"));
            let noise: Vec<_> = burns.into_iter().chain(polls).collect();
            if noise.is_empty() {
                group.noise = None;
            } else if group.noise.is_some() {
                let noise = noise.join(" and ");
                group.noise = Some(format!("{noise} in {window:?}"));
            }
        }
        if groups.iter().all(|group| group.noise.is_none()) {
            return;
        }
    }
}
