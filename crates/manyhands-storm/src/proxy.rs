//! A way to a server that can be cut when it hurts: right after a COMMIT was
//! passed on, and before its answer.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;

/// Passes on what comes, until it is told to cut.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// The server.
    port: u16,
    cuts: AtomicBool,
    /// How many connections were cut after a COMMIT, and elsewhere.
    after_commit: AtomicU64,
    elsewhere: AtomicU64,
    seed: u64,
}

impl Proxy {
    /// Before the server at `port`. Which it cuts is drawn from `seed`.
    pub(crate) fn new(port: u16, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let own = listener.local_addr()?.port();
        let state = Arc::new(State {
            port,
            cuts: AtomicBool::new(false),
            after_commit: AtomicU64::new(0),
            elsewhere: AtomicU64::new(0),
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

    /// How many were cut after a COMMIT, and elsewhere.
    pub(crate) fn cuts(&self) -> (u64, u64) {
        let of = |it: &AtomicU64| it.load(Ordering::SeqCst);
        (of(&self.state.after_commit), of(&self.state.elsewhere))
    }
}

/// Both ways, until either ends.
fn pass(state: &Arc<State>, client: TcpStream, number: u64) -> Result<()> {
    let server = TcpStream::connect(("127.0.0.1", state.port))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // Once it is set, no answer is passed on any more.
    let swallow = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let swallows = Arc::clone(&swallow);
    let back = std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if swallows.load(Ordering::SeqCst)
                || to.write_all(&buffer[..read]).is_err()
            {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
    let mut rng = fastrand::Rng::with_seed(state.seed ^ number);
    let (mut from, mut to) = (client, server);
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..read];
        if state.cuts.load(Ordering::SeqCst) {
            let commits =
                bytes.windows(6).any(|it| it.eq_ignore_ascii_case(b"commit"));
            let (odds, count) = if commits {
                (4, &state.after_commit)
            } else {
                (100, &state.elsewhere)
            };
            if rng.u32(0..odds) == 0 {
                count.fetch_add(1, Ordering::SeqCst);
                swallow.store(true, Ordering::SeqCst);
            }
        }
        if to.write_all(bytes).is_err() {
            break;
        }
        if swallow.load(Ordering::SeqCst) {
            // The other thread cuts when the answer is there; if none comes,
            // there is none to lose.
            std::thread::sleep(Duration::from_millis(500));
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
    let _ = back.join();
    Ok(())
}
