//! A way to a server that can be cut when it hurts: right after a commit was
//! passed on, and before its answer; and on which wake-ups can be lost.

use std::collections::HashSet;
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use fastrand::Rng;

/// Passes on what comes, until it is told to cut.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

/// What was done to those who came this way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Harm {
    /// Submissions that were committed while connections were cut.
    pub(crate) submissions: u64,
    /// Of these, how many the server did, and nobody was told.
    pub(crate) unanswered: u64,
    /// Connections cut after other commits.
    pub(crate) others: u64,
}

#[derive(Debug)]
struct State {
    /// The server.
    port: u16,
    cuts: AtomicBool,
    harm: Mutex<Harm>,
    deafens: AtomicBool,
    /// Wake-ups that were lost.
    lost: AtomicU64,
    seed: u64,
}

impl State {
    fn harm(&self, change: impl FnOnce(&mut Harm)) {
        change(&mut self.harm.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Proxy {
    /// Before the server at `port`. Which it cuts is drawn from `seed`.
    pub(crate) fn new(port: u16, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let own = listener.local_addr()?.port();
        let state = Arc::new(State {
            port,
            cuts: AtomicBool::new(false),
            harm: Mutex::default(),
            deafens: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            seed,
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for (number, client) in listener.incoming().flatten().enumerate() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _ = pass(&state, client, number as u64);
                });
            }
        });
        Ok(Self { port: own, state })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn cut(&self, cuts: bool) {
        self.state.cuts.store(cuts, Ordering::SeqCst);
    }

    pub(crate) fn harm(&self) -> Harm {
        let harm = &self.state.harm;
        *harm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on no notification is passed on; or all are again.
    pub(crate) fn deafen(&self, deafens: bool) {
        self.state.deafens.store(deafens, Ordering::SeqCst);
    }

    /// How many notifications were not passed on.
    pub(crate) fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::SeqCst)
    }
}

/// What a client asks first if it would like TLS.
const TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Both ways, until either ends.
fn pass(state: &Arc<State>, mut client: TcpStream, number: u64) -> Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", state.port))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // The first message has no name.
    let mut first = [0; 8];
    client.read_exact(&mut first)?;
    if first == TLS {
        client.write_all(b"N")?;
        client.read_exact(&mut first)?;
    }
    let length = u32::from_be_bytes([first[0], first[1], first[2], first[3]]);
    let mut rest = vec![0; (length as usize).saturating_sub(8)];
    client.read_exact(&mut rest)?;
    server.write_all(&[&first[..], &rest].concat())?;

    // Of what is committed, once no answer is passed on any more.
    let swallows: Arc<Mutex<Option<Commit>>> = Arc::default();
    let back = {
        let (from, to) = (server.try_clone()?, client.try_clone()?);
        let (state, swallows) = (Arc::clone(state), Arc::clone(&swallows));
        std::thread::spawn(move || {
            let _ = answer(&state, &from, &to, &swallows);
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        })
    };
    let _ = ask(state, &client, &server, &swallows, number);
    let until = Instant::now() + Duration::from_millis(500);
    let is_cut = lock(&swallows).is_some();
    while is_cut && !back.is_finished() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
    let _ = back.join();
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From the client to the server, until it is to be cut.
fn ask(
    state: &State,
    mut client: &TcpStream,
    mut server: &TcpStream,
    swallows: &Mutex<Option<Commit>>,
    number: u64,
) -> Result<()> {
    let mut rng = Rng::with_seed(state.seed ^ number);
    let mut said = Said::default();
    let mut frames = Frames::default();
    while frames.read(&mut client)? {
        let mut bytes = Vec::new();
        while let Some(frame) = frames.next()? {
            let commit = said.hear(&frame);
            bytes.extend(frame);
            let cuts = state.cuts.load(Ordering::SeqCst);
            let Some(commit) = commit.filter(|_| cuts) else { continue };
            let odds = match commit {
                Commit::Submission => {
                    state.harm(|it| it.submissions += 1);
                    20
                }
                Commit::Other => 100,
            };
            if rng.u32(0..odds) == 0 {
                // Before it is asked, so that the answer finds it so.
                *lock(swallows) = Some(commit);
                server.write_all(&bytes)?;
                return Ok(());
            }
        }
        server.write_all(&bytes)?;
    }
    Ok(())
}

/// From the server to the client.
fn answer(
    state: &State,
    mut server: &TcpStream,
    mut client: &TcpStream,
    swallows: &Mutex<Option<Commit>>,
) -> Result<()> {
    let mut frames = Frames::default();
    let mut is_done = false;
    while frames.read(&mut server)? {
        let mut bytes = Vec::new();
        while let Some(frame) = frames.next()? {
            let swallowed = *lock(swallows);
            match frame.as_slice() {
                [b'A', ..] if state.deafens.load(Ordering::SeqCst) => {
                    state.lost.fetch_add(1, Ordering::SeqCst);
                }
                // A command is complete, and the server in no transaction.
                [b'C', ..] if swallowed.is_some() => is_done = true,
                [b'Z', .., b'I'] if is_done => {
                    state.harm(|it| match swallowed {
                        Some(Commit::Submission) => it.unanswered += 1,
                        _ => it.others += 1,
                    });
                    return Ok(());
                }
                _ if swallowed.is_some() => {}
                _ => bytes.extend(frame),
            }
        }
        client.write_all(&bytes)?;
    }
    Ok(())
}

