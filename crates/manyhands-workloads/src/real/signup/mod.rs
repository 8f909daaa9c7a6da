//! Mail to those who sign up: sent later, again if need be, and never twice.

mod sink;

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
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
        let sink = Sink::open().map_err(|error| {
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
        let mut stream = TcpStream::connect(self.sink.address())?;
        forget(&stream);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(letter(mail).as_bytes())?;
        let mut reply = String::new();
        BufReader::new(stream.take(REPLY)).read_line(&mut reply)?;
        understood(&reply)
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
