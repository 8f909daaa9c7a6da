//! Lists the files under a directory.

use std::collections::BTreeSet;
use std::fs::{self, File, FileType};
use std::io::Take;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::read::{FileError, FileReport, answer, open};
use crate::error::NO_HANDLE;
use crate::{Answer, WorkError, WorkloadError, line};

/// What lies under a directory, in order of path: one entry for each thing
/// that is not a directory, or is one that could not be listed.
///
/// A million files with paths of 50 bytes take 100 MB.
pub(crate) struct Files {
    root: PathBuf,
    paths: Vec<Box<Path>>,
    /// Which of them are ignore files that kept a directory from being
    /// listed. Rarely any.
    refused: BTreeSet<Box<Path>>,
}

impl Files {
    /// Walks the directory: hidden files and what ignore files say is left
    /// out, links are not followed, and nothing is opened but directories
    /// and ignore files.
    pub(crate) fn list(root: &Path) -> Result<Self, WorkloadError> {
        let parents = check(root)?;
        let found = Arc::new(Mutex::new(Found::default()));
        let refusing = Arc::clone(&found);
        // To the walk, a mere `-` means stdin.
        let stdin = root == Path::new("-");
        WalkBuilder::new(if stdin { Path::new("./-") } else { root })
            .parents(parents)
            // Outside of a repository, a `.gitignore` counts all the same.
            .require_git(false)
            // With its output sent to a file in here, the program would find
            // that file changed by itself.
            .skip_stdout(true)
            .filter_entry(move |entry| match hanging_ignore_file(entry) {
                None => true,
                Some(path) => {
                    lock(&refusing).refused.insert(path.into());
                    false
                }
            })
            .build_parallel()
            .run(|| {
                Box::new(|entry| {
                    lock(&found).add(entry, root);
                    WalkState::Continue
                })
            });
        let Found { mut paths, refused, regular, no_handle } =
            std::mem::take(&mut *lock(&found));
        if let Some(path) = no_handle {
            return Err(WorkloadError::new(format!(
                "cannot list `{}`: {NO_HANDLE}",
                line::path(&path)
            )));
        }
        if regular == 0 {
            return Err(WorkloadError::new(format!(
                "no file under `{}` (hidden and ignored ones do not count)",
                line::path(root)
            )));
        }
        paths.extend(refused.iter().cloned());
        paths.sort_unstable();
        paths.dedup();
        paths.shrink_to_fit();
        Ok(Self { root: root.into(), paths, refused })
    }

    /// Only those whose names end so, in whichever case.
    pub(crate) fn with_endings(mut self, endings: &[&str]) -> Self {
        self.paths.retain(|path| {
            let ending = path.extension().and_then(|it| it.to_str());
            ending.is_some_and(|ending| {
                endings.iter().any(|it| ending.eq_ignore_ascii_case(it))
            })
        });
        self
    }

    /// Opens the file that the job with that number reads.
    pub(crate) fn open(&self, index: u64) -> Result<Take<File>, FileError> {
        open(self.path(index))
    }

    /// The directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// How many entries.
    pub(crate) fn len(&self) -> usize {
        self.paths.len()
    }

    /// The path that the job with that number reads. After the last path
    /// comes the first again.
    pub(crate) fn path(&self, index: u64) -> &Path {
        &self.paths[index as usize % self.paths.len()]
    }

    /// What the job with that number finds.
    pub(crate) fn report(&self, index: u64) -> Result<FileReport, FileError> {
        let path = self.path(index);
        if self.refused.contains(path) {
            return Err(FileError::IgnoreFile);
        }
        FileReport::read(path)
    }

    /// What the job with that number answers.
    ///
    /// # Errors
    ///
    /// When the process had no handle left to find it out with.
    pub(crate) fn answer(&self, index: u64) -> Result<Answer, WorkError> {
        match &self.report(index) {
            Err(error) if error.is_no_handle() => Err(WorkError::no_handle()),
            report => Ok(answer(index, report)),
        }
    }
}

/// What the walking threads have found so far.
#[derive(Default)]
struct Found {
    paths: Vec<Box<Path>>,
    refused: BTreeSet<Box<Path>>,
    /// How many of the paths were regular files.
    regular: usize,
    /// A directory that could not be opened, since too much else was open.
    /// What is in it is not known, so there is no list.
    no_handle: Option<Box<Path>>,
}

