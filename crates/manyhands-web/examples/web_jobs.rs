//! A web service that hands its work to a job queue.
//!
//! ```text
//! cargo run --release --example web_jobs [ADDRESS [MAIL_SERVER]]
//!
//! curl http://127.0.0.1:8080/primes/1000000             an answer, or 503
//! curl -d ada@example.org http://127.0.0.1:8080/signup  202, and mail later
//! curl http://127.0.0.1:8080/metrics                    for Prometheus
//! ```
//!
//! Without a mail server it starts one of its own, which prints what it gets.
//! On SIGTERM or Ctrl-C it takes no more requests and runs the jobs that it
//! has accepted. Those that have not started after ten seconds are not run, and
//! those that run have two seconds more; it says which mail was not sent, and
//! how many jobs have not ended.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use backon::{BlockingRetryable, ExponentialBuilder};
use manyhands_core::{Job, Outcome};
use manyhands_dispatcher::DispatcherPool;
use manyhands_web::Front;
use prometheus::IntCounter;
use tokio::sync::oneshot;

/// For how long jobs are started once the service is told to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long those that run then may go on.
const LAST: Duration = Duration::from_secs(2);

/// How long a mail server may take for anything.
const ANSWER: Duration = Duration::from_secs(1);

/// What the queue does: there is one for all kinds of work. Where one kind
/// waits for long and another is waited for, give each its own.
enum Work {
    CountPrimes { below: u64 },
    Send(Mail),
}

impl Job for Work {
    type Output = Result<u64, Undelivered>;

    fn run(self) -> Self::Output {
        match self {
            Self::CountPrimes { below } => Ok(count_primes(below)),
            Self::Send(mail) => mail.send().map(|()| 0),
        }
    }
}

fn count_primes(below: u64) -> u64 {
    let is_prime = |number: &u64| {
        let mut divisors = (2..).take_while(|it| it * it <= *number);
        !divisors.any(|divisor| number % divisor == 0)
    };
    (2..below).filter(is_prime).count() as u64
}

struct Mail {
    server: SocketAddr,
    /// The same each time it is sent, and another for each mail, after a new
    /// start too, so that the server takes it once.
    id: String,
    to: String,
}

/// A mail that could not be sent, and why.
struct Undelivered {
    to: String,
    error: io::Error,
}

impl Mail {
    /// Tries it four times, each time after a longer pause.
    fn send(self) -> Result<(), Undelivered> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_times(3)
            .with_jitter();
        let sent = (|| self.try_once()).retry(pauses).call();
        sent.map_err(|error| Undelivered { to: self.to, error })
    }

    fn try_once(&self) -> io::Result<()> {
        let mut server = TcpStream::connect_timeout(&self.server, ANSWER)?;
        server.set_read_timeout(Some(ANSWER))?;
        server.set_write_timeout(Some(ANSWER))?;
        writeln!(server, "MAIL {} {}", self.id, self.to)?;
        let mut reply = String::new();
        BufReader::new(server).read_line(&mut reply)?;
        match reply.trim_end() {
            "250" => Ok(()),
            other => Err(io::Error::other(format!("it said {other:?}"))),
        }
    }
}

/// Prints what it gets, each mail once.
fn start_mail_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let mut taken = HashSet::new();
        for client in listener.incoming() {
            let Ok(client) = client else {
                // Too many files are open: there will be fewer.
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            let mut line = String::new();
            if BufReader::new(&client).read_line(&mut line).is_ok() {
                // It will ask again if it does not hear.
                let _ = (&client).write_all(b"250\n");
                if taken.insert(line.clone()) {
                    print!("got {line}");
                }
            }
        }
    });
    Ok(address)
}

/// What the handlers know.
struct Service {
    front: Front<Work, Option<u64>>,
    mail_server: SocketAddr,
    signups: IntCounter,
    /// When it was started, and how many mails there were since.
    ids: (u128, AtomicU64),
}

