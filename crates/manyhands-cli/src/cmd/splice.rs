//! `manyhands splice`: the tables of a document, made anew from the records
//! that it names.

use std::path::{Path, PathBuf};

use anyhow::Context;
use manyhands_measure::record::MOST_BYTES;

use super::End;
use super::report::read_file;
use crate::args::{Usage, path};
use crate::interrupt::Interrupt;
use crate::output::{legible, plural, print_line, replace, say};
use crate::report;
use crate::splice::{Marker, Spliced, splice, table};

/// Make the tables of documents anew, from records
///
/// A table stands between a line `<!-- table: PATH -->` and a line `<!-- end
/// of table -->`. PATH, from the document's folder, is what `compare --format
/// csv`, `pools --record` or a benchmark wrote. After it there may be
/// `columns=` and `only=`, with names and commas between them. Nothing else in
/// the document changes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The documents, in Markdown
    #[arg(required = true, value_name = "FILE", value_parser = path("a file"))]
    files: Vec<PathBuf>,
    /// Change nothing, and fail if a table is not that of its record
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: Args, interrupt: &Interrupt) -> anyhow::Result<End> {
    let files = args.files;
    // Whatever is wrong with one of them, none is changed.
    let made = interrupt.or(move || {
        let made = files.into_iter().map(|path| {
            let spliced = made(&path)?;
            Ok((path, spliced))
        });
        made.collect::<Result<Vec<_>, String>>()
    });
    let Some(made) = made else {
        say("interrupted: nothing was changed");
        return Ok(End::Interrupted);
    };
    let made = made.map_err(Usage)?;
    let changed = made.iter().any(|(_, it)| !it.changed.is_empty());
    for (path, Spliced { text, tables, changed }) in made {
        let shown = legible(&path.to_string_lossy());
        if args.check {
            for (line, record) in changed {
                let record = legible(&record);
                print_line(format_args!(
                    "{shown}:{line}: the table is not that of {record}; \
                     `manyhands splice {shown}` makes it so"
                ))?;
            }
            continue;
        }
        if !changed.is_empty() {
            let written = replace(&path, &text);
            written.with_context(|| format!("cannot write to {shown}"))?;
        }
        let (tables, changed) = (tables as u64, changed.len());
        say(format_args!(
            "{shown}: {}, {changed} changed",
            plural(tables, "table")
        ));
    }
    Ok(match args.check && changed {
        true => End::Failed,
        false => End::Fine,
    })
}

/// A document as it should be.
fn made(path: &Path) -> Result<Spliced, String> {
    let shown = legible(&path.to_string_lossy());
    let text = read_file(path)
        .map_err(|error| format!("{shown}: it cannot be read: {error}"))?;
    if text.len() > MOST_BYTES {
        let most = MOST_BYTES >> 20;
        return Err(format!(
            "{shown}: it is too long, allowed is up to {most} MiB"
        ));
    }
    let text = String::from_utf8(text).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        format!("{shown}: byte {place} is not UTF-8, allowed is a text")
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut made = |marker: &Marker| {
        let record = &marker.record;
        let shown = legible(record);
        let bytes = read_file(&folder.join(record))
            .map_err(|error| format!("{shown}: it cannot be read: {error}"))?;
        let recorded = report::read(&bytes);
        recorded
            .and_then(|recorded| table(&recorded, marker))
            .map_err(|why| format!("{shown}: {why}"))
    };
    splice(&text, &mut made)
        .map_err(|(line, why)| format!("{shown}:{line}: {why}"))
}
