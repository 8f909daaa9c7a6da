//! Mail to those who sign up: sent later, again if need be, and never twice.

mod sink;

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder, Retryable};

use self::sink::{Fate, Sink, TAKEN};
use super::{Running, Source, forget};
use crate::arithmetic::mix;
use crate::{Answer, WorkError, WorkloadError, WrongAnswer};

/// A job sends one mail to a sink on the loopback interface, which takes most
/// at once, some when it is asked again, and some never.
pub(crate) struct Signup {
    sink: Sink,
}

/// How many mails there are.
const MAILS: usize = 60;

/// Longer than the sink takes, shorter than anybody waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longer than any reply.
const REPLY: u64 = 16;

/// Why a mail was not taken.
#[derive(Debug)]
enum Failed {
    /// The sink did not say that it has it.
    Undelivered,
    /// It could not be asked.
    Unasked(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // It hung up.
            io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Undelivered,
            _ => Self::Unasked(error),
        }
    }
}

impl Signup {
    pub(crate) fn new() -> Result<Self, WorkloadError> {
        let sink = Sink::open(None).map_err(|error| {
            WorkloadError::new(format!("cannot listen on 127.0.0.1: {error}"))
        })?;
        Ok(Self { sink })
    }

    /// Four attempts, each after a longer pause.
    fn pauses() -> ExponentialBuilder {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(1))
            .with_max_times(3)
            .with_jitter()
    }

    fn send(&self, mail: u64) -> Result<(), Failed> {
        send(self.sink.address(), mail)
    }

    async fn send_async(&self, mail: u64) -> Result<(), Failed> {
        use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
        let address = self.sink.address();
        let talk = async {
            let mut stream = tokio::net::TcpStream::connect(address).await?;
            forget(&stream);
            stream.write_all(letter(mail).as_bytes()).await?;
            let mut reply = String::new();
            let mut stream = tokio::io::BufReader::new(stream.take(REPLY));
            stream.read_line(&mut reply).await?;
            understood(&reply)
        };
        let ended = tokio::time::timeout(PATIENCE, talk).await;
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        ended.unwrap_or_else(|_| Err(late().into()))
    }

    /// A mail that is given up is a dead letter: an answer, for it is known
    /// which ones these are.
    fn answer(
        mail: u64,
        sent: Result<(), Failed>,
    ) -> Result<Answer, WorkError> {
        match sent {
            Ok(()) => Ok(answer(mail, true)),
            Err(Failed::Undelivered) => Ok(answer(mail, false)),
            Err(Failed::Unasked(error)) => Err(WorkError::network(&error)),
        }
    }
}

/// Sends a mail, once.
fn send(sink: SocketAddr, mail: u64) -> Result<(), Failed> {
    let mut stream = TcpStream::connect(sink)?;
    forget(&stream);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(letter(mail).as_bytes())?;
    let mut reply = String::new();
    BufReader::new(stream.take(REPLY)).read_line(&mut reply)?;
    understood(&reply)
}

/// What the work `signup` sends its mails to, for jobs of other kinds: for
/// those that outlive their process.
///
/// It listens on the loopback interface until it is dropped. It takes most
/// mails at once, some when they come again, and some never; of some it hangs
/// up when it has them, before it says so. Those that it has it knows, by
/// their number, and does not take twice.
pub struct MailSink {
    sink: Sink,
}

/// What a [`MailSink`] saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailCounts {
    /// How many letters came to it.
    pub letters: u64,
    /// How many mails are there: in its mailbox, if it has one.
    pub mails: u64,
    /// How often a mail came that was there.
    pub again: u64,
}

/// That a mail was not taken, as far as its sender knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered(String);

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Undelivered {}

impl MailSink {
    /// Opens one. With a `mailbox`, a folder, the mails are kept there, a file
    /// each, and a sink that is opened on it later knows them.
    ///
    /// # Errors
    ///
    /// When it cannot listen, or there can be no such folder.
    pub fn open(mailbox: Option<&Path>) -> Result<Self, WorkloadError> {
        let sink = Sink::open(mailbox).map_err(|error| {
            WorkloadError::new(format!("cannot open a mail sink: {error}"))
        })?;
        Ok(Self { sink })
    }

    /// Sends it a mail, once, and waits for what it says.
    ///
    /// # Errors
    ///
    /// When it did not say that it has it. It may have it all the same.
    pub fn send(&self, mail: u64) -> Result<(), Undelivered> {
        send(self.sink.address(), mail).map_err(|failed| {
            Undelivered(match failed {
                Failed::Undelivered => {
                    format!("not acknowledged: user{mail}@example.org")
                }
                Failed::Unasked(error) => {
                    format!("the mail server cannot be asked: {error}")
                }
            })
        })
    }

    /// What it saw until now.
    pub fn counts(&self) -> MailCounts {
        let (letters, mails, again) = self.sink.counts();
        MailCounts { letters, mails, again }
    }
}

impl fmt::Debug for MailSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSink").finish_non_exhaustive()
    }
}

fn answer(mail: u64, is_sent: bool) -> Answer {
    Answer { digest: mix(mix(mail) ^ u64::from(is_sent)), bytes: 0 }
}

/// The number is the mail's own, so that the sink knows it again.
fn letter(mail: u64) -> String {
    format!("MAIL {mail} user{mail}@example.org\n")
}

fn understood(reply: &str) -> Result<(), Failed> {
    match reply.trim_end() {
        TAKEN => Ok(()),
        _ => Err(Failed::Undelivered),
    }
}

