//! The tags of a page, with the places of their attributes.

use std::ops::Range;

/// `<name key="value">`; what closes has no attributes, and is left out.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    text: &'a str,
    /// Each with the place of its value in the page.
    attributes: Vec<(&'a str, Range<usize>)>,
}

/// The value of an attribute, and where in the page it stands.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) value: String,
    pub(super) at: Range<usize>,
}

impl Tag<'_> {
    pub(super) fn attribute(&self, name: &str) -> Option<Value> {
        let mut all = self.attributes.iter();
        let (_, at) = all.find(|(key, _)| *key == name)?;
        let value = unescape(&self.text[at.clone()]);
        Some(Value { value, at: at.clone() })
    }
}

/// All tags, in their order, without those in comments and scripts.
pub(super) fn tags(text: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find('<') {
        at += next + 1;
        let rest = &text[at..];
        if rest.starts_with("!--") {
            at = after(text, at, "-->");
        } else if rest.starts_with(|it: char| it.is_ascii_alphabetic()) {
            let (tag, end) = tag(text, at);
            at = end;
            if ["script", "style"].contains(&tag.name) {
                at = after(text, at, &format!("</{}", tag.name));
            }
            tags.push(tag);
        }
    }
    tags
}

/// Where the text goes on behind such a word.
fn after(text: &str, from: usize, word: &str) -> usize {
    text[from..].find(word).map_or(text.len(), |at| from + at + word.len())
}

/// The tag that starts here, and where it ends.
fn tag(text: &str, start: usize) -> (Tag<'_>, usize) {
    let until = |from: usize, ends: &[char]| {
        text[from..].find(ends).map_or(text.len(), |at| from + at)
    };
    let space = [' ', '\t', '\n', '\r', '/', '>', '='];
    let mut at = until(start, &space);
    let name = &text[start..at];
    let mut attributes = Vec::new();
    loop {
        let rest = text[at..].trim_start_matches([' ', '\t', '\n', '\r', '/']);
        at = text.len() - rest.len();
        if rest.is_empty() || rest.starts_with('>') {
            let end = (at + 1).min(text.len());
            return (Tag { name, text, attributes }, end);
        }
        let end = until(at, &space).max(at + 1).min(text.len());
        let key = &text[at..end];
        at = end;
        if !text[at..].starts_with('=') {
            continue;
        }
        at += 1;
        let quote = text[at..].chars().next().filter(|it| "\"'".contains(*it));
        let value = match quote {
            Some(quote) => at + 1..until(at + 1, &[quote]),
            None => at..until(at, &[' ', '\t', '\n', '\r', '>']),
        };
        at = (value.end + usize::from(quote.is_some())).min(text.len());
        attributes.push((key, value));
    }
}

fn unescape(text: &str) -> String {
    let text = text.replace("&quot;", "\"").replace("&#39;", "'");
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&#x27;", "'").replace("&amp;", "&")
}

/// As it stands between quotes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;")
}
