//! `manyhands verify`: whether the variants keep the laws.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use manyhands::Claims;
use manyhands_conformance::{
    Check, Claim, Depth, Finding, Kit, Law, LawJob, Verdict,
};
use serde::Serialize;

use super::End;
use crate::args::{Format, Usage, name, one_of, twice};
use crate::contenders::{self, Contender};
use crate::interrupt::Interrupt;
use crate::output::{plural, print, say};
use crate::progress::Progress;
use crate::table::{Table, left};

/// Hold the variants to the laws of worker pools
///
/// The laws are in the docs of the trait `WorkerPool`, with the same numbers.
/// They are about pools with workers of their own, so `inline` is not held
/// to them. What a variant claims beyond them is checked as well, and so is
/// what it does not claim.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which variants [default: all]
    #[arg(value_name = "VARIANT", value_parser = name(contenders::variant_names()))]
    variants: Vec<&'static str>,
    /// default or deep: a few seconds a variant, or some minutes
    ///
    /// Deep holds each law on every combination of 1, 2, 3 and 8 workers with
    /// queues of 0, 1, 2 and 64, and then with hundreds of thousands of jobs.
    #[arg(
        long,
        default_value = "default",
        value_parser = one_of(DEPTHS),
        allow_hyphen_values = true
    )]
    depth: Depth,
    /// table or json
    #[arg(
        long,
        default_value = "table",
        value_parser = one_of(FORMATS),
        allow_hyphen_values = true
    )]
    format: Format,
}

const DEPTHS: &[(&str, Depth)] =
    &[("default", Depth::Default), ("deep", Depth::Deep)];

const FORMATS: &[(&str, Format)] =
    &[("table", Format::Table), ("json", Format::Json)];

/// One law, or claim, and one variant.
#[derive(Clone, Debug)]
struct Found {
    variant: &'static str,
    /// What the variant claims.
    claims: Claims,
    verdict: Verdict,
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    if let Some(name) = twice(&args.variants) {
        let line = format!("VARIANT is {name} twice, allowed is once");
        return Err(Usage(line).into());
    }
    let chosen = match args.variants.is_empty() {
        true => contenders::variant_names(),
        false => args.variants,
    };
    let mut contenders = contenders::all::<LawJob, _, _>();
    contenders.retain(|contender| chosen.contains(&contender.name));

    let found = check(contenders, args.depth, interrupt);
    if found.is_empty() {
        say("interrupted: nothing was verified yet");
        return Ok(End::Interrupted);
    }
    print(match args.format {
        Format::Json => json(&found, args.depth, interrupt.is_pressed())?,
        _ => text(&found),
    })?;
    if interrupt.is_pressed() {
        say("interrupted: this is partial");
        return Ok(End::Interrupted);
    }
    Ok(end(&found))
}

fn end(found: &[Found]) -> End {
    match found.iter().all(|it| it.verdict.is_passed()) {
        true => End::Fine,
        false => End::Failed,
    }
}

/// Holds each to all laws, as far as it gets before Ctrl-C.
fn check(
    contenders: Vec<Contender<LawJob>>,
    depth: Depth,
    interrupt: &Interrupt,
) -> Vec<Found> {
    // What is checked in each step, for the bar.
    let step = |contender: &Contender<LawJob>| {
        let name = contender.name;
        checks().map(move |check| format!("{name}: {}", check.name()))
    };
    let mut steps = contenders.iter().flat_map(step).collect::<Vec<_>>();
    let count = steps.len() as u64;
    steps.push(String::new());
    let progress = Arc::new(Progress::new(count, steps[0].as_str()));
    let found = Arc::new(Mutex::new(Vec::new()));
    let (bar, list) = (Arc::clone(&progress), Arc::clone(&found));
    interrupt.or(move || {
        for contender in contenders {
            hold(contender, depth, |it| {
                let mut list =
                    list.lock().unwrap_or_else(PoisonError::into_inner);
                list.push(it);
                bar.next(list.len() as u64, steps[list.len()].as_str());
            });
        }
    });
    progress.clear();
    let found = found.lock().unwrap_or_else(PoisonError::into_inner);
    found.clone()
}

