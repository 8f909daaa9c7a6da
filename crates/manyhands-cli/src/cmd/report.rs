//! `manyhands report`: earlier comparisons, shown once more.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use manyhands_measure::record::MOST_BYTES;

use super::End;
use crate::args::{Format, Usage, one_of, path};
use crate::interrupt::Interrupt;
use crate::output::{legible, print, say};
use crate::record::folder;
use crate::report::{self, Recorded};

/// Show comparisons that were recorded
///
/// A record is a folder that `record` made, or a file: what `compare --format
/// json` wrote, or `--format csv`, which hold less. What it concludes is
/// worked out anew from its runs, and must be the same. What the benchmarks
/// record, a comparison of `pools` or a table, is shown too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders or files; `-` is stdin
    #[arg(
        value_name = "RECORD",
        required = true,
        value_parser = path("a file")
    )]
    records: Vec<PathBuf>,
    /// table, json, csv (the raw rounds), md, or html (a page with pictures)
    #[arg(
        long,
        default_value = "table",
        value_parser = one_of(Format::ALL),
        allow_hyphen_values = true
    )]
    format: Format,
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let Args { records, format } = args;
    let several = records.len() > 1;
    if several && matches!(format, Format::Json | Format::Csv) {
        Err(Usage(format!(
            "there are {} records, allowed is one with --format json or csv",
            records.len()
        )))?;
    }
    let mut compared = Vec::new();
    for (place, path) in records.into_iter().enumerate() {
        let shown = match path.as_os_str() == "-" {
            true => "stdin".to_owned(),
            false => legible(&path.to_string_lossy()),
        };
        // Whoever writes into a FIFO may take their time.
        let Some(read) = interrupt.or(move || recorded(&path)) else {
            say("interrupted: nothing was read yet");
            return Ok(End::Interrupted);
        };
        let at = |why| Usage(format!("{shown}: {why}"));
        match (read.map_err(at)?, format) {
            (Recorded::Compared(record), Format::Html) => {
                compared.push(record);
            }
            (recorded, _) => {
                let before = if place > 0 { "\n" } else { "" };
                let text = recorded.shown(format)?.map_err(at)?;
                print(format!("{before}{text}"))?;
            }
        }
    }
    if format == Format::Html {
        print(report::page(&compared))?;
    }
    Ok(End::Fine)
}

fn recorded(path: &Path) -> Result<Recorded, String> {
    if path.is_dir() {
        return folder::read(path).map(Recorded::Compared);
    }
    match read(path) {
        Ok(bytes) => report::read(&bytes),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

/// The whole of a file, or enough of it to see that it is too long.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    match path == Path::new("-") {
        true => read_from(io::stdin()),
        false => read_file(path),
    }
}

/// The same of a file with any name.
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    read_from(File::open(path)?)
}

fn read_from(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
