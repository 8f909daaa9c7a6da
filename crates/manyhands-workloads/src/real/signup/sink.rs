//! What mail is sent to.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
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
}

impl Sink {
    pub(super) fn open() -> io::Result<Self> {
        let desk = Arc::default();
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
        let is_first = *attempts == 1;
        match Fate::of(mail) {
            Fate::Never => return Some(BUSY),
            Fate::Later if is_first => return Some(BUSY),
            Fate::Unheard if is_first => {
                self.taken.push(mail);
                return None;
            }
            _ => {}
        }
        // It knows those that it has.
        if !self.taken.contains(&mail) {
            self.taken.push(mail);
        }
        Some(TAKEN)
    }
}