/// Holds one to all laws and to its claims, and notes each verdict.
fn hold(
    contender: Contender<LawJob>,
    depth: Depth,
    mut note: impl FnMut(Found),
) {
    let (variant, claims) = (contender.name, contender.claims);
    let make = move |config| match contender.make(config) {
        Ok(pool) => pool,
        // How the kit is told; it says so in its verdict.
        Err(error) => resume_unwind(Box::new(error.to_string())),
    };
    // Each verdict is noted as it comes.
    let _ = Kit::new()
        .claims(Claim::ALL.into_iter().filter(|&it| makes(claims, it)))
        .depth(depth)
        .on_verdict(|verdict| {
            note(Found { variant, claims, verdict: verdict.clone() });
        })
        .check(make);
}

/// What the list says about a claim of the kit's.
fn makes(claims: Claims, claim: Claim) -> bool {
    let Claims { in_order, no_queue, thread_per_job, stops_on_error } = claims;
    match claim {
        Claim::InOrder => in_order,
        Claim::NoQueue => no_queue,
        Claim::ThreadPerJob => thread_per_job,
        Claim::StopsOnError => stops_on_error,
        _ => false,
    }
}

/// Everything that is checked, in the kit's order.
fn checks() -> impl Iterator<Item = Check> {
    let laws = Law::ALL.into_iter().map(Check::Law);
    laws.chain(Claim::ALL.into_iter().map(Check::Claim))
}

/// A row a variant, a column a law or a claim; then what is not ok, a line
/// each.
fn text(found: &[Found]) -> String {
    let mut columns = vec![left("variant".to_owned())];
    columns.extend(checks().map(|check| left(head(check))));
    let mut table = Table::new(columns).narrow();
    let mut notes = String::new();
    let of_one = found.chunk_by(|a, b| a.variant == b.variant);
    let variants = of_one.clone().count();
    for found in of_one {
        let mut row = vec![found[0].variant];
        row.extend(checks().map(|check| {
            let it = found.iter().find(|it| it.verdict.check == check);
            it.map_or("", |it| word(&it.verdict.finding))
        }));
        table.row(row);
        for Found { variant, verdict, .. } in found {
            if matches!(
                verdict.finding,
                Finding::Failed(_) | Finding::Skipped(_)
            ) {
                notes += &format!("{variant}: {verdict}\n");
            }
        }
    }
    if notes.is_empty() {
        let variants = plural(variants as u64, "variant");
        let checks = found.len();
        notes = format!(
            "{variants}, {checks} checks, no law broken, no claim false.\n"
        );
    }
    format!("{table}\n{}\n{notes}", legend())
}

/// A law's number, a claim's letter.
fn head(check: Check) -> String {
    match check {
        Check::Law(law) => law.number().to_string(),
        Check::Claim(claim) => {
            let place = Claim::ALL.iter().position(|&it| it == claim);
            let letter = ('a'..).nth(place.unwrap_or(Claim::ALL.len()));
            letter.into_iter().collect()
        }
    }
}

fn word(finding: &Finding) -> &'static str {
    match finding {
        Finding::Passed => "ok",
        Finding::NotClaimed => "-",
        Finding::Failed(_) => "FAIL",
        Finding::Skipped(_) => "skipped",
        _ => "?",
    }
}

/// What the numbers stand for, in two columns, and then the letters.
fn legend() -> String {
    let entry = |check| format!("{:>2} {}", head(check), check.name());
    let line = |(left, right): (Check, Check)| {
        format!("{:<36}{}\n", entry(left), entry(right))
    };
    let columns = |checks: &[Check]| -> String {
        let (left, right) = checks.split_at(checks.len().div_ceil(2));
        left.iter().copied().zip(right.iter().copied()).map(line).collect()
    };
    let laws = Law::ALL.map(Check::Law);
    let claims = Claim::ALL.map(Check::Claim);
    format!(
        "{}\nWhat a variant claims beyond them (- if it does not):\n{}",
        columns(&laws),
        columns(&claims)
    )
}

/// Changes when a field goes, or comes to mean something else.
const FORMAT: &str = "manyhands-verify/1";

#[derive(Serialize)]
struct Wire {
    format: &'static str,
    /// `default` or `deep`.
    depth: &'static str,
    /// True if it was interrupted.
    partial: bool,
    checks: Vec<WireCheck>,
    claims: Vec<WireClaim>,
}

#[derive(Serialize)]
struct WireCheck {
    variant: &'static str,
    law: u8,
    name: &'static str,
    /// `ok`, `FAIL` or `skipped`.
    finding: &'static str,
    /// How it was broken, or why it was skipped.
    note: Option<String>,
}

