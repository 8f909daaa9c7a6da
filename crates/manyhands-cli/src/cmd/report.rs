//! `manyhands report`: an earlier comparison, shown once more.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use manyhands_measure::record::MOST_BYTES;

use super::End;
use crate::args::{Format, Usage, one_of, path};
use crate::interrupt::Interrupt;
use crate::output::{legible, print, say};
use crate::report::{self, Recorded};

/// Show a comparison that was recorded
///
/// A record is what `compare --format json` wrote, or `--format csv`, which
/// holds less: no latencies, nothing about the files. What it concludes is
/// worked out anew from its runs, and must be the same. What the benchmarks
/// record, a comparison of `pools` or a table, is shown too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file with the record; `-` is stdin
    #[arg(value_parser = path("a file"))]
    record: PathBuf,
    /// table, json, csv (the raw rounds) or md
    #[arg(
        long,
        default_value = "table",
        value_parser = one_of(Format::ALL),
        allow_hyphen_values = true
    )]
    format: Format,
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let shown = match args.record.as_os_str() == "-" {
        true => "stdin".to_owned(),
        false => legible(&args.record.to_string_lossy()),
    };
    // Whoever writes into a FIFO may take their time.
    let Some(read) = interrupt.or(move || read(&args.record)) else {
        say("interrupted: nothing was read yet");
        return Ok(End::Interrupted);
    };
    let at = |why| Usage(format!("{shown}: {why}"));
    let record: Recorded = match read {
        Ok(bytes) => report::read(&bytes).map_err(at)?,
        Err(error) => Err(at(format!("it cannot be read: {error}")))?,
    };
    print(record.shown(args.format)?.map_err(at)?)?;
    Ok(End::Fine)
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