impl Found {
    fn add(&mut self, entry: Result<DirEntry, ignore::Error>, root: &Path) {
        match entry {
            Ok(entry) => {
                let kind = entry.file_type();
                if kind.is_some_and(|kind| kind.is_dir()) {
                    return;
                }
                if kind.is_some_and(|kind| kind.is_file()) {
                    self.regular += 1;
                }
                self.paths.push(entry.into_path().into());
            }
            // Its job will meet the same error, and answer with it.
            Err(error) => {
                let path = path_of(&error).unwrap_or(root).into();
                let cause = error.into_io_error().map(FileError::from);
                match cause.is_some_and(|it| it.is_no_handle()) {
                    true => self.no_handle = Some(path),
                    false => self.paths.push(path),
                }
            }
        }
    }
}

fn lock(found: &Mutex<Found>) -> MutexGuard<'_, Found> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The path that an error of the walk is about.
fn path_of(error: &ignore::Error) -> Option<&Path> {
    use ignore::Error as E;
    match error {
        E::WithPath { path, .. } => Some(path),
        E::WithDepth { err, .. } | E::WithLineNumber { err, .. } => {
            path_of(err)
        }
        E::Partial(errors) => errors.iter().find_map(path_of),
        E::Loop { child, .. } => Some(child),
        _ => None,
    }
}

/// Checks the directory before the walk, which would say less about it.
///
/// True if the ignore files of the directories above are to be looked at as
/// well: those above a repository's root have no say in it, and without a
/// repository nothing above the input has.
fn check(root: &Path) -> Result<bool, WorkloadError> {
    let shown = line::path(root);
    let unreadable = |error| {
        WorkloadError::new(format!(
            "cannot read the input directory `{shown}`: {error}"
        ))
    };
    if !fs::metadata(root).map_err(unreadable)?.is_dir() {
        return Err(WorkloadError::new(format!(
            "the input `{shown}` is not a directory"
        )));
    }
    fs::read_dir(root).map_err(unreadable)?;
    let whole = root.canonicalize().map_err(unreadable)?;
    let is_repository = |path: &&Path| path.join(".git").exists();
    let parents = !is_repository(&&*whole)
        && whole.ancestors().any(|path| is_repository(&path));
    let looked_at =
        whole.ancestors().take(if parents { usize::MAX } else { 1 });
    match looked_at.into_iter().find_map(hanging_ignore_file_in) {
        None => Ok(parents),
        Some(path) => Err(WorkloadError::new(format!(
            "cannot use the ignore file `{}`: \
             allowed is a regular file of at most {}",
            line::path(&path),
            line::bytes(MOST_RULES)
        ))),
    }
}

/// The longest ignore file that is read. It is held in memory while it is
/// read, and its rules for as long as the walk is below it.
const MOST_RULES: u64 = 1_000_000;

/// The ignore file that would hold up the walk in this directory.
fn hanging_ignore_file(entry: &DirEntry) -> Option<PathBuf> {
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    is_dir.then(|| hanging_ignore_file_in(entry.path())).flatten()
}

/// The walk opens a directory's ignore files whatever they are: it would wait
/// for ever at a FIFO, and read `/dev/zero` for ever.
fn hanging_ignore_file_in(directory: &Path) -> Option<PathBuf> {
    const NAMES: [&str; 3] = [".gitignore", ".ignore", ".git/info/exclude"];
    NAMES.iter().map(|name| directory.join(name)).find(|path| {
        // What is not there, or not to be read, is passed over by the walk.
        fs::metadata(path).is_ok_and(|found| {
            is_special(found.file_type())
                || found.is_file() && found.len() > MOST_RULES
        })
    })
}

/// Neither file, directory nor link: a FIFO, socket or device.
fn is_special(kind: FileType) -> bool {
    !kind.is_file() && !kind.is_dir() && !kind.is_symlink()
}

#[cfg(all(test, unix))]
mod tests {
    use std::io;

    use super::*;

    /// As the walk gives it.
    fn error(code: i32) -> ignore::Error {
        let io = ignore::Error::Io(io::Error::from_raw_os_error(code));
        let path = PathBuf::from("root/sub");
        let err =
            Box::new(ignore::Error::WithPath { path, err: Box::new(io) });
        ignore::Error::WithDepth { depth: 1, err }
    }

    #[test]
    fn a_directory_that_may_not_be_listed_is_an_entry() {
        let mut found = Found::default();
        found.add(Err(error(libc::EACCES)), Path::new("root"));
        assert_eq!(found.paths, [Path::new("root/sub").into()]);
        assert_eq!(found.no_handle, None);
    }

    #[test]
    fn a_directory_for_which_no_handle_is_left_makes_the_list_worthless() {
        for code in [libc::EMFILE, libc::ENFILE] {
            let mut found = Found::default();
            found.add(Err(error(code)), Path::new("root"));
            assert!(found.paths.is_empty());
            assert_eq!(found.no_handle, Some(Path::new("root/sub").into()));
        }
    }
}