#[derive(Serialize)]
struct WireClaim {
    variant: &'static str,
    name: &'static str,
    /// Whether the variant makes it.
    claimed: bool,
    /// `ok`, `FAIL` or `skipped`, and `-` for one that is rightly not made.
    finding: &'static str,
    /// How it is false, or false not to make it, or why it was skipped.
    note: Option<String>,
}

fn json(
    found: &[Found],
    depth: Depth,
    partial: bool,
) -> anyhow::Result<String> {
    let depth = DEPTHS.iter().find(|(_, it)| *it == depth);
    let depth = depth.map_or("", |(name, _)| name);
    let (mut checks, mut claims) = (Vec::new(), Vec::new());
    for Found { variant, claims: made, verdict } in found {
        let (variant, name) = (*variant, verdict.check.name());
        let finding = word(&verdict.finding);
        let note = match &verdict.finding {
            Finding::Failed(note) | Finding::Skipped(note) => {
                Some(note.clone())
            }
            _ => None,
        };
        match verdict.check {
            Check::Law(law) => {
                let law = law.number();
                checks.push(WireCheck { variant, law, name, finding, note });
            }
            Check::Claim(claim) => {
                let claimed = makes(*made, claim);
                let claim =
                    WireClaim { variant, name, claimed, finding, note };
                claims.push(claim);
            }
        }
    }
    let wire = Wire { format: FORMAT, depth, partial, checks, claims };
    Ok(serde_json::to_string_pretty(&wire)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::WIDTH;

    fn found(variant: &'static str, findings: [Finding; 2]) -> Vec<Found> {
        let laws = [Law::ExactlyOneCompletion, Law::RefusedComesBack];
        let verdicts = laws.into_iter().zip(findings);
        verdicts
            .map(|(law, finding)| Verdict { check: law.into(), finding })
            .map(|verdict| Found {
                variant,
                claims: Claims::default(),
                verdict,
            })
            .collect()
    }

    #[test]
    fn a_broken_law_is_a_word_in_the_table_and_a_line_below() {
        let broken = Finding::Failed("workers 1, queue 0: lost".into());
        let skipped = Finding::Skipped("no such system".into());
        let mut all = found("channel", [Finding::Passed, broken]);
        all.extend(found("rayon", [skipped, Finding::Passed]));
        let text = text(&all);
        let row = |name| text.lines().find(|line| line.starts_with(name));
        let words = |name| row(name).unwrap().split_whitespace();
        assert!(words("channel").eq(["channel", "ok", "FAIL"]), "{text}");
        assert!(words("rayon").eq(["rayon", "skipped", "ok"]), "{text}");
        let notes: Vec<_> = text.lines().rev().take(2).collect();
        assert!(notes[1].starts_with("channel: law 2, "), "{text}");
        assert!(notes[1].ends_with("workers 1, queue 0: lost"), "{text}");
        assert!(notes[0].starts_with("rayon: law 1, "), "{text}");
    }

    #[test]
    fn a_pool_that_breaks_laws_is_told_how_and_ends_in_failure() {
        // It runs its jobs on the submitter's thread, which no law allows.
        let broken = Contender::inline();
        let mut all = Vec::new();
        hold(broken, Depth::Default, |it| all.push(it));
        assert!(matches!(end(&all), End::Failed));
        let text = text(&all);
        let row = text.lines().find(|line| line.starts_with("inline"));
        let fails = row.unwrap().matches("FAIL").count();
        assert_eq!(fails, Law::ALL.len() + 3, "{text}");
        let line = "inline: law 8, exactly that bound: FAILED: workers 1, ";
        assert!(text.contains(line), "{text}");
        let json = json(&all, Depth::Deep, false).unwrap();
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(report["depth"], "deep");
        assert_eq!(report["checks"][7]["finding"], "FAIL");
        assert_eq!(report["claims"][1]["claimed"], false);
        assert_eq!(report["claims"][1]["finding"], "FAIL");
    }

    #[test]
    fn the_table_and_its_legend_fit_a_page() {
        let all = found("tokio-tasks", [Finding::Passed, Finding::Passed]);
        for line in text(&all).lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn all_is_well_if_nothing_failed() {
        let skipped = Finding::Skipped("no such system".into());
        let all = found("channel", [Finding::Passed, skipped]);
        assert!(matches!(end(&all), End::Fine));
    }
}
