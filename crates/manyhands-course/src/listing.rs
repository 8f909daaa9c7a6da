//! Listings: a file that is compiled and tested, or a part of it.

use std::path::{Component, Path, PathBuf};

use crate::fence;

/// What a file marks the beginning and the end of a part with, each in a
/// comment of its own.
const START: &str = "ANCHOR:";
const END: &str = "ANCHOR_END:";

/// The listing that a page asks for as `PATH` or `PATH#ANCHOR`, as a block of
/// code. Paths are from the page's folder; both are from the root.
///
/// # Errors
///
/// What is wrong with what was asked for, and what is allowed.
pub(crate) fn listing(
    root: &Path,
    folder: &Path,
    asked: &str,
) -> Result<String, String> {
    let (path, anchor) = match asked.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (asked, None),
    };
    let file = within(&folder.join(path)).ok_or_else(|| {
        format!("{path} is not in the repository, allowed is a file in it")
    })?;
    let text = std::fs::read_to_string(root.join(&file)).map_err(|error| {
        format!("{path} cannot be read: {error}; allowed is a text file")
    })?;
    let lines = match anchor {
        Some(anchor) => part(&text, anchor)
            .map_err(|why| format!("{path}#{anchor}: {why}"))?,
        None => text.lines().filter(|line| mark(line).is_none()).collect(),
    };
    Ok(fence::block(language(&file), &outdented(&lines)))
}

/// The same path without `..`, if that leads nowhere above the root.
pub(crate) fn within(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

enum Mark<'a> {
    Start(&'a str),
    End(&'a str),
}

/// What a line marks, which is nothing but a comment.
fn mark(line: &str) -> Option<Mark<'_>> {
    let line = line.trim();
    let comment = ["//", "#", "<!--"]
        .into_iter()
        .find_map(|sign| line.strip_prefix(sign))?;
    let comment = comment.strip_suffix("-->").unwrap_or(comment).trim();
    match (comment.strip_prefix(END), comment.strip_prefix(START)) {
        (Some(name), _) => Some(Mark::End(name.trim())),
        (None, Some(name)) => Some(Mark::Start(name.trim())),
        (None, None) => None,
    }
}

/// What stands between the marks of this name, without other marks.
fn part<'a>(text: &'a str, anchor: &str) -> Result<Vec<&'a str>, String> {
    let (mut lines, mut names) = (Vec::new(), Vec::new());
    let (mut is_open, mut seen) = (false, false);
    for line in text.lines() {
        match mark(line) {
            Some(Mark::Start(name)) => {
                names.push(name);
                if name == anchor && seen {
                    return Err("it is there twice, allowed is once".into());
                }
                if name == anchor {
                    (is_open, seen) = (true, true);
                }
            }
            Some(Mark::End(name)) if name == anchor => is_open = false,
            Some(Mark::End(_)) => {}
            None if is_open => lines.push(line),
            None => {}
        }
    }
    match (seen, is_open) {
        (true, false) => Ok(lines),
        (true, true) => {
            Err(format!("it has no end, allowed is a line {END} {anchor}"))
        }
        (false, _) if names.is_empty() => {
            Err("the file has no anchors, allowed is the whole of it".into())
        }
        (false, _) => Err(format!(
            "there is no such anchor, allowed is {}",
            names.join(", ")
        )),
    }
}

/// Without the empty lines around them, and without the indentation that all
/// of them have.
fn outdented(lines: &[&str]) -> String {
    let is_empty = |line: &&&str| line.trim().is_empty();
    let first = lines.iter().take_while(is_empty).count();
    let last = lines.iter().rev().take_while(is_empty).count();
    let lines = lines.get(first..lines.len() - last).unwrap_or_default();
    let depth = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().filter(|line| !line.trim().is_empty());
    let common = common.map(depth).min().unwrap_or(0);
    let mut text = String::new();
    for line in lines {
        text += line.get(common..).unwrap_or_default().trim_end();
        text.push('\n');
    }
    text
}

/// What a block of code from this file is called. Rust is tested where it
/// stands, not in the page.
fn language(file: &Path) -> &'static str {
    let ending = file.extension().and_then(|ending| ending.to_str());
    match ending.unwrap_or_default() {
        "rs" => "rust,ignore",
        "go" => "go",
        "toml" => "toml",
        "json" => "json",
        "md" => "markdown",
        "sh" => "sh",
        "console" => "console",
        "yml" | "yaml" => "yaml",
        "js" => "js",
        "css" => "css",
        "html" => "html",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
//! A file.
// ANCHOR: outer
fn one() {
    // ANCHOR: inner

    let a = 1;
    if a == 1 {
        two();
    }
    // ANCHOR_END: inner
}
// ANCHOR_END: outer
// ANCHOR: open
// ANCHOR: twice
// ANCHOR_END: twice
# ANCHOR: twice
";

    #[test]
    fn a_part_is_without_marks_and_without_its_own_indentation() {
        let outer = part(TEXT, "outer").unwrap();
        assert_eq!((outer[0], outer.len()), ("fn one() {", 7));
        let inner = outdented(&part(TEXT, "inner").unwrap());
        assert_eq!(inner, "let a = 1;\nif a == 1 {\n    two();\n}\n");
    }

    #[test]
    fn what_is_wrong_with_an_anchor_is_told() {
        for (anchor, why) in [
            ("open", "it has no end, allowed is a line ANCHOR_END: open"),
            ("twice", "it is there twice"),
            ("none", "no such anchor, allowed is outer, inner, open"),
        ] {
            let refused = part(TEXT, anchor).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        assert!(part("a\n", "a").unwrap_err().contains("no anchors"));
    }

    #[test]
    fn a_path_leads_out_of_the_repository_or_it_does_not() {
        let path = |path: &str| within(Path::new(path));
        assert_eq!(path("docs/a/../../x.rs"), Some("x.rs".into()));
        for outside in ["docs/../../x.rs", "/x.rs", ".."] {
            assert_eq!(path(outside), None, "{outside}");
        }
    }
}
