//! A page, with other blocks between its markers.

use crate::fence::{self, Fence};
use crate::marker::{Kind, Line, Marker, article};

/// What to put between two markers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// This, in lines that end with a line feed.
    New(String),
    /// What is there.
    Same,
    /// What is there, which is nothing, and should not be.
    Missing,
    /// What is there: it could not be made anew, and why.
    Failed(String),
}

/// A page with its blocks made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spliced {
    pub(crate) text: String,
    /// How many blocks it has.
    pub(crate) blocks: usize,
    /// Those that are not as they were: the number of the marker's line.
    pub(crate) changed: Vec<(usize, Marker)>,
    /// Those that were not made, and are empty.
    pub(crate) missing: Vec<(usize, Marker)>,
    /// Those that could not be made, and why.
    pub(crate) failed: Vec<(usize, String)>,
}

/// A block of which the end was not seen yet.
struct Open {
    number: usize,
    marker: Marker,
    line_end: &'static str,
    old: String,
}

/// Makes each block of a page anew, with lines that end as its marker's does.
/// All else stays as it is, to the byte. What looks like a marker in a fenced
/// block of code is none.
///
/// # Errors
///
/// The number of a marker's line, and what is wrong with it.
pub(crate) fn splice(
    document: &str,
    make: &mut dyn FnMut(&Marker, &str) -> Result<Block, String>,
) -> Result<Spliced, (usize, String)> {
    let mut spliced = Spliced {
        text: String::new(),
        blocks: 0,
        changed: Vec::new(),
        missing: Vec::new(),
        failed: Vec::new(),
    };
    let mut open: Option<Open> = None;
    let mut fence: Option<Fence> = None;
    for (number, line) in (1..).zip(document.split_inclusive('\n')) {
        let at = |why| (number, why);
        if let Some(block) = &mut open {
            // A block that was made has fences of its own, and no markers.
            match Line::of(line).map_err(at)? {
                Line::End(kind) if kind == block.marker.kind => {
                    if let Some(block) = open.take() {
                        spliced.close(block, make)?;
                    }
                    spliced.text += line;
                }
                Line::Text => block.old += line,
                Line::Start(_) | Line::End(_) => {
                    return Err(at(within(block)));
                }
            }
            continue;
        }
        let was = fence;
        fence = fence::after(was, line);
        if was.is_some() || fence.is_some() {
            spliced.text += line;
            continue;
        }
        match Line::of(line).map_err(at)? {
            Line::Start(marker) => {
                let line_end =
                    if line.ends_with("\r\n") { "\r\n" } else { "\n" };
                let old = String::new();
                open = Some(Open { number, marker, line_end, old });
            }
            Line::End(kind) => {
                let name = kind.name();
                return Err(at(format!(
                    "{} {name} ends that did not begin, allowed is an end \
                     after <!-- {name}: … -->",
                    article(name)
                )));
            }
            Line::Text => {}
        }
        spliced.text += line;
    }
    match open {
        None => Ok(spliced),
        Some(Open { number, marker, .. }) => {
            let (name, end) = (marker.kind.name(), marker.kind.end());
            let why =
                format!("the {name} has no end, allowed is a line {end}");
            Err((number, why))
        }
    }
}

fn within(block: &Open) -> String {
    let end = block.marker.kind.end();
    format!(
        "a marker within the {} of line {}, allowed is one after {end}",
        block.marker.kind.name(),
        block.number,
    )
}

impl Spliced {
    fn close(
        &mut self,
        block: Open,
        make: &mut dyn FnMut(&Marker, &str) -> Result<Block, String>,
    ) -> Result<(), (usize, String)> {
        let Open { number, marker, line_end, old } = block;
        let made = make(&marker, &old).map_err(|why| (number, why))?;
        self.blocks += 1;
        match made {
            Block::New(new) => {
                if let Some(line) = new.lines().find(|line| is_marker(line)) {
                    let why = format!(
                        "{marker} has a marker in it, {line}: allowed is \
                         a block without"
                    );
                    return Err((number, why));
                }
                let new = new.replace('\n', line_end);
                self.text += &new;
                if new != old {
                    self.changed.push((number, marker));
                }
            }
            Block::Same => self.text += &old,
            Block::Missing => {
                self.text += &old;
                self.missing.push((number, marker));
            }
            Block::Failed(why) => {
                self.text += &old;
                self.failed.push((number, why));
            }
        }
        Ok(())
    }
}

fn is_marker(line: &str) -> bool {
    Line::of(line) != Ok(Line::Text)
}

