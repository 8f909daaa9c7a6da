//! Look-ups in a database that gives few connections, and refuses more.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

#[cfg(feature = "tokio")]
use super::Running;
use super::{Source, forget};
use crate::arithmetic::mix;
use crate::{Answer, WorkError, WorkloadError};

/// A job looks a number up, on a connection of its own. How many jobs run at
/// once is a cap, which a pool keeps by its workers; how many start in a
/// second is a rate, which no number of workers keeps: with one, each job
/// waits for its turn before it connects.
pub(crate) struct CappedDb {
    server: Server,
    /// How many look-ups may start in a second, if that is limited.
    rate: Option<u32>,
    turns: Option<DefaultDirectRateLimiter>,
}

/// How many jobs there are.
const JOBS: usize = 100;

/// What is said to a client that is one too many, and to one that is early.
const BUSY: &str = "BUSY";
const EARLY: &str = "EARLY";

/// Longer than any answer takes, shorter than anybody waits.
const PATIENCE: Duration = Duration::from_secs(10);

impl CappedDb {
    /// How many connections the database gives.
    pub(crate) const CONNECTIONS: usize = 4;

    /// How many look-ups a second may be asked for.
    pub(crate) const RATES: std::ops::RangeInclusive<u32> = 1..=100_000;

    pub(crate) fn new(rate: Option<u32>) -> Result<Self, WorkloadError> {
        let server = Server::start(Self::CONNECTIONS, rate);
        let server = server.map_err(|error| {
            WorkloadError::new(format!(
                "cannot listen on {}: {error}",
                Ipv4Addr::LOCALHOST
            ))
        })?;
        // One after the other, so that no two start at once.
        let turns = rate.and_then(NonZeroU32::new).map(|rate| {
            let quota = Quota::per_second(rate).allow_burst(NonZeroU32::MIN);
            RateLimiter::direct(quota)
        });
        Ok(Self { server, rate, turns })
    }

    /// How long to wait for this job's turn; nothing if it has come.
    fn wait(&self) -> Option<Duration> {
        let turns = self.turns.as_ref()?;
        let early = turns.check().err()?;
        Some(early.wait_time_from(DefaultClock::default().now()))
    }

    fn look_up(&self, key: u64) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.server.address)?;
        forget(&stream);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request(key).as_bytes())?;
        let mut reply = String::new();
        stream.take(REPLY).read_to_string(&mut reply)?;
        Ok(reply)
    }

    #[cfg(feature = "tokio")]
    async fn look_up_async(&self, key: u64) -> io::Result<String> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let address = self.server.address;
        let talk = async {
            let stream = tokio::net::TcpStream::connect(address).await?;
            forget(&stream);
            let mut stream = stream;
            stream.write_all(request(key).as_bytes()).await?;
            let mut reply = String::new();
            stream.take(REPLY).read_to_string(&mut reply).await?;
            Ok(reply)
        };
        let ended = tokio::time::timeout(PATIENCE, talk).await;
        ended.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    fn answer(
        &self,
        index: u64,
        reply: io::Result<String>,
    ) -> Result<Answer, WorkError> {
        let reply = reply.map_err(|error| WorkError::network(&error))?;
        match reply.trim_end() {
            BUSY => Err(WorkError::refused("it gives 4 connections at once")),
            EARLY => Err(WorkError::refused("too many began in a second")),
            value => {
                let value = u64::from_str_radix(value, 16).map_err(|_| {
                    WorkError::network(&io::ErrorKind::InvalidData.into())
                })?;
                let digest = mix(index) ^ value;
                Ok(Answer { digest, bytes: 0 })
            }
        }
    }
}

/// Longer than any reply.
const REPLY: u64 = 64;

fn request(key: u64) -> String {
    format!("{key}\n")
}

/// What the database knows of a number.
fn value(key: u64) -> u64 {
    mix(!key)
}

