//! `book DOCS BUILT`: has the links of a book that mdBook built lead to the
//! repository's files where they are about these, and says what is wrong with
//! it. `.ci/book` runs it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, bail};
use browser::book::Book;

fn main() -> anyhow::Result<ExitCode> {
    let folders: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [docs, built] = &folders[..] else {
        bail!("what is wanted: book DOCS BUILT");
    };
    let (docs, built) = (there(docs)?, there(built)?);
    let repository = docs.parent().context("docs is in a folder")?;
    let book = Book { repository, docs: &docs, built: &built };
    let mended = book.mend()?;
    let faults = book.faults()?;
    let mut out = io::stdout().lock();
    for fault in &faults {
        writeln!(out, "{fault}")?;
    }
    writeln!(
        out,
        "{mended} links lead out of the book; faults: {}",
        faults.len()
    )?;
    Ok(ExitCode::from(u8::from(!faults.is_empty())))
}

fn there(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::canonicalize(folder).with_context(|| folder.display().to_string())
}
