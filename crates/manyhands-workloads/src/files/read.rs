//! Reads one file, whatever it turns out to be.

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Take};
use std::path::Path;

use crate::Answer;
use crate::arithmetic::{first_word, mix};
use crate::error::is_no_handle;

/// What one file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The BLAKE3 hash of the content.
    pub digest: [u8; 32],
    /// How many newlines there are: an unfinished last line does not count.
    pub lines: u64,
    /// How many words: runs of bytes that are not ASCII white space (space,
    /// tab, newline, vertical tab, form feed, carriage return), as `wc -w`
    /// counts them in the C locale.
    pub words: u64,
    /// How many bytes were read.
    pub bytes: u64,
}

impl FileReport {
    /// Reads a file.
    ///
    /// Opens nothing but regular files, and follows no link at the path's
    /// end. Takes 64 KiB of stack, however long the file or its lines are.
    /// Reads as far as the file reached when it was opened, so that a file
    /// that keeps growing has an end; files that give their length as 0, as
    /// those under `/proc` do, are empty to it.
    ///
    /// # Errors
    ///
    /// [`FileError`] if there is no regular file, or it cannot be read.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        /// Large enough that a system call costs little beside the hashing,
        /// small enough for a core's own cache. On the stack, since a pattern
        /// with a thread a job would pay for a buffer kept by each thread,
        /// and clearing it takes one part in twenty of a small file's time.
        const BUFFER: usize = 64 << 10;
        Ok(measure(open(path)?, &mut [0; BUFFER])?)
    }
}

/// Why a file could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileError {
    /// There is nothing at that path; there was when the directory was
    /// listed.
    Gone,
    /// A symbolic link, wherever it points to. Links are not followed.
    Link,
    /// A FIFO, a socket or a device. These are not opened: that may wait for
    /// ever, or do something.
    Special,
    /// A directory.
    Directory,
    /// A directory that was not listed, since what says which of its files
    /// to ignore is not a regular file of a sensible size.
    IgnoreFile,
    /// The system's own error.
    System {
        /// Which kind.
        kind: ErrorKind,
        /// The system's number for it.
        code: Option<i32>,
    },
}

impl FileError {
    /// True if it says nothing of the file: the process, or the system, has
    /// as many files open as it may.
    pub(crate) fn is_no_handle(&self) -> bool {
        match self {
            Self::System { code, .. } => is_no_handle(*code),
            _ => false,
        }
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Gone,
            kind => Self::System { kind, code: error.raw_os_error() },
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("vanished since it was listed"),
            Self::Link => f.write_str("a symbolic link, not followed"),
            Self::Special => {
                f.write_str("a FIFO, socket or device, not opened")
            }
            Self::Directory => f.write_str("a directory, not a file"),
            Self::IgnoreFile => f.write_str(
                "not usable as ignore file, so its directory was not listed",
            ),
            Self::System { code: Some(code), .. } => {
                io::Error::from_raw_os_error(*code).fmt(f)
            }
            Self::System { kind, code: None } => kind.fmt(f),
        }
    }
}

impl std::error::Error for FileError {}

/// What the job with that number answers, if this is what it read.
pub(crate) fn answer(
    index: u64,
    report: &Result<FileReport, FileError>,
) -> Answer {
    let (hash, counts) = match report {
        Ok(FileReport { digest, lines, words, bytes }) => {
            (*digest, [*lines, *words, *bytes])
        }
        Err(error) => {
            let line = format!("unread: {error}");
            (*blake3::hash(line.as_bytes()).as_bytes(), [0; 3])
        }
    };
    let [lines, words, bytes] = counts;
    let parts = [first_word(&hash), lines, words, bytes];
    let digest = parts.iter().fold(index, |sum, part| mix(sum) ^ part);
    Answer { digest, bytes }
}

/// Opens a regular file, to be read up to where it ends now.
pub(super) fn open(path: &Path) -> Result<Take<File>, FileError> {
    regular(&fs::symlink_metadata(path)?, path)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // Between the look and the opening the file may have been replaced: by a
    // FIFO, whose opening would wait for a writer, or by a link.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY,
    );
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata, path)?;
    Ok(file.take(metadata.len()))
}

fn regular(metadata: &Metadata, path: &Path) -> Result<(), FileError> {
    let kind = metadata.file_type();
    if kind.is_file() {
        Ok(())
    } else if kind.is_symlink() {
        Err(FileError::Link)
    } else if kind.is_dir() {
        // A directory is in the list if it could not be read: why not?
        Err(fs::read_dir(path)
            .map_or_else(FileError::from, |_| FileError::Directory))
    } else {
        Err(FileError::Special)
    }
}