/// The number that a job looks up. Some come again.
fn key(index: u64) -> u64 {
    mix(index) % 1000
}

impl Source for CappedDb {
    fn len(&self) -> usize {
        JOBS
    }

    fn most_workers(&self) -> Option<usize> {
        Some(Self::CONNECTIONS)
    }

    fn summary(&self, jobs: usize) -> String {
        let connections = Self::CONNECTIONS;
        let rate = self.rate.map(|rate| format!(", {rate} a second"));
        format!(
            "{jobs} look-ups in a database with {connections} connections{}",
            rate.unwrap_or_default()
        )
    }

    fn describe(&self, index: u64) -> String {
        format!("the look-up of {} (job {index})", key(index))
    }

    fn expected(&self, index: u64) -> Answer {
        let value = value(key(index));
        Answer { digest: mix(index) ^ value, bytes: 0 }
    }

    fn run(&self, index: u64) -> Result<Answer, WorkError> {
        while let Some(wait) = self.wait() {
            thread::sleep(wait);
        }
        self.answer(index, self.look_up(key(index)))
    }

    #[cfg(feature = "tokio")]
    fn run_async(&self, index: u64) -> Option<Running<'_>> {
        Some(Box::pin(async move {
            while let Some(wait) = self.wait() {
                tokio::time::sleep(wait).await;
            }
            let reply = self.look_up_async(key(index)).await;
            self.answer(index, reply)
        }))
    }
}

/// A database on the loopback interface, on a port that was free. It ends
/// when it is dropped.
struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    is_ended: AtomicBool,
    /// How many connections are taken.
    taken: AtomicUsize,
    most: usize,
    /// Who begins more often than that is early.
    rate: Option<DefaultDirectRateLimiter>,
}

/// How long a look-up takes there.
const SERVICE: Duration = Duration::from_millis(1);