/// Messages, one after another: a letter, a length, and so much more.
#[derive(Debug, Default)]
struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// False when no more comes.
    fn read(&mut self, from: &mut impl Read) -> Result<bool> {
        let mut buffer = vec![0; 1 << 16];
        let read = from.read(&mut buffer)?;
        self.bytes.extend(&buffer[..read]);
        Ok(read > 0)
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let [_, a, b, c, d, ..] = self.bytes[..] else { return Ok(None) };
        let length = u32::from_be_bytes([a, b, c, d]) as usize + 1;
        if length < 5 {
            bail!("no message");
        }
        if self.bytes.len() < length {
            return Ok(None);
        }
        let rest = self.bytes.split_off(length);
        Ok(Some(std::mem::replace(&mut self.bytes, rest)))
    }
}

/// What a client has the server commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commit {
    Submission,
    Other,
}

/// What a client has said, as far as it is of interest.
#[derive(Debug, Default)]
struct Said {
    /// The names of statements that submit.
    submits: HashSet<Vec<u8>>,
    is_in_transaction: bool,
    /// Since the last commit, it ran a statement, and one that submits.
    runs: bool,
    has_submitted: bool,
}

impl Said {
    /// What this message commits, if it does.
    fn hear(&mut self, frame: &[u8]) -> Option<Commit> {
        let (letter, body) = (*frame.first()?, frame.get(5..)?);
        let mut words = body.split(|byte| *byte == 0);
        let first = words.next().unwrap_or_default();
        match letter {
            b'P' => {
                let query = words.next().unwrap_or_default();
                match submits(query) {
                    true => self.submits.insert(first.to_vec()),
                    false => self.submits.remove(first),
                };
                None
            }
            b'B' => {
                let statement = words.next().unwrap_or_default();
                self.has_submitted |= self.submits.contains(statement);
                None
            }
            b'E' => {
                self.runs = true;
                None
            }
            b'S' if self.is_in_transaction || !self.runs => None,
            b'S' => Some(self.commit()),
            b'Q' => {
                let query = first.to_ascii_lowercase();
                self.has_submitted |= submits(&query);
                let begins = |word: &str| query.starts_with(word.as_bytes());
                if begins("begin") || begins("start") {
                    self.is_in_transaction = true;
                } else if begins("commit") {
                    return Some(self.commit());
                } else if begins("rollback") {
                    self.commit();
                }
                None
            }
            _ => None,
        }
    }

    fn commit(&mut self) -> Commit {
        self.is_in_transaction = false;
        self.runs = false;
        match std::mem::take(&mut self.has_submitted) {
            true => Commit::Submission,
            false => Commit::Other,
        }
    }
}

fn submits(query: &[u8]) -> bool {
    let name = b"manyhands.submit";
    query.windows(name.len()).any(|it| it == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(letter: u8, body: &str) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        let mut frame = vec![letter];
        frame.extend(length.to_be_bytes());
        frame.extend(body.as_bytes());
        frame
    }

    fn heard(frames: &[(u8, &str)]) -> Vec<Commit> {
        let mut said = Said::default();
        let frames = frames.iter().map(|(letter, body)| frame(*letter, body));
        frames.filter_map(|frame| said.hear(&frame)).collect()
    }

    #[test]
    fn a_submission_is_known_by_its_statement() {
        let submit = (b'P', "s0\0select manyhands.submit($1)\0\0\0");
        let other = (b'P', "s1\0select 1\0\0\0");
        let sync = (b'S', "");
        // To prepare is no commit.
        assert_eq!(heard(&[submit, (b'D', "Ss0\0"), sync]), []);
        let run = |name| [(b'B', name), (b'E', "\0\0\0\0\0"), sync];
        let prepared = [submit, sync, other, sync];
        let all = [&prepared[..], &run("\0s0\0"), &run("\0s1\0")].concat();
        assert_eq!(heard(&all), [Commit::Submission, Commit::Other]);
        // In a transaction it is the COMMIT.
        let begin = (b'Q', "START TRANSACTION\0");
        let all = [&prepared[..], &[begin], &run("\0s0\0"), &run("\0s1\0")];
        let all = [&all.concat()[..], &[(b'Q', "COMMIT\0")]].concat();
        assert_eq!(heard(&all), [Commit::Submission]);
        let undone = [&prepared[..], &[begin], &run("\0s0\0")].concat();
        let undone = [&undone[..], &[(b'Q', "ROLLBACK\0")]].concat();
        assert_eq!(heard(&undone), []);
    }

    #[test]
    fn a_message_is_whole_or_not_there() {
        let mut frames = Frames::default();
        let two = [frame(b'Q', "a"), frame(b'S', "")].concat();
        frames.read(&mut &two[..7]).unwrap();
        assert_eq!(frames.next().unwrap(), Some(frame(b'Q', "a")[..].into()));
        assert_eq!(frames.next().unwrap(), None);
        frames.read(&mut &two[7..]).unwrap();
        assert_eq!(frames.next().unwrap(), Some(frame(b'S', "")));
        frames.read(&mut &[b'S', 0, 0, 0, 0][..]).unwrap();
        assert!(frames.next().is_err());
    }
}
