//! A document in Markdown, with other tables between its markers.

use super::marker::{Line, Marker};

/// A document with its tables made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spliced {
    pub(crate) text: String,
    /// How many tables it has.
    pub(crate) tables: usize,
    /// Those that were different before: the number of the marker's line, and
    /// the record.
    pub(crate) changed: Vec<(usize, String)>,
}

/// Makes each table of a document anew, with lines that end as its marker's
/// does. All else stays as it is, to the byte. What looks like a marker in a
/// fenced block of code is none.
///
/// # Errors
///
/// The number of a marker's line, and what is wrong with it.
pub(crate) fn splice(
    document: &str,
    table: &mut dyn FnMut(&Marker) -> Result<String, String>,
) -> Result<Spliced, (usize, String)> {
    let mut spliced =
        Spliced { text: String::new(), tables: 0, changed: Vec::new() };
    let mut open: Option<Open> = None;
    let mut fence = None;
    for (number, line) in (1..).zip(document.split_inclusive('\n')) {
        let at = |why| (number, why);
        if open.is_none() {
            let was = fence;
            fence = after(was, line);
            if was.is_some() || fence.is_some() {
                spliced.text += line;
                continue;
            }
        }
        match (Line::of(line).map_err(at)?, &mut open) {
            (Line::Start(marker), None) => {
                spliced.text += line;
                let new = table(&marker).map_err(at)?;
                let new = match line.ends_with("\r\n") {
                    true => new.replace('\n', "\r\n"),
                    false => new,
                };
                let record = marker.record;
                open = Some(Open { number, record, new, old: String::new() });
            }
            (Line::Start(_), Some(Open { number: first, .. })) => {
                return Err(at(format!(
                    "a table begins within that of line {first}, allowed is \
                     after its end"
                )));
            }
            (Line::End, None) => {
                let why = "a table ends that did not begin";
                return Err(at(why.into()));
            }
            (Line::End, Some(_)) => {
                if let Some(open) = open.take() {
                    spliced.add(open);
                }
                spliced.text += line;
            }
            (Line::Text, None) => spliced.text += line,
            (Line::Text, Some(open)) => open.old += line,
        }
    }
    match open {
        None => Ok(spliced),
        Some(Open { number, .. }) => {
            let why = "the table has no end, allowed is a line \
                       <!-- end of table -->";
            Err((number, why.into()))
        }
    }
}

/// A table of which the end was not seen yet.
struct Open {
    /// The line of its marker.
    number: usize,
    record: String,
    new: String,
    old: String,
}

impl Spliced {
    fn add(&mut self, table: Open) {
        self.tables += 1;
        self.text += &table.new;
        if table.new != table.old {
            self.changed.push((table.number, table.record));
        }
    }
}

/// With which mark, how many times, a block of code was opened that is still
/// open after this line.
fn after(open: Option<(char, usize)>, line: &str) -> Option<(char, usize)> {
    let line = line.trim();
    let of = |mark| line.chars().take_while(|&it| it == mark).count();
    match open {
        None => ['`', '~']
            .map(|mark| (mark, of(mark)))
            .into_iter()
            .find(|&(_, length)| length >= 3)
            // Such a line is code within a sentence.
            .filter(|&(mark, length)| !line[length..].contains(mark)),
        Some((mark, length)) => {
            let is_closed = of(mark) >= length && of(mark) == line.len();
            open.filter(|_| !is_closed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(document: &str) -> Result<Spliced, (usize, String)> {
        splice(document, &mut |marker| match &*marker.record {
            "absent" => Err("it is absent".into()),
            record => Ok(format!("<{record}>\n")),
        })
    }

    #[test]
    fn the_tables_are_made_anew_and_nothing_else_is_touched() {
        let document = "\u{feff}# a\t \r\n\
            <!-- table: one -->\n\
            old\r\n\
            ```\n\
            <!-- end of table -->\r\n\
            \x0bb\n\n  \n\
            <!-- table: two -->\r\n\
            <two>\r\n\
            <!-- end of table -->\n\
            <!-- table: three -->\r\n\
            <!-- end of table -->";
        let found = spliced(document).unwrap();
        assert_eq!(
            found.text,
            document
                .replace("old\r\n```\n", "<one>\n")
                .replace("three -->\r\n", "three -->\r\n<three>\r\n")
        );
        assert_eq!(found.tables, 3);
        let changed = [(2, "one".to_owned()), (12, "three".to_owned())];
        assert_eq!(found.changed, changed);
        let again = spliced(&found.text).unwrap();
        assert_eq!(again.text, found.text);
        assert_eq!(again.changed, []);
    }

    #[test]
    fn a_marker_in_a_block_of_code_is_shown_and_not_obeyed() {
        for (open, close) in [
            ("```\n", "```\n"),
            ("~~~~ text\n```\n~~~\n", "~~~~~\n"),
            ("- a list\n  ```text\n", "  ```\n"),
        ] {
            let code = "<!-- table: absent -->\n";
            let document = format!("{open}{code}{close}");
            let found = spliced(&document).unwrap();
            assert_eq!((found.text, found.tables), (document.clone(), 0));
            let after = spliced(&(document + code));
            assert_eq!(after.unwrap_err().1, "it is absent");
        }
        let sentence = "```code``` in a sentence\n<!-- table: absent -->\n";
        assert_eq!(spliced(sentence).unwrap_err().0, 2);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let start = "<!-- table: one -->\n";
        let end = "<!-- end of table -->\n";
        for (document, line, why) in [
            (format!("\n{start}a\n"), 2, "the table has no end, allowed is"),
            (format!("{start}\n{start}{end}"), 3, "within that of line 1"),
            (format!("a\n{end}"), 2, "a table ends that did not begin"),
            (format!("{start}{end}{end}"), 3, "a table ends that did not"),
            (format!("\n <!-- table: x -->\n{end}"), 2, "is indented"),
            (format!("<!-- table: absent -->\n{end}"), 1, "it is absent"),
        ] {
            let refused = spliced(&document).unwrap_err();
            assert!(refused.1.contains(why), "{refused:?}");
            assert_eq!(refused.0, line, "{refused:?}");
        }
    }
}