impl Server {
    fn start(most: usize, rate: Option<u32>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let rate = rate.and_then(NonZeroU32::new).map(|rate| {
            // What was spaced evenly may have come together on the way.
            let burst = NonZeroU32::MIN.saturating_add(rate.get() / 10 + 1);
            RateLimiter::direct(Quota::per_second(rate).allow_burst(burst))
        });
        let shared = Arc::new(Shared {
            is_ended: AtomicBool::new(false),
            taken: AtomicUsize::new(0),
            most,
            rate,
        });
        let (given, taken) = channel();
        let taken = Arc::new(Mutex::new(taken));
        let mut threads = Vec::new();
        for _ in 0..most {
            let (shared, taken) = (Arc::clone(&shared), Arc::clone(&taken));
            threads.push(thread::spawn(move || shared.serve(&taken)));
        }
        let accepting = Arc::clone(&shared);
        threads
            .push(thread::spawn(move || accepting.accept(&listener, &given)));
        Ok(Self { address, shared, threads })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_ended.store(true, Ordering::SeqCst);
        // So that the one who accepts, the last of them, looks. It may take
        // a while until there is a file handle for it.
        while self.threads.last().is_some_and(|it| !it.is_finished()) {
            drop(TcpStream::connect(self.address));
            thread::sleep(SERVICE);
        }
        for thread in self.threads.drain(..) {
            // It has said what it had to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Gives connections away, and refuses those that are too many.
    fn accept(&self, listener: &TcpListener, given: &Sender<TcpStream>) {
        for stream in listener.incoming() {
            if self.is_ended.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else {
                // Too many files are open: there will be fewer.
                thread::sleep(SERVICE);
                continue;
            };
            if self.taken.load(Ordering::SeqCst) >= self.most {
                // To a client that has gone nothing need be said.
                let _ = refuse(stream, BUSY);
            } else if self.rate.as_ref().is_some_and(|it| it.check().is_err())
            {
                let _ = refuse(stream, EARLY);
            } else {
                self.taken.fetch_add(1, Ordering::SeqCst);
                // Somebody is there to take it until this ends.
                let _ = given.send(stream);
            }
        }
    }

    /// Answers on one connection after the other.
    fn serve(&self, taken: &Mutex<Receiver<TcpStream>>) {
        loop {
            let next = taken.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(stream) = next.recv() else { return };
            drop(next);
            let asked = read_key(&stream);
            thread::sleep(SERVICE);
            // Before the client knows: who has the answer may come again.
            self.taken.fetch_sub(1, Ordering::SeqCst);
            if let Ok(key) = asked {
                let reply = format!("{:016x}\n", value(key));
                let _ = (&stream).write_all(reply.as_bytes());
            }
        }
    }
}

fn refuse(stream: TcpStream, why: &str) -> io::Result<()> {
    // What is not read when a connection is closed takes the reply with it.
    read_key(&stream)?;
    (&stream).write_all(format!("{why}\n").as_bytes())
}

fn read_key(stream: &TcpStream) -> io::Result<u64> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut line = String::new();
    BufReader::new(stream.take(32)).read_line(&mut line)?;
    let key = line.trim_end().parse();
    key.map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    /// As many at once as asked for, each one job.
    fn at_once(db: &CappedDb, jobs: u64) -> Vec<Result<Answer, WorkError>> {
        let start = Barrier::new(jobs as usize);
        thread::scope(|scope| {
            let start = &start;
            let runs: Vec<_> = (0..jobs)
                .map(|index| {
                    scope.spawn(move || {
                        start.wait();
                        db.run(index)
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        })
    }

    #[test]
    fn four_at_once_are_served_and_of_many_some_are_refused() {
        let db = CappedDb::new(None).unwrap();
        for (index, answer) in (0..).zip(at_once(&db, 4)) {
            assert_eq!(answer, Ok(db.expected(index)));
        }
        let all = at_once(&db, 64);
        let refused = all.iter().filter(|it| it.is_err()).count();
        assert!((1..=60).contains(&refused), "{refused} of 64");
        let why = all.iter().find_map(|it| it.as_ref().err()).unwrap();
        assert_eq!(
            why.to_string(),
            "the server refused: it gives 4 connections at once"
        );
        // And those that came through have the right answer.
        for (index, answer) in (0..).zip(all) {
            assert!(answer.is_err() || answer == Ok(db.expected(index)));
        }
        // Nothing is left of it.
        assert_eq!(db.run(7), Ok(db.expected(7)));
    }

    #[test]
    fn a_cap_is_no_rate_and_who_keeps_the_rate_is_served() {
        // Four at once, one after the other, are far more than that a second.
        let greedy =
            CappedDb { turns: None, ..CappedDb::new(Some(20)).unwrap() };
        let early = (0..40).map(|index| greedy.run(index));
        let early = early.filter(|it| it.is_err()).count();
        assert!(early > 0);
        let patient = CappedDb::new(Some(200)).unwrap();
        let clock = std::time::Instant::now();
        for index in 0..20 {
            assert_eq!(patient.run(index), Ok(patient.expected(index)));
        }
        // The first at once, and each of the others 5 ms after the one before.
        assert!(clock.elapsed() >= Duration::from_millis(19 * 5 - 1));
    }

    #[test]
    fn a_client_that_says_nothing_or_nonsense_keeps_nobody() {
        let db = CappedDb::new(None).unwrap();
        let silent = TcpStream::connect(db.server.address).unwrap();
        let mut odd = TcpStream::connect(db.server.address).unwrap();
        odd.write_all(&[0xff; 100]).unwrap();
        let gone = TcpStream::connect(db.server.address).unwrap();
        drop(gone);
        assert_eq!(db.run(1), Ok(db.expected(1)));
        // It ends, though one is still connected.
        let clock = std::time::Instant::now();
        drop(db);
        assert!(clock.elapsed() < Duration::from_secs(30));
        drop(silent);
    }
}
