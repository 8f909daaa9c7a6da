//! What sets a store right: `retry`, `purge`, `pause`, `resume`.

use manyhands_durable::{Admin, JobId, State};
use serde::Serialize;

use super::{End, PurgeArgs, RetryArgs, Said, failed};
use crate::args::Usage;
use crate::output::{legible, listed, plural};

// The shapes: another when a field goes, or comes to mean something else.
const RETRY: &str = "manyhands-queue-retry/1";
const PURGE: &str = "manyhands-queue-purge/1";
const PAUSE: &str = "manyhands-queue-pause/1";

/// Whether it says which ones.
pub(super) fn check_retry(args: &RetryArgs) -> Result<(), Usage> {
    let RetryArgs { ids, all, of } = args;
    let wrong = |line: &str| Err(Usage(line.to_owned()));
    match (ids.is_empty(), all, &of.kind) {
        (true, false, None) => wrong(
            "no dead letter is named, allowed are IDs, or --all, of one \
             --kind or of all",
        ),
        (true, false, Some(_)) => wrong(
            "--kind is there without --all, allowed is --kind KIND --all",
        ),
        (false, true, _) => {
            wrong("--all is there with an ID, allowed is one of the two")
        }
        (false, _, Some(_)) => {
            wrong("--kind is there with an ID, allowed is it with --all")
        }
        _ => Ok(()),
    }
}

pub(super) fn check_purge(args: &PurgeArgs) -> Result<(), Usage> {
    match (args.state, args.yes) {
        (State::Dead, false) => Err(Usage(
            "--state is dead, and dead letters were never done, allowed is \
             it with --yes"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

pub(super) fn retry(
    admin: &Admin,
    args: &RetryArgs,
    json: bool,
) -> anyhow::Result<Said> {
    let RetryArgs { ids, of, .. } = args;
    let mut dead = of.filter().state(State::Dead);
    let mut others = Vec::new();
    if !ids.is_empty() {
        let ids = ids.iter().copied().map(JobId::new);
        let ids: Vec<JobId> = ids.collect();
        for &id in &ids {
            match admin.status(id).map_err(failed)? {
                None => others.push(format!("{id} is no job")),
                Some(it) if it.state != State::Dead => {
                    others.push(format!("{id} is {}", it.state));
                }
                Some(_) => {}
            }
        }
        dead = dead.ids(ids);
    }
    let retried = admin.retry(&dead).map_err(failed)?;
    let mut said = if json {
        Said::json(&WireRetry { format: RETRY, retried })?
    } else if retried == 0 {
        Said::result("there is no such dead letter\n".to_owned())
    } else {
        let letters = plural(retried, "dead letter");
        let are = if retried == 1 { "is" } else { "are" };
        Said::result(format!("{letters} {are} ready again\n"))
    };
    if !others.is_empty() {
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        said = said.note(Some(format!("no dead letter: {}", listed(&others))));
        said.end = End::Failed;
    }
    Ok(said)
}

pub(super) fn purge(
    admin: &Admin,
    args: &PurgeArgs,
    json: bool,
) -> anyhow::Result<Said> {
    let PurgeArgs { state, of, older_than, .. } = args;
    let mut filter = of.filter().state(*state);
    if let Some(age) = older_than {
        filter = filter.older_than(*age);
    }
    let purged = admin.purge(&filter).map_err(failed)?;
    if json {
        return Said::json(&WirePurge {
            format: PURGE,
            state: *state,
            purged,
        });
    }
    Ok(Said::result(match purged {
        0 => "there is no such job\n".to_owned(),
        jobs => {
            let what = format!("{state} job");
            format!("{} forgotten\n", plural(jobs, &what))
        }
    }))
}

pub(super) fn pause(
    admin: &Admin,
    kind: &str,
    paused: bool,
    json: bool,
) -> anyhow::Result<Said> {
    let set = match paused {
        true => admin.pause(kind),
        false => admin.resume(kind),
    };
    set.map_err(failed)?;
    let counts = admin.counts().map_err(failed)?;
    let counts = counts.into_iter().find(|it| it.kind == kind);
    let jobs = counts
        .as_ref()
        .map_or(0, |it| State::ALL.iter().map(|&state| it.of(state)).sum());
    let kind = legible(kind);
    // A name that is misspelt would do nothing, and say nothing.
    let unknown =
        (jobs == 0).then(|| format!("there is no job of kind {kind} yet"));
    if json {
        let wire = WirePause { format: PAUSE, kind: kind.clone(), paused };
        return Ok(Said::json(&wire)?.note(unknown));
    }
    let text = match paused {
        true => format!("{kind} is paused: what runs goes on\n"),
        false => format!("{kind} goes on\n"),
    };
    Ok(Said::result(text).note(unknown))
}

#[derive(Serialize)]
struct WireRetry {
    format: &'static str,
    retried: u64,
}

#[derive(Serialize)]
struct WirePurge {
    format: &'static str,
    state: State,
    purged: u64,
}

#[derive(Serialize)]
struct WirePause {
    format: &'static str,
    kind: String,
    paused: bool,
}
