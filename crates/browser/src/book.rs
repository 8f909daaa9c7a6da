//! The built book: that its links are true, and that it needs nothing from
//! outside.
//!
//! mdBook turns each link to `….md` into one to `….html`, whether or not that
//! is a page of the book, and copies nothing that is not in its folder. So a
//! link to another file of the repository leads nowhere in what it builds.
//! [`mend`] has it lead to the file itself, from where the book was built.

mod markup;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use anyhow::Context;

use crate::book::markup::Tag;

/// Where the pages come from, and where they are.
#[derive(Clone, Copy, Debug)]
pub struct Book<'a> {
    /// The folder of the whole repository, without `..` in it.
    pub repository: &'a Path,
    /// The folder of the Markdown.
    pub docs: &'a Path,
    /// The folder that mdBook built.
    pub built: &'a Path,
}

impl Book<'_> {
    /// Has each link to a file of the repository outside the book lead there,
    /// and says how many were changed. All others stay what they are.
    ///
    /// # Errors
    ///
    /// A page cannot be read or written.
    pub fn mend(&self) -> anyhow::Result<usize> {
        let mut mended = 0;
        for page in self.pages()? {
            let text = read(&page)?;
            let mut out = String::with_capacity(text.len());
            let mut done = 0;
            for tag in markup::tags(&text) {
                let Some(link) = tag.attribute("href") else { continue };
                let Some(new) = self.outward(&page, &link.value) else {
                    continue;
                };
                out.push_str(&text[done..link.at.start]);
                out.push_str(&markup::escape(&new));
                done = link.at.end;
                mended += 1;
            }
            if done > 0 {
                out.push_str(&text[done..]);
                fs::write(&page, out)
                    .with_context(|| page.display().to_string())?;
            }
        }
        Ok(mended)
    }

    /// What is wrong with it, a line each: links and anchors that lead
    /// nowhere, parts from outside, pages of Markdown that it leaves out.
    ///
    /// # Errors
    ///
    /// A page cannot be read.
    pub fn faults(&self) -> anyhow::Result<Vec<String>> {
        let mut faults = Vec::new();
        let mut anchors = BTreeMap::new();
        let mut texts = BTreeMap::new();
        for page in self.pages()? {
            let text = read(&page)?;
            anchors.insert(page.clone(), ids(&text));
            texts.insert(page, text);
        }
        for (page, text) in &texts {
            for tag in markup::tags(text) {
                for (name, link) in links(&tag) {
                    let found = self.look(page, &tag, name, &link, &anchors);
                    if let Some(fault) = found {
                        let page = self.named(page);
                        faults.push(format!("{page}: {link}: {fault}"));
                    }
                }
            }
        }
        for sheet in files(self.built, "css")? {
            let text = read(&sheet)?;
            for word in ["url(http", "url(\"http", "url('http", "url(//"] {
                if text.contains(word) || text.contains("@import") {
                    let sheet = self.named(&sheet);
                    faults.push(format!("{sheet}: asks for something else"));
                    break;
                }
            }
        }
        for source in files(self.docs, "md")? {
            let within = source.strip_prefix(self.docs)?;
            let page = self.built.join(within).with_extension("html");
            if !page.exists() && within != Path::new("SUMMARY.md") {
                let source = within.display();
                faults.push(format!("{source}: SUMMARY.md does not name it"));
            }
        }
        Ok(faults)
    }

    fn pages(&self) -> anyhow::Result<Vec<PathBuf>> {
        files(self.built, "html")
    }

    fn named(&self, file: &Path) -> String {
        let within = file.strip_prefix(self.built).unwrap_or(file);
        within.display().to_string()
    }

    /// Where a link of a page is to lead, if that is another place.
    fn outward(&self, page: &Path, link: &str) -> Option<String> {
        let (path, rest) = split(link)?;
        let folder = page.parent()?;
        let here = normal(&folder.join(&path))?;
        if path.is_empty() || here.is_file() {
            return None;
        }
        let source = self.docs.join(folder.strip_prefix(self.built).ok()?);
        let as_markdown = path
            .strip_suffix(".html")
            .map(|path| normal(&source.join(format!("{path}.md"))));
        let as_it_is = normal(&source.join(&path));
        let target = [as_markdown.flatten(), as_it_is]
            .into_iter()
            .flatten()
            .find(|it| it.exists())?;
        // A folder of the book is, in the book, the page about it.
        if let Ok(within) = target.strip_prefix(self.docs) {
            let about = self.built.join(within).join("README.html");
            return about
                .is_file()
                .then(|| format!("{}{rest}", relative(folder, &about)));
        }
        target
            .starts_with(self.repository)
            .then(|| format!("{}{rest}", relative(folder, &target)))
    }

    fn look(
        &self,
        page: &Path,
        tag: &Tag<'_>,
        attribute: &str,
        link: &str,
        anchors: &BTreeMap<PathBuf, BTreeSet<String>>,
    ) -> Option<&'static str> {
        let Some((path, rest)) = split(link) else {
            // What is asked for when the reader asks for it is theirs.
            let may = (tag.name == "a" && attribute == "href")
                || link.starts_with("data:");
            return (!may).then_some("is from outside");
        };
        let target = match path.as_str() {
            "" => page.to_path_buf(),
            path => normal(&page.parent()?.join(path))?,
        };
        if !target.exists() {
            return Some("leads nowhere");
        }
        if !target.starts_with(self.built) {
            let is_ours = target.starts_with(self.repository);
            return (!is_ours).then_some("is not in the repository");
        }
        if !target.is_file() {
            return Some("is a folder; link to a page of it");
        }
        let anchor = decoded(rest.split_once('#')?.1);
        let known = anchors.get(&target)?;
        (!anchor.is_empty() && !known.contains(&anchor))
            .then_some("there is no such anchor")
    }
}

/// Everything in a tag that names another file.
fn links(tag: &Tag<'_>) -> Vec<(&'static str, String)> {
    ["href", "src", "data", "poster", "action", "xlink:href"]
        .into_iter()
        .filter_map(|name| Some((name, tag.attribute(name)?.value)))
        .collect()
}

fn ids(text: &str) -> BTreeSet<String> {
    markup::tags(text)
        .iter()
        .filter_map(|tag| Some(tag.attribute("id")?.value))
        .collect()
}

/// A link's path, and its query and anchor; none if it leads elsewhere.
fn split(link: &str) -> Option<(String, &str)> {
    let end = link.find(['?', '#']).unwrap_or(link.len());
    let (path, rest) = link.split_at(end);
    let is_elsewhere = path.starts_with('/')
        || path.split('/').next().is_some_and(|it| it.contains(':'));
    (!is_elsewhere).then(|| (decoded(path), rest))
}

/// Without `%20` and its like.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.as_bytes();
    while let Some((first, rest)) = left.split_first() {
        left = rest;
        let code = rest
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                left = &rest[2..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Without `.` and `..`; none if it leads out of everything.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            other => normal.push(other),
        }
    }
    Some(normal)
}

/// The way from a folder to a file, both without `..`.
fn relative(from: &Path, to: &Path) -> String {
    let same = from
        .components()
        .zip(to.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.components().skip(same).map(|_| "..".to_owned());
    let down = to
        .components()
        .skip(same)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// All files of a kind in a folder and those in it, in order.
fn files(folder: &Path, kind: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries: io::Result<Vec<_>> = fs::read_dir(&folder)
            .with_context(|| folder.display().to_string())?
            .collect();
        for entry in entries? {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == kind) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| file.display().to_string())
}
