//! `manyhands verify`: whether the variants keep the laws.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use manyhands_conformance::{Finding, Kit, Law, LawJob, Verdict};
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
/// to them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which variants [default: all]
    #[arg(value_name = "VARIANT", value_parser = name(contenders::variant_names()))]
    variants: Vec<&'static str>,
    /// table or json
    #[arg(
        long,
        default_value = "table",
        value_parser = one_of(FORMATS),
        allow_hyphen_values = true
    )]
    format: Format,
}

const FORMATS: &[(&str, Format)] =
    &[("table", Format::Table), ("json", Format::Json)];

/// One law and one variant.
#[derive(Clone, Debug)]
struct Found {
    variant: &'static str,
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

    let found = check(contenders, interrupt);
    let failed = found.iter().any(|it| !it.verdict.is_passed());
    if found.is_empty() {
        say("interrupted: nothing was verified yet");
        return Ok(End::Interrupted);
    }
    print(match args.format {
        Format::Json => json(&found, interrupt.is_pressed())?,
        _ => text(&found),
    })?;
    if interrupt.is_pressed() {
        say("interrupted: this is partial");
        return Ok(End::Interrupted);
    }
    Ok(if failed { End::Failed } else { End::Fine })
}

/// Holds each to all laws, as far as it gets before Ctrl-C.
fn check(
    contenders: Vec<Contender<LawJob>>,
    interrupt: &Interrupt,
) -> Vec<Found> {
    let steps = (contenders.len() * Law::ALL.len()) as u64;
    let progress = Arc::new(Progress::new(steps, ""));
    let found = Arc::new(Mutex::new(Vec::new()));
    let (bar, list) = (Arc::clone(&progress), Arc::clone(&found));
    interrupt.or(move || {
        for contender in contenders {
            let variant = contender.name;
            let make = move |config| match contender.make(config) {
                Ok(pool) => pool,
                // How the kit is told; it says so in its verdict.
                Err(error) => resume_unwind(Box::new(error.to_string())),
            };
            let note = |verdict: &Verdict| {
                let mut list =
                    list.lock().unwrap_or_else(PoisonError::into_inner);
                list.push(Found { variant, verdict: verdict.clone() });
                bar.next(list.len() as u64, variant);
            };
            // Each verdict is noted as it comes.
            let _ = Kit::new().on_verdict(note).check(make);
        }
    });
    progress.clear();
    let found = found.lock().unwrap_or_else(PoisonError::into_inner);
    found.clone()
}

/// A row a variant, a column a law; then what is not ok, a line each.
fn text(found: &[Found]) -> String {
    let mut columns = vec![left("variant".to_owned())];
    columns.extend(Law::ALL.map(|law| left(law.number().to_string())));
    let mut table = Table::new(columns).narrow();
    let mut notes = String::new();
    let of_one = found.chunk_by(|a, b| a.variant == b.variant);
    let variants = of_one.clone().count();
    for found in of_one {
        let mut row = vec![found[0].variant];
        row.extend(found.iter().map(|it| word(&it.verdict.finding)));
        row.resize(1 + Law::ALL.len(), "");
        table.row(row);
        for Found { variant, verdict } in found {
            if verdict.finding != Finding::Passed {
                notes += &format!("{variant}: {verdict}\n");
            }
        }
    }
    if notes.is_empty() {
        let variants = plural(variants as u64, "variant");
        let checks = found.len();
        notes = format!("{variants}, {checks} checks, no law broken.\n");
    }
    format!("{table}\n{}\n{notes}", legend())
}

fn word(finding: &Finding) -> &'static str {
    match finding {
        Finding::Passed => "ok",
        Finding::Failed(_) => "FAIL",
        Finding::Skipped(_) => "skipped",
        _ => "?",
    }
}

/// What the numbers stand for, in two columns.
fn legend() -> String {
    let (left, right) = Law::ALL.split_at(Law::ALL.len() / 2);
    let entry = |law: &Law| format!("{:>2} {}", law.number(), law.name());
    let line = |(left, right): (&Law, &Law)| {
        format!("{:<36}{}\n", entry(left), entry(right))
    };
    left.iter().zip(right).map(line).collect()
}

/// Changes when a field goes, or comes to mean something else.
const FORMAT: &str = "manyhands-verify/1";

#[derive(Serialize)]
struct Wire {
    format: &'static str,
    /// True if it was interrupted.
    partial: bool,
    checks: Vec<WireCheck>,
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

fn json(found: &[Found], partial: bool) -> anyhow::Result<String> {
    let check = |Found { variant, verdict }: &Found| WireCheck {
        variant,
        law: verdict.law.number(),
        name: verdict.law.name(),
        finding: word(&verdict.finding),
        note: match &verdict.finding {
            Finding::Failed(note) | Finding::Skipped(note) => {
                Some(note.clone())
            }
            _ => None,
        },
    };
    let checks = found.iter().map(check).collect();
    let wire = Wire { format: FORMAT, partial, checks };
    Ok(serde_json::to_string_pretty(&wire)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variant: &'static str, findings: [Finding; 2]) -> Vec<Found> {
        let laws = [Law::ExactlyOneCompletion, Law::RefusedComesBack];
        let verdicts = laws.into_iter().zip(findings);
        verdicts
            .map(|(law, finding)| Verdict { law, finding })
            .map(|verdict| Found { variant, verdict })
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
}
