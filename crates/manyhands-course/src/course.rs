//! All pages, and what is to be made of them.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::document::{Block, Spliced, splice};
use crate::drawing::Drawing;
use crate::drawings::drawings;
use crate::listing::listing;
use crate::look::{self, Pages};
use crate::marker::{Kind, Marker};
use crate::output::{Runner, Shown};
use crate::stepper::steppers;
use crate::tables::TABLES;

/// A repository with a book.
#[derive(Debug)]
pub struct Course {
    root: PathBuf,
}

/// Whether commands are run whose outputs pages show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// What is there is left as it is.
    Kept,
    /// Each is run.
    Run,
}

/// Something about a page that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The page, from the root.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
    /// What is the matter.
    pub what: String,
}

/// What the files should be.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files that are not as they should be, with all that should be in them.
    pub files: Vec<(PathBuf, String)>,
    /// What is not as it would be made.
    pub differences: Vec<Finding>,
    /// What only running the commands would make.
    pub missing: Vec<Finding>,
    /// Commands that did not do what they should.
    pub failed: Vec<Finding>,
    /// How many blocks there are.
    pub blocks: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.to_string_lossy().replace('\\', "/");
        write!(f, "{file}:{}: {}", self.line, self.what)
    }
}

impl Course {
    /// That of the repository in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// All that is the matter: what is not as it would be made, links that
    /// lead nowhere, Rust that nobody compiles, and what is left over.
    ///
    /// # Errors
    ///
    /// As those of [`Course::plan`].
    pub fn check(
        &self,
        outputs: Outputs,
    ) -> Result<Vec<Finding>, Vec<Finding>> {
        let plan = self.plan(outputs)?;
        let cannot = |error: io::Error| {
            vec![finding("docs", 1, format!("cannot be read: {error}"))]
        };
        let read = |pages: Vec<PathBuf>| -> io::Result<Pages> {
            let text = |page: PathBuf| {
                let text = fs::read_to_string(self.root.join(&page))?;
                Ok((page, text))
            };
            pages.into_iter().map(text).collect()
        };
        let pages = self.pages().and_then(read).map_err(cannot)?;
        let mut linked = self.linked().and_then(read).map_err(cannot)?;
        linked.extend(pages.clone());
        let mut found = [
            plan.differences,
            plan.missing,
            plan.failed,
            look::links(&self.root, &linked),
            look::summary(&pages),
            look::untested(&self.root, &pages),
            self.left_over().map_err(cannot)?,
        ]
        .concat();
        found.sort();
        Ok(found)
    }

    /// The other pages whose links are looked at.
    fn linked(&self) -> io::Result<Vec<PathBuf>> {
        let mut pages = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let path = PathBuf::from(entry?.file_name());
            if path.extension().is_some_and(|it| it == "md") {
                pages.push(path);
            }
        }
        let crates = PathBuf::from("crates");
        if self.root.join(&crates).is_dir() {
            for entry in fs::read_dir(self.root.join(&crates))? {
                let page = crates.join(entry?.file_name()).join("README.md");
                if self.root.join(&page).exists() {
                    pages.push(page);
                }
            }
        }
        Ok(pages)
    }

    /// Pictures that nothing draws any more.
    fn left_over(&self) -> io::Result<Vec<Finding>> {
        let folder = PathBuf::from("docs/drawings");
        let mut found = Vec::new();
        if !self.root.join(&folder).is_dir() {
            return Ok(found);
        }
        let drawn: BTreeSet<PathBuf> =
            drawings().iter().map(|it| it.file().into()).collect();
        for entry in fs::read_dir(self.root.join(&folder))? {
            let name = entry?.file_name();
            let text = name.to_string_lossy();
            let is_ours =
                ["timeline-", "curve-"].iter().any(|it| text.starts_with(it));
            let file = folder.join(name);
            if is_ours && !drawn.contains(&file) {
                let what = "nothing draws it any more; delete it";
                found.push(finding(file, 1, what));
            }
        }
        Ok(found)
    }

    /// The pages of the book, and the repository's own, from the root.
    fn pages(&self) -> io::Result<Vec<PathBuf>> {
        let mut pages = Vec::new();
        let mut folders = vec![PathBuf::from("docs")];
        while let Some(folder) = folders.pop() {
            if !self.root.join(&folder).is_dir() {
                continue;
            }
            for entry in fs::read_dir(self.root.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "md") {
                    pages.push(path);
                }
            }
        }
        let readme = PathBuf::from("README.md");
        if self.root.join(&readme).exists() {
            pages.push(readme);
        }
        pages.sort();
        Ok(pages)
    }

    /// Makes everything anew, and changes nothing.
    ///
    /// # Errors
    ///
    /// Each page's first marker that cannot be obeyed, and why.
    pub fn plan(&self, outputs: Outputs) -> Result<Plan, Vec<Finding>> {
        let runner = match outputs {
            Outputs::Kept => None,
            Outputs::Run => Some(Runner::new(self.root.clone())),
        };
        let pages = self.pages().map_err(|error| {
            vec![finding("docs", 1, format!("cannot be read: {error}"))]
        })?;
        let (mut texts, mut refused) = (Vec::new(), Vec::new());
        for page in pages {
            match fs::read_to_string(self.root.join(&page)) {
                Ok(text) => texts.push((page, text)),
                Err(error) => refused.push(finding(
                    page,
                    1,
                    format!("cannot be read: {error}"),
                )),
            }
        }
        let steppers = steppers(&wanted(&texts));
        let mut maker =
            Maker { root: &self.root, runner, steppers, drawings: drawings() };
        let mut plan = Plan::default();
        for (page, text) in texts {
            let folder = page.parent().unwrap_or(Path::new(""));
            let spliced = splice(&text, &mut |marker, old| {
                maker.block(folder, marker, old)
            });
            match spliced {
                Ok(spliced) => plan.add(page, &text, spliced),
                Err((line, why)) => refused.push(finding(page, line, why)),
            }
        }
        for drawing in &maker.drawings {
            let (file, svg) = (drawing.file(), drawing.svg());
            if fs::read_to_string(self.root.join(&file)).ok().as_ref()
                != Some(&svg)
            {
                let what = "it is not what would be drawn; \
                            `cargo course make` mends it";
                plan.differences.push(finding(&file, 1, what));
                plan.files.push((file.into(), svg));
            }
        }
        match refused.is_empty() {
            true => Ok(plan),
            false => Err(refused),
        }
    }

    /// Writes what is not as it should be: each file whole, or not at all.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn write(&self, plan: &Plan) -> Result<(), String> {
        for (file, text) in &plan.files {
            let path = self.root.join(file);
            replace(&path, text).map_err(|error| {
                format!("{}: cannot be written: {error}", file.display())
            })?;
        }
        Ok(())
    }
}

