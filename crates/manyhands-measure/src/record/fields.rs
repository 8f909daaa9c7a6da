//! Lines of CSV: the fields of one, read one after the other, and a line of
//! them.

use std::ops::RangeInclusive;

use csv::{ReaderBuilder, StringRecord};

use super::{amount, legible, machine, name, shown, within};
use crate::Machine;

/// The first column of every record: its shape, and the version of that.
pub(super) const FIRST: &str = "format";

/// The lines of a text, each with its number.
pub(super) fn lines(
    text: &str,
) -> impl Iterator<Item = Result<(u64, StringRecord), String>> {
    let reader = ReaderBuilder::new()
        .has_headers(false)
        // Said in another way by whoever reads them.
        .flexible(true)
        .from_reader(text.as_bytes());
    reader.into_records().map(|line| {
        let line = line.map_err(|error| legible(&error.to_string()))?;
        let number = line.position().map_or(0, |position| position.line());
        Ok((number, line))
    })
}

/// A line as RFC 4180 has it, but with the line end of this system's tools.
pub(super) fn line<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let field = |field: &str| match field.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    };
    let fields = fields.into_iter().map(field);
    fields.collect::<Vec<_>>().join(",") + "\n"
}

/// A number, or nothing where it is not known.
pub(super) fn known(number: Option<impl ToString>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

/// The fields of a line, one after the other.
pub(super) struct Fields<'a> {
    columns: &'a [&'a str],
    line: &'a StringRecord,
    next: usize,
}

impl<'a> Fields<'a> {
    /// Those of a line under these columns. The first is the format, and must
    /// be this one.
    pub(super) fn of(
        columns: &'a [&'a str],
        line: &'a StringRecord,
        format: &str,
    ) -> Result<Self, String> {
        if line.len() != columns.len() {
            let (found, allowed) = (line.len(), columns.len());
            return Err(format!("columns are {found}, allowed is {allowed}"));
        }
        let mut fields = Self { columns, line, next: 0 };
        let found = fields.text();
        if found != format {
            let found = shown(&found);
            return Err(format!("format is {found}, allowed is {format}"));
        }
        Ok(fields)
    }

    /// The next column, and what stands in it.
    fn take(&mut self) -> (&'a str, &'a str) {
        let column = self.next;
        self.next += 1;
        let head = self.columns.get(column).copied().unwrap_or_default();
        (head, self.line.get(column).unwrap_or_default())
    }

    pub(super) fn text(&mut self) -> String {
        legible(self.take().1)
    }

    pub(super) fn name(&mut self) -> Result<String, String> {
        let (column, text) = self.take();
        let text = legible(text);
        name(column, &text).map(|()| text)
    }

    pub(super) fn number(
        &mut self,
        allowed: RangeInclusive<u64>,
    ) -> Result<u64, String> {
        let (column, value) = self.take();
        let Ok(number) = value.parse() else {
            let (least, most) = (allowed.start(), allowed.end());
            let value = shown(value);
            return Err(format!(
                "{column} is {value}, allowed is {least} to {most}"
            ));
        };
        within(column, number, &allowed).map(|()| number)
    }

    pub(super) fn truth(&mut self) -> Result<bool, String> {
        let (column, value) = self.take();
        value.parse().map_err(|_| {
            let value = shown(value);
            format!("{column} is {value}, allowed is true or false")
        })
    }

    /// A number, or nothing.
    pub(super) fn count(&mut self) -> Result<Option<u64>, String> {
        match self.line.get(self.next) {
            Some("") => {
                self.next += 1;
                Ok(None)
            }
            _ => self.number(0..=u64::MAX).map(Some),
        }
    }

    /// A number with a fraction, or nothing.
    pub(super) fn amount(&mut self) -> Result<Option<f64>, String> {
        let (column, value) = self.take();
        if value.is_empty() {
            return Ok(None);
        }
        let number = value.parse::<f64>().map_err(|_| {
            let value = shown(value);
            format!("{column} is {value}, allowed is 0 and up")
        })?;
        amount(column, number).map(|()| Some(number))
    }

    /// The columns `os` to `revision`.
    pub(super) fn machine(&mut self) -> Result<Machine, String> {
        let found = Machine {
            os: self.text(),
            arch: self.text(),
            cores: self.number(1..=u64::MAX)?,
            rustc: self.text(),
            revision: Some(self.text()).filter(|it| !it.is_empty()),
        };
        machine(&found).map(|()| found)
    }
}

/// The columns that [`Fields::machine`] reads.
pub(super) fn of_machine(machine: &Machine) -> [String; 5] {
    [
        machine.os.clone(),
        machine.arch.clone(),
        machine.cores.to_string(),
        machine.rustc.clone(),
        machine.revision.clone().unwrap_or_default(),
    ]
}
