//! What a page says: its headings and links, without what is code.

use std::collections::{BTreeSet, HashMap};

use crate::fence;

/// The pieces of a page that links are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prose {
    /// Where links lead, each with its line.
    pub(crate) links: Vec<(usize, String)>,
    /// What they may lead to within the page.
    pub(crate) anchors: BTreeSet<String>,
}

impl Prose {
    pub(crate) fn of(page: &str) -> Self {
        let text = without_code(page);
        let mut prose = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            for target in targets(line) {
                prose.links.push((number, target));
            }
            for attribute in ["id", "name"] {
                prose.anchors.extend(attributes(line, attribute));
            }
        }
        prose.add_headings(page);
        prose
    }

    /// As mdBook names them, and others: the words of the heading, with
    /// hyphens, and a number if there was one before.
    fn add_headings(&mut self, page: &str) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut fence = None;
        for line in page.lines() {
            let was = fence;
            fence = fence::after(was, line);
            if was.is_some() || fence.is_some() {
                continue;
            }
            let words = line.trim_start_matches('#');
            let depth = line.len() - words.len();
            let is_heading =
                (1..=6).contains(&depth) && words.starts_with(' ');
            if !is_heading {
                continue;
            }
            let mut words = words.trim().trim_end_matches('#').trim();
            if let Some((before, own)) = words.rsplit_once("{#")
                && let Some(own) = own.strip_suffix('}')
            {
                self.anchors.insert(own.to_owned());
                words = before.trim();
            }
            let name = anchor(words);
            let count = seen.entry(name.clone()).or_default();
            self.anchors.insert(match *count {
                0 => name,
                more => format!("{name}-{more}"),
            });
            *count += 1;
        }
    }
}

/// The name of a heading with these words.
fn anchor(words: &str) -> String {
    let mut plain = String::new();
    let mut rest = words;
    // Of a link, its words; of a tag, nothing.
    while let Some(sign) = rest.chars().next() {
        let after = &rest[sign.len_utf8()..];
        rest = match sign {
            ']' => match after.strip_prefix('(').and_then(|it| it.find(')')) {
                Some(end) => &after[end + 2..],
                None => after,
            },
            '<' => after.find('>').map_or(after, |end| &after[end + 1..]),
            _ => {
                plain.push(sign);
                after
            }
        };
    }
    plain
        .trim()
        .chars()
        .filter_map(|sign| match sign {
            ' ' => Some('-'),
            '-' | '_' => Some(sign),
            _ => sign.is_alphanumeric().then_some(sign),
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// With empty lines in the place of blocks of code, and spaces in that of code
/// and of comments within lines.
fn without_code(page: &str) -> String {
    let (mut text, mut fence) = (String::new(), None);
    for line in page.lines() {
        let was = fence;
        fence = fence::after(was, line);
        if was.is_none() && fence.is_none() {
            text += line;
        }
        text.push('\n');
    }
    let mut plain = String::new();
    let mut rest = &*text;
    while let Some(place) = rest.find(['`', '<']) {
        plain += &rest[..place];
        rest = &rest[place..];
        let length = match rest.starts_with('`') {
            true => code_span(rest),
            false => comment(rest),
        };
        let (code, after) = rest.split_at(length.unwrap_or(0));
        plain.extend(code.chars().map(|it| if it == '\n' { it } else { ' ' }));
        rest = after;
        if length.is_none() {
            let marks = rest.chars().take_while(|it| *it == '`').count();
            let (kept, after) = rest.split_at(marks.max(1));
            plain += kept;
            rest = after;
        }
    }
    plain + rest
}

/// How long the code is that begins here, in a paragraph.
fn code_span(text: &str) -> Option<usize> {
    let marks = text.chars().take_while(|it| *it == '`').count();
    let paragraph = text.split("\n\n").next()?;
    let mut place = marks;
    while let Some(found) = paragraph.get(place..)?.find('`') {
        place += found;
        let rest = paragraph.get(place..)?;
        let length = rest.chars().take_while(|it| *it == '`').count();
        place += length;
        if length == marks {
            return Some(place);
        }
    }
    None
}

fn comment(text: &str) -> Option<usize> {
    let within = text.strip_prefix("<!--")?;
    Some(4 + within.find("-->")? + 3)
}

/// Where the links of a line lead.
fn targets(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for link in line.split("](").skip(1) {
        let link = link.strip_prefix('<').unwrap_or(link);
        let end = link.find([')', '>', ' ', '"']).unwrap_or(link.len());
        found.push(link[..end].to_owned());
    }
    // [name]: target
    if let Some(rest) = line.trim_start().strip_prefix('[')
        && let Some((_, target)) = rest.split_once("]: ")
    {
        found.extend(target.split_whitespace().next().map(String::from));
    }
    for attribute in ["href", "src"] {
        found.extend(attributes(line, attribute));
    }
    found
}

/// What HTML of this line says of an attribute.
fn attributes(line: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    line.split(&start)
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(value, _)| value.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_but_not_in_code() {
        let page = "\
A [link](one.md) and [two](two.md#a \"title\"), `[code](no)`, ``a ` [b](no)``.
```
[code](no.md)
```
![picture](three.svg) <a id=\"here\" href=\"four.md\">x</a> <!-- [a](no) -->
[five]: five.md
<!-- [six](no)
--> a ` alone [seven](seven.md)

`[eight](no)
goes on`
";
        let prose = Prose::of(page);
        let links: Vec<_> =
            prose.links.iter().map(|(line, it)| (*line, &**it)).collect();
        let expected = [
            (1, "one.md"),
            (1, "two.md#a"),
            (5, "three.svg"),
            (5, "four.md"),
            (6, "five.md"),
            (8, "seven.md"),
        ];
        assert_eq!(links, expected);
        assert!(prose.anchors.contains("here"));
    }

    #[test]
    fn a_heading_is_named_by_its_words() {
        let page = "\
# `WorkerPool`, the trait
## In production
```
## In code
```
### [A link](there.md) – and *more*
## In production
## In_production {#own}
#hash
";
        let anchors = Prose::of(page).anchors;
        let expected = [
            "a-link--and-more",
            "in-production",
            "in-production-1",
            "in_production",
            "own",
            "workerpool-the-trait",
        ];
        assert_eq!(anchors.into_iter().collect::<Vec<_>>(), expected);
    }
}
