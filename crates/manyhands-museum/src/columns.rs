//! What threads do, a column each.

/// No line is longer.
const WIDTH: usize = 80;

/// What stands before the first column: the number of the step.
const NUMBER: usize = 4;

/// Where each name's column begins.
pub(crate) struct Columns {
    names: Vec<&'static str>,
    apart: usize,
}

impl Columns {
    /// The fewer, the farther apart. What stands in the last column has the
    /// more room, since all lines may go on to the right.
    pub(crate) fn new(names: Vec<&'static str>) -> Self {
        let apart = (64 / names.len().max(1)).min(34);
        Self { names, apart }
    }

    /// The names above their columns.
    pub(crate) fn head(&self) -> String {
        let apart = self.apart;
        let names = self.names.iter().map(|name| format!("{name:apart$}"));
        let head = " ".repeat(NUMBER) + &names.collect::<String>();
        format!("{}\n", head.trim_end())
    }

    /// A step, in as many lines as it needs.
    pub(crate) fn line(&self, step: usize, who: &str, what: &str) -> String {
        let column = self.names.iter().position(|name| *name == who);
        let indent = NUMBER + column.unwrap_or_default() * self.apart;
        let text = wrapped(what, indent);
        format!("{step:>3}{}", &text[3..])
    }
}

/// What is in no column.
pub(crate) fn across(what: &str) -> String {
    wrapped(what, NUMBER)
}

/// Text that begins in that column of each of its lines.
fn wrapped(text: &str, indent: usize) -> String {
    let mut wrapped = " ".repeat(indent);
    let mut column = indent;
    // Two spaces in a row stay: some lines are rows of a table.
    for (place, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            wrapped.truncate(wrapped.trim_end().len());
            wrapped += "\n";
            wrapped += &" ".repeat(indent);
            column = indent;
        } else if place > 0 {
            wrapped += " ";
            column += 1;
        }
        wrapped += word;
        column += width;
    }
    wrapped + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_a_terminal_however_many_there_are() {
        for count in 1..=5 {
            let names = ["worker 1", "worker 2", "owner", "clock", "reader"];
            let columns = Columns::new(names[..count].to_vec());
            let head = columns.head();
            for name in &names[..count] {
                let text = columns.line(12, name, &"some words ".repeat(12));
                assert!(
                    text.lines().all(|line| line.len() <= WIDTH),
                    "{text}"
                );
                assert!(text.starts_with(" 12 "), "{text}");
                let below = head.find(name);
                assert_eq!(text.find("some"), below, "{head}{text}");
                let words = text.split_whitespace().count();
                assert_eq!(words, 25, "{text}");
            }
        }
    }

    #[test]
    fn a_row_keeps_its_spaces() {
        assert_eq!(across("a   b"), "    a   b\n");
    }
}
