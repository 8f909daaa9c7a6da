//! A web service with a durable queue: it submits from async code, runs jobs
//! that are async themselves, and stops on SIGTERM without losing one.
//!
//! ```console
//! $ cargo run -q -p manyhands-durable --example service
//! $ cargo run -q -p manyhands-durable --example service -- jobs.db 127.0.0.1:8080
//! $ curl -X POST http://127.0.0.1:8080/welcome/42
//! ```
//!
//! Without a word it asks and ends itself, to show how.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::env;
use std::error::Error;
use std::future;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as Client};
use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use manyhands_durable::{Attempt, DurableJob, Failure, JobQueue, Submission};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::Notify;

#[derive(Serialize, Deserialize)]
struct Welcome {
    customer: u32,
}

// ANCHOR: job
/// Where async code of jobs runs. A job is data, so it finds this here.
static RUNTIME: OnceLock<Handle> = OnceLock::new();

impl DurableJob for Welcome {
    const KIND: &'static str = "welcome";
    type Output = ();

    fn run(self, attempt: &Attempt) -> Result<(), Failure> {
        let runtime = RUNTIME.get().ok_or_else(|| Failure::retry("early"))?;
        // On this worker's own thread, which is there to be blocked.
        runtime.block_on(async {
            tokio::select! {
                sent = send(self.customer) => sent,
                // Nothing else ends a job that takes too long.
                () = tokio::time::sleep(Duration::from_secs(60)) => {
                    Err(Failure::retry("no answer in a minute"))
                }
                // The time to stop is up, or it is another worker's by now.
                () = attempt.token().cancelled() => {
                    Err(Failure::retry("cancelled"))
                }
            }
        })
    }
}
// ANCHOR_END: job

/// Stands for a mail server, which has no answer for the fourth customer.
async fn send(customer: u32) -> Result<(), Failure> {
    match customer {
        4 => future::pending().await,
        _ => Ok(()),
    }
}

// ANCHOR: request
/// Answers `POST /welcome/42`: 202 when the job is durable, and not before.
async fn answer(path: &str, queue: &JobQueue<Welcome>) -> &'static str {
    let customer = path.strip_prefix("/welcome/").map(str::parse);
    let Some(Ok(customer)) = customer else { return "404 Not Found" };
    let how = Submission::new().key(format!("welcome-{customer}"));
    match queue.submit_async(Welcome { customer }, how).await {
        Ok(_) => "202 Accepted",
        // The store is away, or the service stops. Whoever asks again, here or
        // elsewhere, makes one job of it, by its key.
        Err(_) => "503 Service Unavailable",
    }
}
// ANCHOR_END: request

async fn talk(
    mut stream: TcpStream,
    queue: Arc<JobQueue<Welcome>>,
) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or_default();
    let answer = answer(path, &queue).await;
    let headers = "Content-Length: 0\r\nConnection: close";
    let answer = format!("HTTP/1.1 {answer}\r\n{headers}\r\n\r\n");
    write.write_all(answer.as_bytes()).await
}

// ANCHOR: stop
/// Takes requests until SIGTERM, or Ctrl-C, comes.
async fn serve(
    listener: TcpListener,
    queue: &Arc<JobQueue<Welcome>>,
    end: &Notify,
) -> io::Result<()> {
    loop {
        tokio::select! {
            () = end.notified() => return Ok(()),
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                tokio::spawn(talk(stream, Arc::clone(queue)));
            }
        }
    }
}

fn run(
    store: PathBuf,
    address: &str,
    up: impl FnOnce(SocketAddr, Arc<JobQueue<Welcome>>),
) -> Result<(), Box<dyn Error>> {
    let end = Arc::new(Notify::new());
    let to_end = Arc::clone(&end);
    // The feature `termination` of ctrlc: SIGTERM too.
    ctrlc::set_handler(move || to_end.notify_one())?;

    let runtime = Runtime::new()?;
    RUNTIME.get_or_init(|| runtime.handle().clone());
    let queue = Arc::new(JobQueue::<Welcome>::sqlite(store, 4)?);
    queue.start()?;
    let listener = runtime.block_on(TcpListener::bind(address))?;
    up(listener.local_addr()?, Arc::clone(&queue));
    runtime.block_on(serve(listener, &queue, &end))?;

    // It blocks, so not in async code; and before the runtime ends, which its
    // jobs need. Less than the supervisor waits until it kills.
    let stopped = queue.stop_within(Duration::from_secs(1));
    println!("{stopped:?}");
    Ok(())
}
// ANCHOR_END: stop

/// Four customers, of whom the last one waits.
fn ask(
    address: SocketAddr,
    queue: &JobQueue<Welcome>,
) -> Result<(), Box<dyn Error>> {
    for customer in 1..=4 {
        let mut client = Client::connect(address)?;
        write!(client, "POST /welcome/{customer} HTTP/1.1\r\n\r\n")?;
        let mut answer = String::new();
        client.read_to_string(&mut answer)?;
        println!("{customer}: {}", answer.lines().next().unwrap_or_default());
    }
    loop {
        let counts = queue.counts()?;
        if (counts.done, counts.running) == (3, 1) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [store, address] => run(store.into(), address, |address, _| {
            println!("http://{address}");
        }),
        [] => {
            let folder = tempfile::tempdir()?;
            let store = folder.path().join("jobs.db");
            run(store.clone(), "127.0.0.1:0", |address, queue| {
                thread::spawn(move || {
                    if let Err(error) = ask(address, &queue) {
                        println!("{error}");
                    }
                    let me = process::id().to_string();
                    if let Err(error) = Command::new("kill").arg(me).status() {
                        println!("{error}: end it by Ctrl-C");
                    }
                });
            })?;
            let queue = JobQueue::<Welcome>::sqlite(store, 4)?;
            let counts = queue.counts()?;
            let (done, ready) = (counts.done, counts.ready);
            println!("{done} are done, {ready} is for the next process");
            Ok(())
        }
        _ => Err("usage: service [STORE ADDRESS]".into()),
    }
}
