//! What a person wrote, and whether it leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::course::{Finding, finding};
use crate::document::without_listings;
use crate::fence;
use crate::listing::within;
use crate::prose::Prose;

/// The book's order.
const SUMMARY: &str = "docs/SUMMARY.md";

/// The list of the pages whose examples are tests.
const TESTED: &str = "crates/manyhands/src/lib.rs";

/// The pages, from the root, each with its text.
pub(crate) type Pages = BTreeMap<PathBuf, String>;

/// Links that lead nowhere.
pub(crate) fn links(root: &Path, pages: &Pages) -> Vec<Finding> {
    let read: BTreeMap<&Path, Prose> =
        pages.iter().map(|(page, text)| (&**page, Prose::of(text))).collect();
    let mut findings = Vec::new();
    for (page, prose) in &read {
        for (line, target) in &prose.links {
            let leads = lead(root, &read, page, target);
            if let Err(why) = leads {
                let what = format!("the link to {target} {why}");
                findings.push(finding(*page, *line, what));
            }
        }
    }
    findings
}

fn lead(
    root: &Path,
    read: &BTreeMap<&Path, Prose>,
    page: &Path,
    target: &str,
) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = page.parent().unwrap_or(Path::new(""));
    let file = match path {
        "" => page.to_owned(),
        _ => within(&folder.join(path.replace("%20", " ")))
            .ok_or("leads out of the repository")?,
    };
    if !root.join(&file).exists() {
        return Err("leads nowhere".into());
    }
    if anchor.is_empty() || file.extension().is_none_or(|it| it != "md") {
        return Ok(());
    }
    let other;
    let prose = match read.get(&*file) {
        Some(prose) => prose,
        None => {
            let text = fs::read_to_string(root.join(&file));
            other = Prose::of(&text.unwrap_or_default());
            &other
        }
    };
    if prose.anchors.contains(anchor) {
        return Ok(());
    }
    let there: Vec<_> = prose.anchors.iter().map(|it| &**it).collect();
    Err(format!(
        "leads to a page without that heading; it has {}",
        there.join(", ")
    ))
}

/// Pages of the book that its summary does not name.
pub(crate) fn summary(pages: &Pages) -> Vec<Finding> {
    let summary = Path::new(SUMMARY);
    let Some(text) = pages.get(summary) else { return Vec::new() };
    let named: BTreeSet<PathBuf> = Prose::of(text)
        .links
        .iter()
        .filter_map(|(_, target)| within(&Path::new("docs").join(target)))
        .collect();
    pages
        .keys()
        .filter(|page| page.starts_with("docs") && *page != summary)
        .filter(|page| !named.contains(*page))
        .map(|page| {
            let what = format!("it is not in {SUMMARY}; name it there");
            finding(page, 1, what)
        })
        .collect()
}

/// Rust that nobody compiles.
pub(crate) fn untested(root: &Path, pages: &Pages) -> Vec<Finding> {
    let tested = fs::read_to_string(root.join(TESTED)).unwrap_or_default();
    let tested = tested.split_once("pages! {").unwrap_or_default().1;
    let tested: BTreeSet<&str> =
        tested.split('"').skip(1).step_by(2).collect();
    let mut findings = Vec::new();
    for (page, text) in pages {
        let name = page.to_string_lossy().replace('\\', "/");
        for (line, words) in rust_blocks(&without_listings(text)) {
            let what = if words.iter().any(|it| it.starts_with("ignore")) {
                "Rust that is ignored: show a file that is compiled, by \
                 <!-- listing: PATH#ANCHOR -->"
                    .to_owned()
            } else if tested.contains(&*name) {
                continue;
            } else {
                format!(
                    "Rust that is no test: name the page in `pages!` of \
                     {TESTED}, or show a file by \
                     <!-- listing: PATH#ANCHOR -->"
                )
            };
            findings.push(finding(page, line, what));
        }
    }
    findings
}

/// The blocks of Rust: the line of each, and what is said behind its fence.
fn rust_blocks(text: &str) -> Vec<(usize, Vec<&str>)> {
    let (mut blocks, mut fence) = (Vec::new(), None);
    for (number, line) in (1..).zip(text.lines()) {
        let was = fence;
        fence = fence::after(was, line);
        if was.is_none() && fence.is_some() {
            let words = line.trim().trim_start_matches(['`', '~']);
            let words: Vec<_> = words
                .split([',', ' ', '\t', '{', '}'])
                .filter(|word| !word.is_empty())
                .collect();
            if words.iter().any(|word| ["rust", "rs"].contains(word)) {
                blocks.push((number, words));
            }
        }
    }
    blocks
}
