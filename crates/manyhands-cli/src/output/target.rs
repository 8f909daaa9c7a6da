//! Where results go: to stdout, or into the file that `--output` names.
//!
//! A file gets its results whole or not at all. They are written to a
//! temporary file beside it, which takes its name once they are complete; so
//! whatever happens on the way, the name stands for what it stood for before.

use std::fmt::{self, Display};
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use tempfile::{NamedTempFile, TempPath};

use super::{legible, say};

/// Where results go.
#[derive(Debug)]
pub(crate) enum Target {
    Stdout,
    /// A FIFO or a device: written to as results come, since there is nothing
    /// that could take its name.
    Stream {
        file: File,
        shown: String,
    },
    /// A file, or the name for one.
    File {
        staged: NamedTempFile,
        path: PathBuf,
    },
}

impl Target {
    /// Finds out what the path is, and whether it can be written to: before
    /// there are results that would be lost. Waits for the reader of a FIFO.
    ///
    /// `-` is stdout, and so is every other name of what stdout is.
    ///
    /// # Errors
    ///
    /// One line, when it cannot: what the `option` is, and what is allowed.
    pub(crate) fn open(option: &str, path: &Path) -> Result<Self, String> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let shown = legible(&path.to_string_lossy());
        let refused = |why: &dyn Display| {
            format!(
                "{option} is {shown}, which {why}; allowed is a file that \
                 can be written"
            )
        };
        let cannot = |error: io::Error| refused(&Cannot(error));
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(refused(&"is a directory")),
            Ok(found) if is_stdout(&found) => Ok(Self::Stdout),
            Ok(found) if found.is_file() && !is_handle(path) => {
                File::options().write(true).open(path).map_err(cannot)?;
                // Through links, so that they stay links.
                let path = path.canonicalize().map_err(cannot)?;
                let staged = stage(&path).map_err(cannot)?;
                let file = staged.as_file();
                file.set_permissions(found.permissions()).map_err(cannot)?;
                Ok(Self::File { staged, path })
            }
            Ok(_) => {
                let file = File::options().append(true).open(path);
                Ok(Self::Stream { file: file.map_err(cannot)?, shown })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if path.is_symlink() {
                    return Err(refused(&"is a link to nowhere"));
                }
                let is_directory = shown.ends_with(std::path::is_separator);
                if is_directory || path.file_name().is_none() {
                    return Err(refused(&"is no name for a file"));
                }
                let staged = stage(path).map_err(cannot)?;
                Ok(Self::File { staged, path: path.into() })
            }
            Err(error) => Err(cannot(error)),
        }
    }

    /// Writes all that there is to be, and gives a file its name.
    pub(crate) fn fill(mut self, content: &str) -> anyhow::Result<()> {
        let shown = self.to_string();
        let filled =
            self.write(format_args!("{content}")).and_then(|()| match self {
                Self::File { staged, path } => keep(staged, &path),
                Self::Stdout | Self::Stream { .. } => Ok(()),
            });
        filled.with_context(|| format!("cannot write to {shown}"))
    }

    fn write(&mut self, what: fmt::Arguments<'_>) -> io::Result<()> {
        // Flushed by hand, since a drop would hide what went wrong.
        match self {
            Self::Stdout => write_all(&mut io::stdout().lock(), what),
            Self::Stream { file, .. } => write_all(file, what),
            Self::File { staged, .. } => write_all(staged.as_file_mut(), what),
        }
    }
}

/// As it is called in a message.
impl Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::Stream { shown, .. } => f.write_str(shown),
            Self::File { path, .. } => {
                f.write_str(&legible(&path.to_string_lossy()))
            }
        }
    }
}

/// From now on prints into the target, until the guard is gone.
pub(crate) fn redirect(target: Target) -> Redirected {
    *lock(&TARGET) = target;
    Redirected(())
}

/// Prints results.
pub(crate) fn print(results: impl Display) -> anyhow::Result<()> {
    let mut target = lock(&TARGET);
    let printed = target.write(format_args!("{results}"));
    printed.with_context(|| format!("cannot write to {target}"))
}

/// Prints a line of results as soon as it is known.
pub(crate) fn print_line(line: fmt::Arguments<'_>) -> anyhow::Result<()> {
    print(format_args!("{line}\n"))
}

