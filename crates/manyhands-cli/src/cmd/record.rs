//! `manyhands record`: a comparison, kept so that every picture of it can be
//! made again.

use std::path::PathBuf;

use time::OffsetDateTime;

use super::End;
use super::study::{NOTHING, StudyArgs};
use crate::args::path;
use crate::interrupt::Interrupt;
use crate::output::{legible, print_line, say};
use crate::record::folder;

/// Compare the variants, and keep all that was measured
///
/// For each work a new folder is made, called by the day and the work, with
/// the raw rounds as CSV, what was looked at beside them, and the machine in
/// every line. None that is there is touched. `report` shows it, on any day.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) study: StudyArgs,
    /// Where the folders are made
    #[arg(
        long,
        value_name = "DIR",
        default_value = "records",
        value_parser = path("a directory"),
        allow_hyphen_values = true
    )]
    into: PathBuf,
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let Args { study, into } = args;
    let works = study.specs()?.len();
    folder::check(&into)?;
    if study.check(interrupt)?.is_none() {
        say(NOTHING);
        return Ok(End::Interrupted);
    }
    let day = OffsetDateTime::now_utc().date();
    for nth in 0..works {
        let Some(record) = study.measure(nth, true, interrupt)? else {
            say(NOTHING);
            return Ok(End::Interrupted);
        };
        let work = record.runs.work.replace(':', "-");
        let name = format!("{day}-{work}");
        let folder = folder::write(&into, &name, &record)?;
        let folder = legible(&folder.to_string_lossy());
        print_line(format_args!("{folder}"))?;
        if interrupt.is_pressed() {
            return Ok(End::Interrupted);
        }
    }
    Ok(End::Fine)
}
