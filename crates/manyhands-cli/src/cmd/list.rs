//! `manyhands list`: what there is to choose from.

use manyhands_workloads::{Answer, Kind, WorkError, WorkJob};
use serde::Serialize;

use super::End;
use crate::args::{Format, one_of};
use crate::contenders::{self, Contender};
use crate::output::print;
use crate::table::{Table, left};

/// List the variants and the kinds of work
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// table, json, csv or md
    #[arg(
        long,
        default_value = "table",
        value_parser = one_of(Format::TEXT),
        allow_hyphen_values = true
    )]
    format: Format,
}

pub(crate) fn run(args: Args) -> anyhow::Result<End> {
    let variants = contenders::all::<WorkJob, Answer, WorkError>();
    let works = manyhands_workloads::all();
    print(match args.format {
        Format::Table => {
            let (variants, works) = tables(&variants, works);
            format!("{variants}\n{works}")
        }
        Format::Md => {
            let (variants, works) = tables(&variants, works);
            format!("{}\n{}", variants.markdown(), works.markdown())
        }
        Format::Csv => one_table(&variants, works).csv(),
        Format::Json | Format::Html => json(&variants, works)?,
    })?;
    Ok(End::Fine)
}

fn tables(variants: &[Contender<WorkJob>], works: &[Kind]) -> (Table, Table) {
    let columns = [left("variant"), left("what it is"), left("from")];
    let mut first = Table::new(columns);
    for variant in variants {
        first.row([variant.name, variant.summary, variant.origin]);
    }
    let columns = [left("work"), left("default"), left("what it is")];
    let mut second = Table::new(columns);
    for work in works {
        second.row([work.syntax, work.default, work.summary]);
    }
    (first, second)
}

/// A file of CSV has one shape.
fn one_table(variants: &[Contender<WorkJob>], works: &[Kind]) -> Table {
    let columns = ["kind", "name", "summary", "origin", "syntax", "default"];
    let mut table = Table::new(columns.map(left));
    for Contender { name, summary, origin, .. } in variants {
        table.row(["variant", name, summary, origin, "", ""]);
    }
    for Kind { name, syntax, default, summary, .. } in works {
        table.row(["work", name, summary, "", syntax, default]);
    }
    table
}

/// Changes when a field goes, or comes to mean something else.
const FORMAT: &str = "manyhands-list/1";

#[derive(Serialize)]
struct Wire {
    format: &'static str,
    variants: Vec<WireVariant>,
    work: Vec<WireWork>,
}

#[derive(Serialize)]
struct WireVariant {
    name: &'static str,
    summary: &'static str,
    origin: &'static str,
}

#[derive(Serialize)]
struct WireWork {
    name: &'static str,
    summary: &'static str,
    syntax: &'static str,
    default: &'static str,
}

fn json(
    variants: &[Contender<WorkJob>],
    works: &[Kind],
) -> anyhow::Result<String> {
    let variant = |&Contender { name, summary, origin, .. }: &_| WireVariant {
        name,
        summary,
        origin,
    };
    let work = |&Kind { name, summary, syntax, default, .. }: &_| WireWork {
        name,
        summary,
        syntax,
        default,
    };
    let wire = Wire {
        format: FORMAT,
        variants: variants.iter().map(variant).collect(),
        work: works.iter().map(work).collect(),
    };
    Ok(serde_json::to_string_pretty(&wire)? + "\n")
}
