//! `manyhands compare`: which pattern serves this work, by how much, and how
//! sure that is.

use std::path::PathBuf;

use super::End;
use super::study::{NOTHING, StudyArgs};
use crate::args::{Format, Usage, one_of, path};
use crate::interrupt::Interrupt;
use crate::output::{Target, print, say};
use crate::report::{Report, page};

/// Compare the variants on the same jobs
///
/// Without options, on the files of the current directory. The variants run
/// in random order in each of many rounds, which several processes take in
/// turns, beside the baseline `inline`, which has no pool and runs twice, so
/// that the noise is seen. Every answer is checked. Below the ranking stands
/// what it costs that jobs outlive their process. docs/METHODOLOGY.md says what
/// the figures mean.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// table, json, csv (the raw rounds) or md
    #[arg(
        long,
        default_value = "table",
        value_parser = one_of(Format::TEXT),
        allow_hyphen_values = true
    )]
    format: Format,
    /// Make a page of it too, with pictures; takes half as long again
    #[arg(
        long,
        value_name = "FILE",
        value_parser = path("a file"),
        allow_hyphen_values = true
    )]
    report: Option<PathBuf>,
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let Args { study, format, report } = args;
    let works = study.specs()?.len();
    if works > 1 && matches!(format, Format::Json | Format::Csv) {
        Err(Usage(format!(
            "--work has {works} works, allowed is one with --format json or \
             csv; `record` keeps several"
        )))?;
    }
    // A file of CSV has one shape.
    let study = match format {
        Format::Csv if study.asks_for_durable() => Err(Usage(
            "--durable is yes, allowed is no with --format csv, which has \
             the raw rounds alone; `record` keeps both"
                .to_owned(),
        ))?,
        Format::Csv => study.without_durable(),
        _ => study,
    };
    let page_target = match report {
        None => None,
        Some(path) => {
            let opened = interrupt.or(move || Target::open("--report", &path));
            let Some(opened) = opened else {
                return Ok(End::Interrupted);
            };
            Some(opened.map_err(Usage)?)
        }
    };
    if study.check(interrupt)?.is_none() {
        say(NOTHING);
        return Ok(End::Interrupted);
    }
    let mut records = Vec::new();
    for nth in 0..works {
        let with_looks = page_target.is_some();
        let Some(record) = study.measure(nth, with_looks, interrupt)? else {
            if records.is_empty() {
                say(NOTHING);
            }
            break;
        };
        let shown = Report::new(&record).shown(format)?;
        let before = if nth > 0 { "\n" } else { "" };
        print(format!("{before}{shown}"))?;
        records.push(record);
        if interrupt.is_pressed() {
            break;
        }
    }
    if interrupt.is_pressed() {
        // A page that is not whole could pass for one that is.
        let kept = |target| say(format!("interrupted: {target} is as it was"));
        page_target.iter().for_each(kept);
        return Ok(End::Interrupted);
    }
    if let Some(target) = page_target {
        target.fill(&page(&records))?;
    }
    Ok(End::Fine)
}