fn measure(mut input: impl Read, buffer: &mut [u8]) -> io::Result<FileReport> {
    let mut hasher = blake3::Hasher::new();
    let mut counts = Counts::default();
    loop {
        match input.read(buffer) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(&buffer[..length]);
                counts.add(&buffer[..length]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let Counts { lines, words, bytes, .. } = counts;
    Ok(FileReport {
        digest: *hasher.finalize().as_bytes(),
        lines,
        words,
        bytes,
    })
}

/// Counts over pieces of a text, cut anywhere.
#[derive(Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
    /// The last byte so far belongs to a word, which may go on.
    in_word: bool,
}

impl Counts {
    fn add(&mut self, text: &[u8]) {
        // So many that each count within fits a byte: the compiler then makes
        // vector code that is ten times as fast.
        for piece in text.chunks(255) {
            self.add_piece(piece);
        }
    }

    fn add_piece(&mut self, piece: &[u8]) {
        let [first, rest @ ..] = piece else { return };
        let newlines: u8 = piece.iter().map(|&b| u8::from(b == b'\n')).sum();
        // A word starts where white space ends.
        let starts: u8 = piece
            .iter()
            .zip(rest)
            .map(|(&a, &b)| u8::from(is_space(a) & !is_space(b)))
            .sum();
        let starts_here = !self.in_word & !is_space(*first);
        self.lines += u64::from(newlines);
        self.words += u64::from(starts) + u64::from(starts_here);
        self.bytes += piece.len() as u64;
        self.in_word = !is_space(*rest.last().unwrap_or(first));
    }
}

/// What C's `isspace` holds for white space. Rust's `is_ascii_whitespace`
/// leaves out the vertical tab.
fn is_space(byte: u8) -> bool {
    byte == b' ' || (b'\t'..=b'\r').contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pieces: &[&[u8]]) -> (u64, u64, u64) {
        let mut counts = Counts::default();
        pieces.iter().for_each(|piece| counts.add(piece));
        (counts.lines, counts.words, counts.bytes)
    }

    #[test]
    fn where_a_text_is_cut_does_not_change_its_counts() {
        let text = b" one\ntwo  three\n\n\tfour five\x0b";
        let whole = counts(&[text]);
        assert_eq!(whole, (3, 5, text.len() as u64));
        for cut in 0..=text.len() {
            let (start, rest) = text.split_at(cut);
            assert_eq!(counts(&[start, rest]), whole, "cut at {cut}");
            for cut in 0..=rest.len() {
                let (middle, end) = rest.split_at(cut);
                assert_eq!(counts(&[start, middle, b"", end]), whole);
            }
        }
    }

    #[test]
    fn many_newlines_and_words_in_a_row_are_all_counted() {
        assert_eq!(counts(&[&[b'\n'; 1000]]), (1000, 0, 1000));
        assert_eq!(counts(&[&b"x ".repeat(1000)]), (0, 1000, 2000));
    }

    #[test]
    fn a_file_that_grows_is_read_to_where_it_ended_when_opened() {
        use std::io::Write;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::write(&path, "one line\n").unwrap();
        let input = open(&path).unwrap();
        let mut log = File::options().append(true).open(&path).unwrap();
        log.write_all(b"another line\n").unwrap();
        let report = measure(input, &mut [0; 4]).unwrap();
        assert_eq!((report.lines, report.words, report.bytes), (1, 2, 9));
    }

    #[test]
    fn a_read_that_is_interrupted_is_repeated() {
        struct Signalled(bool, &'static [u8]);
        impl Read for Signalled {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 = !self.0;
                match self.0 {
                    true => Err(ErrorKind::Interrupted.into()),
                    false => self.1.read(buffer),
                }
            }
        }
        let input = Signalled(false, b"one two\n");
        assert_eq!(measure(input, &mut [0; 3]).unwrap().words, 2);
    }

    #[test]
    fn a_read_that_fails_midway_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(5))
            }
        }
        let input = (&b"text"[..]).chain(Broken);
        let error = measure(input, &mut [0; 64]).unwrap_err();
        let error = FileError::from(error);
        assert!(matches!(error, FileError::System { code: Some(5), .. }));
        assert!(error.to_string().ends_with("(os error 5)"));
    }

    #[test]
    fn every_outcome_of_a_file_has_an_answer_of_its_own() {
        let report =
            FileReport { digest: [7; 32], lines: 1, words: 2, bytes: 3 };
        let denied = io::Error::from(ErrorKind::PermissionDenied);
        let outcomes = [
            Ok(report),
            Ok(FileReport { digest: [8; 32], ..report }),
            Ok(FileReport { lines: 2, ..report }),
            Ok(FileReport { words: 1, ..report }),
            Ok(FileReport { bytes: 4, ..report }),
            Err(FileError::Gone),
            Err(FileError::Link),
            Err(FileError::Special),
            Err(FileError::Directory),
            Err(FileError::IgnoreFile),
            Err(denied.into()),
        ];
        let mut digests = outcomes.map(|outcome| answer(0, &outcome).digest);
        digests.sort_unstable();
        assert!(digests.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(answer(0, &outcomes[0]).bytes, 3);
        assert_eq!(answer(0, &outcomes[5]).bytes, 0);
        // And so has the same outcome of another job.
        assert_ne!(answer(0, &outcomes[0]), answer(1, &outcomes[0]));
    }
}