async fn primes(
    State(service): State<Arc<Service>>,
    Path(below): Path<u64>,
) -> Response {
    const MOST: u64 = 10_000_000;
    if below > MOST {
        let body = format!("{below} is too many, allowed is up to {MOST}\n");
        return (StatusCode::BAD_REQUEST, body).into_response();
    }
    match service.front.ask(Work::CountPrimes { below }) {
        Err(full) => full.into_response(),
        Ok(answer) => match answer.await {
            Ok(Some(count)) => format!("{count}\n").into_response(),
            // Not run, for the service ends.
            Ok(None) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Err(lost) => lost.into_response(),
        },
    }
}

async fn signup(
    State(service): State<Arc<Service>>,
    address: String,
) -> Response {
    let to = address.trim().to_owned();
    if !to.contains('@') || to.contains(char::is_whitespace) {
        let body = "the body is to be one address, such as a@example.org\n";
        return (StatusCode::BAD_REQUEST, body).into_response();
    }
    let (start, mails) = &service.ids;
    let id = format!("{start}-{}", mails.fetch_add(1, Ordering::Relaxed));
    let server = service.mail_server;
    match service.front.post(Work::Send(Mail { server, id, to })) {
        Err(full) => full.into_response(),
        Ok(_) => {
            service.signups.inc();
            (StatusCode::ACCEPTED, "mail follows\n").into_response()
        }
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    service.front.metrics()
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("web_jobs: {error}");
            ExitCode::from(2)
        }
    }
}

#[tokio::main]
async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:8080".into());
    let mail_server = match arguments.next() {
        Some(server) => server.parse().map_err(|_| {
            format!("the mail server is {server}, allowed is an IP:PORT")
        })?,
        None => start_mail_server()?,
    };
    let listener = tokio::net::TcpListener::bind(&address).await;
    let listener = listener
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;

    let pool = DispatcherPool::builder().queue(64).build()?;
    let front = Front::new(pool);
    let counter = |name, help| {
        let counter = IntCounter::new(name, help)?;
        front.registry().register(Box::new(counter.clone()))?;
        prometheus::Result::Ok(counter)
    };
    let signups = counter("signups_total", "Addresses that signed up.")?;
    let dead = counter("dead_letters_total", "Mail that was given up.")?;
    let start = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let ids = (start, AtomicU64::new(1));
    let service = Arc::new(Service { front, mail_server, signups, ids });

    let (drained, mut is_drained) = oneshot::channel();
    let serving = Arc::clone(&service);
    thread::spawn(move || {
        serving.front.serve(|completion| match completion.outcome {
            Outcome::Done(Ok(answer)) => Some(answer),
            Outcome::Done(Err(Undelivered { to, error })) => {
                dead.inc();
                eprintln!("dead letter: {to}: {error}");
                None
            }
            Outcome::Panicked(panic) => {
                eprintln!("{panic}");
                None
            }
            Outcome::Cancelled(Work::Send(Mail { to, .. })) => {
                dead.inc();
                eprintln!("dead letter: {to}: not tried");
                None
            }
            Outcome::Cancelled(Work::CountPrimes { .. }) => None,
        });
        // Nobody waits for it after the deadline.
        let _ = drained.send(());
    });

    let routes = Router::new()
        .route("/primes/{below}", get(primes))
        .route("/signup", post(signup))
        .route("/metrics", get(metrics))
        .with_state(Arc::clone(&service));
    println!("listening on http://{}", listener.local_addr()?);
    let (end, ended) = oneshot::channel::<()>();
    let served = axum::serve(listener, routes).with_graceful_shutdown(async {
        // It ends by being dropped.
        let _ = ended.await;
    });
    let served = tokio::spawn(served.into_future());
    told_to_end().await;

    let drain = async {
        drop(end);
        // Requests that are under way get their answers, or have had them.
        let _ = served.await;
        service.front.close();
        let _ = (&mut is_drained).await;
    };
    if tokio::time::timeout(PATIENCE, drain).await.is_err() {
        service.front.cancel();
        let _ = tokio::time::timeout(LAST, is_drained).await;
    }
    let counts = service.front.counts();
    let (accepted, open) = (counts.accepted, counts.unfinished());
    println!(
        "ended: {accepted} jobs accepted, {} not run, {open} not ended",
        counts.cancelled
    );
    Ok(())
}

/// SIGTERM, as orchestrators send it, or Ctrl-C.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Where there is no such signal, or it cannot be heard.
    let _ = tokio::signal::ctrl_c().await;
}