/// The steppers that pages ask for.
fn wanted(texts: &[(PathBuf, String)]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in texts {
        // What is wrong with a page is found when it is made.
        let _ = splice(text, &mut |marker, _| {
            if marker.kind == Kind::Stepper {
                names.insert(marker.asked.clone());
            }
            Ok(Block::Same)
        });
    }
    names
}

/// Makes blocks.
struct Maker<'a> {
    root: &'a Path,
    /// Where there is none, outputs stay as they are.
    runner: Option<Runner>,
    steppers: HashMap<String, Result<String, String>>,
    drawings: Vec<Drawing>,
}

impl Maker<'_> {
    fn block(
        &mut self,
        folder: &Path,
        marker: &Marker,
        old: &str,
    ) -> Result<Block, String> {
        let asked = &marker.asked;
        match marker.kind {
            Kind::Listing => listing(self.root, folder, asked).map(Block::New),
            Kind::Sim => self.sim(folder, asked).map(Block::New),
            Kind::Stepper => match self.steppers.get(asked) {
                Some(made) => made.clone().map(Block::New),
                None => Err(format!("{asked} was not played")),
            },
            Kind::Output => {
                let shown = Shown::parse(asked)?;
                let is_there = !old.trim().is_empty();
                let Some(runner) = &mut self.runner else {
                    return Ok(match is_there {
                        true => Block::New(shown.under_its_command(old)),
                        false => Block::Missing,
                    });
                };
                let block = match runner.block(&shown, asked) {
                    Ok(block) => block,
                    Err(why) => {
                        return Ok(Block::Failed(format!("`{asked}`: {why}")));
                    }
                };
                Ok(match shown.varies && is_there {
                    true => Block::New(shown.under_its_command(old)),
                    false => Block::New(block),
                })
            }
        }
    }

    fn sim(&self, folder: &Path, asked: &str) -> Result<String, String> {
        if let Some(drawing) = self.drawings.iter().find(|it| it.name == asked)
        {
            return Ok(drawing.block(&to_drawings(folder)));
        }
        if let Some(table) = TABLES.iter().find(|it| it.name == asked) {
            return Ok((table.make)());
        }
        let drawings = self.drawings.iter().map(|it| it.name);
        let tables = TABLES.iter().map(|it| it.name);
        let names: Vec<_> = tables.chain(drawings).collect();
        Err(format!(
            "nothing is simulated as {asked}, allowed is {}",
            names.join(", ")
        ))
    }
}

/// The way from a folder to that of the drawings.
fn to_drawings(folder: &Path) -> String {
    match folder.strip_prefix("docs") {
        Ok(below) => "../".repeat(below.components().count()) + "drawings/",
        Err(_) => "docs/drawings/".to_owned(),
    }
}

impl Plan {
    fn add(&mut self, page: PathBuf, old: &str, spliced: Spliced) {
        self.blocks += spliced.blocks;
        for (line, marker) in spliced.changed {
            let make = make_word(marker.kind);
            let what = format!(
                "the {marker} is not what it would be now; `{make}` mends it"
            );
            self.differences.push(finding(&page, line, what));
        }
        for (line, marker) in spliced.missing {
            let make = make_word(marker.kind);
            let what =
                format!("the {marker} was never made; `{make}` mends it");
            self.missing.push(finding(&page, line, what));
        }
        for (line, why) in spliced.failed {
            self.failed.push(finding(&page, line, why));
        }
        if spliced.text != old {
            self.files.push((page, spliced.text));
        }
    }
}

fn make_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Output => "cargo course make --outputs",
        Kind::Listing | Kind::Sim | Kind::Stepper => "cargo course make",
    }
}

pub(crate) fn finding(
    file: impl Into<PathBuf>,
    line: usize,
    what: impl Into<String>,
) -> Finding {
    Finding { file: file.into(), line, what: what.into() }
}

/// Beside the file first, so that nobody sees a half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&new, text)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_names_what_is_simulated() {
        let readme = include_str!("../README.md");
        let (_, rest) = readme.split_once("## What is simulated").unwrap();
        let named: BTreeSet<_> = rest
            .lines()
            .filter_map(|row| row.strip_prefix("| `")?.split('`').next())
            .collect();
        let drawings = drawings();
        let there = drawings.iter().map(|it| it.name);
        let there = there.chain(TABLES.iter().map(|it| it.name));
        assert_eq!(there.collect::<BTreeSet<_>>(), named);
    }
}
