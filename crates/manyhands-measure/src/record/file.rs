//! A file that is written once.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::legible;

/// The name of a file that is not there yet, and gets its content at once: it
/// is written under a temporary name beside it, and takes its own when it is
/// complete. A file that is there is never replaced.
#[derive(Clone, Debug)]
pub struct NewFile(PathBuf);

impl NewFile {
    /// Finds out whether there can be such a file: before there is anything
    /// that would be lost.
    ///
    /// # Errors
    ///
    /// One line, when it cannot.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self, String> {
        let file = Self(path.into());
        if file.0.file_name().is_none() {
            return Err(file.refused(&"is no name for a file"));
        }
        // A link to nowhere too.
        if file.0.symlink_metadata().is_ok() {
            return Err(file.refused(&"exists"));
        }
        // And gone again.
        drop(file.stage()?);
        Ok(file)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// One line, when it cannot be written, or is there meanwhile; then
    /// nothing of it is left.
    pub fn write(&self, content: &str) -> Result<(), String> {
        let mut staged = self.stage()?;
        let written = staged.write_all(content.as_bytes());
        // Else a crash of the system could leave the name with nothing in it.
        let written = written.and_then(|()| staged.as_file().sync_all());
        written.map_err(|error| self.cannot(&error))?;
        match staged.persist_noclobber(&self.0) {
            Ok(_) => Ok(()),
            Err(kept) => match kept.error.kind() {
                io::ErrorKind::AlreadyExists => Err(self.refused(&"exists")),
                _ => Err(self.cannot(&kept.error)),
            },
        }
    }

    fn stage(&self) -> Result<NamedTempFile, String> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".manyhands-").suffix(".tmp");
        // As any new file: the umask takes away what it must.
        #[cfg(unix)]
        builder
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let staged = match self.0.parent() {
            Some(parent) if parent != Path::new("") => {
                builder.tempfile_in(parent)
            }
            _ => builder.tempfile_in("."),
        };
        staged.map_err(|error| self.cannot(&error))
    }

    fn cannot(&self, error: &io::Error) -> String {
        let error = error.to_string();
        // The name of the temporary file would say nothing to anybody.
        let cause = error.split(" at path ").next().unwrap_or_default();
        self.refused(&format_args!("cannot be written ({cause})"))
    }

    fn refused(&self, why: &dyn Display) -> String {
        let path = legible(&self.0.to_string_lossy());
        format!("the record is {path}, which {why}; allowed is a new file")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_new_file_is_there_whole_and_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let file = NewFile::at(&path).unwrap();
        assert!(!path.exists());
        file.write("one\ntwo\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_there_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let meanwhile = NewFile::at(&path).unwrap();
        fs::write(&path, "mine").unwrap();
        for refused in
            [NewFile::at(&path).map(drop), meanwhile.write("theirs")]
        {
            let refused = refused.unwrap_err();
            assert!(refused.contains("a.csv, which exists; allowed is a new"));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_that_no_file_can_have_is_refused_in_a_line() {
        let dir = tempfile::tempdir().unwrap();
        for (path, why) in [
            (dir.path().join("no\nfolder/a"), "cannot be written ("),
            (dir.path().to_owned(), "exists"),
            (PathBuf::from(""), "is no name for a file"),
        ] {
            let refused = NewFile::at(path).unwrap_err();
            assert!(refused.contains(why), "{refused}");
            assert!(!refused.contains('\n'), "{refused}");
        }
    }
}
