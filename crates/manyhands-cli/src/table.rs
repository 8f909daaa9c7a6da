//! Tables, for the terminal, for Markdown, and as CSV.

use std::borrow::Cow;
use std::fmt;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{
    Cell, CellAlignment, ContentArrangement, LineStyle, Table as Drawn,
    TableStyle,
};

use crate::output::WIDTH;

/// Rows of text under a header.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    /// Columns close together, whatever the width.
    narrow: bool,
}

/// The head of a column, and where its cells stand.
#[derive(Debug)]
pub(crate) struct Column {
    head: Cow<'static, str>,
    side: CellAlignment,
}

/// A column of words.
pub(crate) fn left(head: impl Into<Cow<'static, str>>) -> Column {
    Column { head: head.into(), side: CellAlignment::Left }
}

/// A column of figures.
pub(crate) fn right(head: impl Into<Cow<'static, str>>) -> Column {
    Column { head: head.into(), side: CellAlignment::Right }
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        let columns = columns.into_iter().collect();
        Self { columns, rows: Vec::new(), narrow: false }
    }

    /// With the columns close together, and no cell ever broken into lines.
    pub(crate) fn narrow(self) -> Self {
        Self { narrow: true, ..self }
    }

    pub(crate) fn row<T: Into<String>>(
        &mut self,
        cells: impl IntoIterator<Item = T>,
    ) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// For a terminal: a rule under the header, no other lines, and no wider
    /// than a page.
    pub(crate) fn plain(&self) -> String {
        const RULE: LineStyle = LineStyle::none().fill('─').junction('─');
        let mut drawn = self.drawn(|cell| cell.to_owned());
        drawn.load_style(TableStyle::new().header_separator(RULE));
        if !self.narrow {
            drawn.set_content_arrangement(ContentArrangement::Dynamic);
            drawn.set_width(WIDTH as u16);
        }
        // comfy-table adds a space for the line that is not there.
        let padding = if self.narrow { 0 } else { 1 };
        let last = self.columns.len() - 1;
        for (place, column) in drawn.column_iter_mut().enumerate() {
            column.set_padding((0, if place < last { padding } else { 0 }));
        }
        format!("{}\n", drawn.trim_fmt())
    }

    /// For a page in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let escape = |cell: &str| cell.replace('|', "\\|").replace('\n', " ");
        let mut drawn = self.drawn(escape);
        drawn.load_style(ASCII_MARKDOWN);
        // The rule says which columns are right-aligned.
        let mut lines = drawn.lines();
        let header = lines.next().unwrap_or_default();
        let rule = lines.next().unwrap_or_default();
        let cells = rule.trim_matches('|').split('|');
        let rule =
            cells.zip(&self.columns).map(|(cell, column)| match column.side {
                CellAlignment::Right => format!("{}:|", &cell[1..]),
                _ => format!("{cell}|"),
            });
        let rule = rule.collect::<String>();
        let rows = lines.map(|line| line + "\n").collect::<String>();
        format!("{header}\n|{rule}\n{rows}")
    }

    /// As RFC 4180 says, but with the line ends of this system's tools.
    pub(crate) fn csv(&self) -> String {
        let header = self.columns.iter().map(|column| column.head.to_string());
        let header = [header.collect()];
        let line = |cells: &Vec<String>| {
            let fields = cells.iter().map(|cell| csv_field(cell));
            fields.collect::<Vec<_>>().join(",") + "\n"
        };
        header.iter().chain(&self.rows).map(line).collect()
    }

    fn drawn(&self, cell: impl Fn(&str) -> String) -> Drawn {
        let mut drawn = Drawn::new();
        drawn.set_header(self.columns.iter().map(|column| &column.head));
        for row in &self.rows {
            drawn.add_row(row.iter().map(|text| Cell::new(cell(text))));
        }
        for (column, drawn) in self.columns.iter().zip(drawn.column_iter_mut())
        {
            drawn.set_cell_alignment(column.side);
        }
        drawn
    }
}

fn csv_field(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// As it stands on a terminal.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([left("name"), right("jobs")]);
        table.row(["a", "1"]);
        table.row(["b|c, \"d\"", "1000"]);
        table
    }

    #[test]
    fn the_terminal_gets_aligned_columns() {
        let expected = "\
name      jobs
──────────────
a            1
b|c, \"d\"  1000
";
        assert_eq!(table().plain(), expected);
    }

    #[test]
    fn markdown_gets_its_bars_escaped_and_its_figures_on_the_right() {
        let expected = "\
| name      | jobs |
|-----------|-----:|
| a         |    1 |
| b\\|c, \"d\" | 1000 |
";
        assert_eq!(table().markdown(), expected);
    }

    #[test]
    fn csv_gets_its_commas_quoted() {
        let expected = "name,jobs\na,1\n\"b|c, \"\"d\"\"\",1000\n";
        assert_eq!(table().csv(), expected);
    }
}