/// Gives a file another content, whole or not at all. A link stays one, and
/// what it leads to is replaced.
pub(crate) fn replace(path: &Path, content: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let old = File::options().write(true).open(&path)?;
    let mut staged = stage(&path)?;
    staged.as_file().set_permissions(old.metadata()?.permissions())?;
    staged.write_all(content.as_bytes())?;
    keep(staged, &path)
}

/// Takes away what is not to be kept, for a program that ends at once.
pub(crate) fn discard() {
    for path in lock(&STAGED).drain(..) {
        // It is a temporary file. Who cannot remove it cannot be helped.
        let _ = fs::remove_file(path);
    }
}

/// Results go into a [`Target`] while it lives. Dropped without another word,
/// the file that was named stays as it was.
#[derive(Debug)]
#[must_use = "results go where they should only while it lives"]
pub(crate) struct Redirected(());

impl Redirected {
    /// Gives the results their name.
    pub(crate) fn keep(self) -> anyhow::Result<()> {
        let Target::File { staged, path } = take() else { return Ok(()) };
        let kept = keep(staged, &path);
        kept.with_context(|| {
            format!("cannot write to {}", legible(&path.to_string_lossy()))
        })
    }

    /// Prints on stdout what would have been kept: it is not whole, and under
    /// its name it could pass for a result that is.
    pub(crate) fn show_instead(self) -> anyhow::Result<()> {
        let Target::File { staged, path } = take() else { return Ok(()) };
        let mut staged = staged.into_file();
        let length = staged.stream_position()?;
        let path = legible(&path.to_string_lossy());
        if length == 0 {
            say(format_args!("interrupted: {path} is as it was"));
            return Ok(());
        }
        say(format_args!(
            "interrupted: {path} is as it was, what there is goes to stdout"
        ));
        staged.rewind()?;
        let mut stdout = io::stdout().lock();
        let copied = io::copy(&mut staged, &mut stdout);
        copied.and_then(|_| stdout.flush()).context("cannot write to stdout")
    }
}

impl Drop for Redirected {
    fn drop(&mut self) {
        drop(take());
    }
}

/// Where results go now.
static TARGET: Mutex<Target> = Mutex::new(Target::Stdout);

/// The temporary files that there may be. Apart from the target, which may be
/// locked for as long as the reader of a FIFO likes.
static STAGED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take() -> Target {
    std::mem::replace(&mut *lock(&TARGET), Target::Stdout)
}

/// A file beside that path, with a hidden name, so that a comparison of the
/// files in there does not see it.
fn stage(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".manyhands-").suffix(".tmp");
    // As any new file: the umask takes away what it must.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let staged = match path.parent() {
        Some(parent) if parent != Path::new("") => builder.tempfile_in(parent),
        _ => builder.tempfile_in("."),
    }?;
    lock(&STAGED).push(staged.path().to_owned());
    Ok(staged)
}

fn keep(staged: NamedTempFile, path: &Path) -> io::Result<()> {
    // Else a crash of the system could leave the name with nothing in it.
    staged.as_file().sync_all()?;
    let staged: TempPath = staged.into_temp_path();
    staged.persist(path).map_err(|error| error.error)
}

fn write_all(
    into: &mut impl Write,
    what: fmt::Arguments<'_>,
) -> io::Result<()> {
    let mut into = BufWriter::new(into);
    into.write_fmt(what)?;
    into.flush()
}

/// Whether it is what stdout is, under another name: `/dev/stdout`, or a file
/// that the shell has sent stdout to.
#[cfg(unix)]
fn is_stdout(found: &fs::Metadata) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let stdout = stdout.and_then(|handle| File::from(handle).metadata());
    stdout.is_ok_and(|stdout| {
        (stdout.dev(), stdout.ino()) == (found.dev(), found.ino())
    })
}

#[cfg(not(unix))]
fn is_stdout(_: &fs::Metadata) -> bool {
    false
}

/// Whether the path names an open handle, as `/dev/fd/3` does: what it stands
/// for is to be written to, and not to be replaced.
fn is_handle(path: &Path) -> bool {
    ["/dev/fd", "/dev/stderr", "/proc"].iter().any(|it| path.starts_with(it))
}

/// An error in a sentence.
struct Cannot(io::Error);

impl Display for Cannot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.0.to_string();
        // The name of the temporary file would say nothing to anybody.
        let cause = error.split(" at path ").next().unwrap_or_default();
        write!(f, "cannot be written ({cause})")
    }
}