impl Source for Signup {
    fn len(&self) -> usize {
        MAILS
    }

    fn summary(&self, jobs: usize) -> String {
        let all = || (0..jobs as u64).map(Fate::of);
        let count = |fate| all().filter(|it| *it == fate).count();
        format!(
            "{jobs} mails to those who sign up, {} taken when sent again, {} \
             never",
            count(Fate::Later) + count(Fate::Unheard),
            count(Fate::Never)
        )
    }

    fn describe(&self, index: u64) -> String {
        format!("the mail to user{index}@example.org (job {index})")
    }

    fn begin(&self) {
        self.sink.empty();
    }

    fn end(&self, answered: &[u64]) -> Result<(), WrongAnswer> {
        let is_sent = |mail: &&u64| Fate::of(**mail) != Fate::Never;
        let sent: BTreeSet<u64> =
            answered.iter().filter(is_sent).copied().collect();
        let taken = self.sink.taken();
        let once: BTreeSet<u64> = taken.iter().copied().collect();
        if taken.len() > once.len() {
            return Err(WrongAnswer::new(format!(
                "{} mails came {} times, allowed is once each",
                once.len(),
                taken.len()
            )));
        }
        match sent.symmetric_difference(&once).next() {
            None => Ok(()),
            Some(mail) => Err(WrongAnswer::new(format!(
                "{} was {}",
                self.describe(*mail),
                if once.contains(mail) {
                    "taken, but the job does not know of it"
                } else {
                    "sent, but never came"
                }
            ))),
        }
    }

    fn expected(&self, index: u64) -> Answer {
        answer(index, Fate::of(index) != Fate::Never)
    }

    fn run(&self, index: u64) -> Result<Answer, WorkError> {
        let send = || self.send(index);
        let sent = send.retry(Self::pauses()).when(is_undelivered).call();
        Self::answer(index, sent)
    }

    fn run_async(&self, index: u64) -> Option<Running<'_>> {
        Some(Box::pin(async move {
            let send = || self.send_async(index);
            let sent = send.retry(Self::pauses()).when(is_undelivered).await;
            Self::answer(index, sent)
        }))
    }
}

fn is_undelivered(failed: &Failed) -> bool {
    matches!(failed, Failed::Undelivered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    }

    #[test]
    fn each_mail_meets_its_fate_on_both_faces_and_comes_once() {
        let signup = Signup::new().unwrap();
        let runtime = runtime();
        let mails: Vec<u64> = (0..50).collect();
        for is_async in [false, true] {
            signup.begin();
            for &mail in &mails {
                let sent = if is_async {
                    runtime.block_on(signup.run_async(mail).unwrap())
                } else {
                    signup.run(mail)
                };
                assert_eq!(sent, Ok(signup.expected(mail)));
            }
            signup.end(&mails).unwrap();
        }
        let fates: BTreeSet<Fate> =
            mails.iter().map(|mail| Fate::of(*mail)).collect();
        assert_eq!(fates.len(), 4, "every fate is there");
    }

    #[test]
    fn a_mail_too_many_or_too_few_is_found() {
        let signup = Signup::new().unwrap();
        signup.begin();
        for mail in [0, 1] {
            signup.run(mail).unwrap();
        }
        signup.end(&[0, 1]).unwrap();
        let error = signup.end(&[0]).unwrap_err().to_string();
        assert!(error.contains("(job 1) was taken, but"), "{error}");
        let error = signup.end(&[0, 1, 2]).unwrap_err().to_string();
        assert!(error.contains("(job 2) was sent, but"), "{error}");
        signup.sink.take_twice(1);
        let error = signup.end(&[0, 1]).unwrap_err().to_string();
        assert_eq!(error, "2 mails came 3 times, allowed is once each");
    }

    #[test]
    fn a_mailbox_outlives_its_sink_and_each_mail_is_in_it_once() {
        let dir = tempfile::tempdir().unwrap();
        let mailbox = dir.path().join("mails");
        let mails = || (0..50).filter(|it| Fate::of(*it) != Fate::Never);
        let unheard = || mails().filter(|it| Fate::of(*it) == Fate::Unheard);
        let sink = MailSink::open(Some(&mailbox)).unwrap();
        for mail in mails() {
            let is_taken = sink.send(mail).is_ok();
            assert_eq!(is_taken, Fate::of(mail) == Fate::Taken, "{mail}");
        }
        drop(sink);
        // It has never been asked, but knows what the other one took, and
        // whom it told to come again.
        let sink = MailSink::open(Some(&mailbox)).unwrap();
        for mail in mails() {
            sink.send(mail).unwrap();
        }
        let counts = sink.counts();
        assert_eq!(counts.mails, mails().count() as u64);
        let at_once = mails().filter(|it| Fate::of(*it) == Fate::Taken);
        let were_there = at_once.count() + unheard().count();
        assert_eq!(counts.again, were_there as u64);
        assert!(sink.send(11).is_err());
        assert_eq!(sink.counts().mails, counts.mails);
    }

    #[test]
    fn the_sink_ends_though_somebody_is_connected() {
        let signup = Signup::new().unwrap();
        let address = signup.sink.address();
        let silent = TcpStream::connect(address).unwrap();
        // Also in a task, as the last of the jobs may be.
        runtime().block_on(async { drop(signup) });
        assert!(TcpStream::connect(address).is_err());
        drop(silent);
    }
}
