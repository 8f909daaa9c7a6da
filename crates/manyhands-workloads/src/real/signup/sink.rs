//! What mail is sent to.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::forget;
use crate::served::Served;

/// What is said when it has the mail, and when it has not.
pub(super) const TAKEN: &str = "250";
const BUSY: &str = "451";

/// How long it takes to say so.
const SERVICE: Duration = Duration::from_millis(1);

/// Longer than any letter.
const LETTER: u64 = 80;

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// It is taken at once.
    Taken,
    /// It is taken when it comes again.
    Later,
    /// It is taken, but the sink hangs up before it says so.
    Unheard,
    /// It is never taken.
    Never,
}

impl Fate {
    pub(super) fn of(mail: u64) -> Self {
        match mail % 50 {
            3 | 13 | 23 | 33 | 43 => Self::Later,
            7 | 27 => Self::Unheard,
            11 => Self::Never,
            _ => Self::Taken,
        }
    }
}

/// It ends when it is dropped.
pub(super) struct Sink {
    desk: Arc<Mutex<Desk>>,
    served: Served,
}

#[derive(Default)]
struct Desk {
    /// How often each mail came.
    attempts: HashMap<u64, u32>,
    /// Those that were taken, in that order.
    taken: Vec<u64>,
    /// The same, to be found in.
    has: HashSet<u64>,
    /// How often one came that was there.
    again: u64,
    /// What outlives the sink.
    mailbox: Option<Mailbox>,
}

/// A folder with a file for each mail: so a sink knows what one before it
/// took, in another process too, as a mail server does.
struct Mailbox(PathBuf);

impl Mailbox {
    /// Puts the mail there. False if it is there.
    fn put(&self, mail: u64, letter: &str) -> io::Result<bool> {
        use io::Write;
        match File::create_new(self.0.join(format!("{mail}.eml"))) {
            Ok(mut file) => file.write_all(letter.as_bytes()).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn has(&self, mail: u64) -> bool {
        self.0.join(format!("{mail}.eml")).exists()
    }

    /// True the first time that it is asked about the mail.
    fn is_first(&self, mail: u64) -> bool {
        File::create_new(self.0.join(format!("{mail}.later"))).is_ok()
    }

    fn mails(&self) -> u64 {
        let Ok(entries) = fs::read_dir(&self.0) else { return 0 };
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        let mails =
            names.filter(|name| name.to_string_lossy().ends_with(".eml"));
        mails.count() as u64
    }
}

impl Sink {
    /// With a folder, what it takes is kept there.
    pub(super) fn open(mailbox: Option<&Path>) -> io::Result<Self> {
        if let Some(folder) = mailbox {
            fs::create_dir_all(folder)?;
        }
        let mailbox = mailbox.map(|folder| Mailbox(folder.to_owned()));
        let desk = Desk { mailbox, ..Desk::default() };
        let desk = Arc::new(Mutex::new(desk));
        let taking = Arc::clone(&desk);
        let served =
            Served::start("sink", |listener| accept(listener, taking))?;
        Ok(Self { desk, served })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.served.address()
    }

    /// Forgets what came.
    pub(super) fn empty(&self) {
        *lock(&self.desk) = Desk::default();
    }

    pub(super) fn taken(&self) -> Vec<u64> {
        lock(&self.desk).taken.clone()
    }

    /// How many letters came, how many mails there are, and how often one
    /// came that was there.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let desk = lock(&self.desk);
        let letters = desk.attempts.values().copied().map(u64::from).sum();
        let mails = match &desk.mailbox {
            Some(mailbox) => mailbox.mails(),
            None => desk.taken.len() as u64,
        };
        (letters, mails, desk.again)
    }

    #[cfg(test)]
    pub(super) fn take_twice(&self, mail: u64) {
        lock(&self.desk).taken.push(mail);
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, desk: Arc<Mutex<Desk>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open: there will be fewer.
            tokio::time::sleep(SERVICE).await;
            continue;
        };
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            // A client that has gone wants to hear nothing.
            let _ = talk(stream, &desk).await;
        });
    }
}

async fn talk(mut stream: TcpStream, desk: &Mutex<Desk>) -> io::Result<()> {
    forget(&stream);
    let mut letter = String::new();
    let mut reader = BufReader::new((&mut stream).take(LETTER));
    reader.read_line(&mut letter).await?;
    tokio::time::sleep(SERVICE).await;
    let reply = lock(desk).reply(&letter);
    if let Some(reply) = reply {
        stream.write_all(format!("{reply}\n").as_bytes()).await?;
        // Until the client has read it and hung up: a connection that is
        // closed without a goodbye takes with it what was not read.
        stream.read_u8().await.map(drop)?;
    }
    Ok(())
}

impl Desk {
    /// What is said to a letter; nothing to one that is none.
    fn reply(&mut self, letter: &str) -> Option<&'static str> {
        let mail = letter.strip_prefix("MAIL ")?.split(' ').next()?;
        let mail: u64 = mail.parse().ok()?;
        let attempts = self.attempts.entry(mail).or_default();
        *attempts += 1;
        let is_first = *attempts == 1 && !self.has(mail);
        match Fate::of(mail) {
            Fate::Never => return Some(BUSY),
            Fate::Later if is_first && self.is_first(mail) => {
                return Some(BUSY);
            }
            Fate::Unheard if is_first => {
                let _ = self.take(mail, letter);
                return None;
            }
            _ => {}
        }
        match self.take(mail, letter) {
            Ok(()) => Some(TAKEN),
            Err(_) => Some(BUSY),
        }
    }

    fn has(&self, mail: u64) -> bool {
        self.has.contains(&mail)
            || self.mailbox.as_ref().is_some_and(|it| it.has(mail))
    }

    /// No sink before this one was asked either.
    fn is_first(&self, mail: u64) -> bool {
        self.mailbox.as_ref().is_none_or(|it| it.is_first(mail))
    }

    /// It knows those that it has, by their number.
    fn take(&mut self, mail: u64, letter: &str) -> io::Result<()> {
        let is_new = !self.has.contains(&mail)
            && match &self.mailbox {
                Some(mailbox) => mailbox.put(mail, letter)?,
                None => true,
            };
        self.has.insert(mail);
        match is_new {
            true => self.taken.push(mail),
            false => self.again += 1,
        }
        Ok(())
    }
}