/// The page without its listings: their lines are empty, so that the others
/// keep their numbers. Of a page that can be spliced.
pub(crate) fn without_listings(document: &str) -> String {
    let (mut text, mut is_open, mut fence) = (String::new(), false, None);
    for line in document.split_inclusive('\n') {
        let was = fence;
        if !is_open {
            fence = fence::after(was, line);
        }
        let is_code = was.is_some() || fence.is_some();
        match Line::of(line) {
            Ok(Line::Start(Marker { kind: Kind::Listing, .. }))
                if !is_code =>
            {
                is_open = true;
            }
            Ok(Line::End(Kind::Listing)) => is_open = false,
            _ if is_open => {}
            _ => {
                text += line;
                continue;
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(document: &str) -> Result<Spliced, (usize, String)> {
        splice(document, &mut |marker, _| match &*marker.asked {
            "absent" => Err("it is absent".into()),
            "missing" => Ok(Block::Missing),
            "failed" => Ok(Block::Failed("it failed".into())),
            "same" => Ok(Block::Same),
            asked => Ok(Block::New(format!("```text\n<{asked}>\n```\n"))),
        })
    }

    fn lines(found: &[(usize, Marker)]) -> Vec<usize> {
        found.iter().map(|(line, _)| *line).collect()
    }

    #[test]
    fn the_blocks_are_made_anew_and_nothing_else_is_touched() {
        let document = "\u{feff}# a\t \r\n\
            <!-- listing: one -->\n\
            old\r\n\
            ```\n\
            <!-- end of listing -->\r\n\
            \x0bb\n\n  \n\
            <!-- output: two -->\r\n\
            ```text\r\n<two>\r\n```\r\n\
            <!-- end of output -->\n\
            <!-- output: same -->\nold\n<!-- end of output -->\n\
            <!-- output: missing -->\n<!-- end of output -->\n\
            <!-- output: failed -->\nold\n<!-- end of output -->\n\
            <!-- table: other -->\nx\n<!-- end of table -->\n\
            <!-- listing: three -->\r\n\
            <!-- end of listing -->";
        let found = spliced(document).unwrap();
        let three = "```text\r\n<three>\r\n```\r\n";
        assert_eq!(
            found.text,
            document
                .replace("old\r\n```\n", "```text\n<one>\n```\n")
                .replace("three -->\r\n", &format!("three -->\r\n{three}"))
        );
        assert_eq!(found.blocks, 6);
        assert_eq!(lines(&found.changed), [2, 25]);
        assert_eq!(lines(&found.missing), [17]);
        assert_eq!(found.failed, [(19, "it failed".to_owned())]);
        let again = spliced(&found.text).unwrap();
        assert_eq!((again.text, again.changed), (found.text, vec![]));
    }

    #[test]
    fn a_marker_in_a_block_of_code_is_shown_and_not_obeyed() {
        for (open, close) in [
            ("```\n", "```\n"),
            ("~~~~ text\n```\n~~~\n", "~~~~~\n"),
            ("- a list\n  ```text\n", "  ```\n"),
        ] {
            let code = "<!-- listing: absent -->\n<!-- end of listing -->\n";
            let document = format!("{open}{code}{close}");
            let found = spliced(&document).unwrap();
            assert_eq!((found.text, found.blocks), (document.clone(), 0));
            let after = spliced(&(document + code));
            assert_eq!(after.unwrap_err().1, "it is absent");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let start = "<!-- listing: one -->\n";
        let end = "<!-- end of listing -->\n";
        let other = "<!-- end of output -->\n";
        for (document, line, why) in [
            (format!("\n{start}a\n"), 2, "the listing has no end, allowed"),
            (format!("{start}\n{start}{end}"), 3, "listing of line 1"),
            (format!("{start}{other}{end}"), 2, "within the listing of"),
            (format!("a\n{end}"), 2, "a listing ends that did not begin"),
            (format!("a\n{other}"), 2, "an output ends that did not begin"),
            (format!("{start}{end}{end}"), 3, "ends that did not"),
            (format!("\n <!-- output: x -->\n{other}"), 2, "is indented"),
            (format!("<!-- output: absent -->\n{other}"), 1, "it is absent"),
        ] {
            let refused = spliced(&document).unwrap_err();
            assert!(refused.1.contains(why), "{refused:?}");
            assert_eq!(refused.0, line, "{refused:?}");
        }
    }

    #[test]
    fn what_has_a_marker_in_it_is_not_put_into_a_page() {
        let page = "<!-- listing: a -->\n<!-- end of listing -->\n";
        let made = "```\n<!-- end of output -->\n```\n".to_owned();
        let refused = splice(page, &mut |_, _| Ok(Block::New(made.clone())));
        assert!(refused.unwrap_err().1.contains("has a marker in it"));
    }

    #[test]
    fn a_page_without_listings_keeps_its_lines() {
        let page = "a\n<!-- listing: a -->\n```\n<!-- end of listing -->\nb\n\
                    ~~~\n<!-- listing: a -->\n~~~\n\
                    <!-- output: a -->\ny\n<!-- end of output -->\nc\n";
        let left = page.lines().enumerate().map(|(place, line)| {
            if (1..4).contains(&place) {
                "\n".into()
            } else {
                format!("{line}\n")
            }
        });
        assert_eq!(without_listings(page), left.collect::<String>());
    }
}
