//! `manyhands queue work --demo`: the mails of the work `signup`, as jobs that
//! outlive this process.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use manyhands_durable::{
    Attempt, Backoff, Counts, DurableJob, Failure, Filter, JobQueue, State,
    Status, Stopped, Submission,
};
use manyhands_workloads::{MailCounts, MailSink};
use serde::{Deserialize, Serialize};

use super::store::{Place, Store};
use super::{End, failed, look};
use crate::args::{Usage, number, path, workers};
use crate::interrupt::Interrupt;
use crate::output::{legible, plural, print, say, time, wrap};
use crate::progress::Progress;
use crate::table::{Table, left, right};

#[derive(Debug, clap::Args)]
pub(super) struct WorkArgs {
    /// The only jobs that this program knows are those of its demo
    #[arg(long)]
    demo: bool,
    /// How many mails there are
    ///
    /// Each is submitted with a key, so that those which are there already
    /// are not submitted again.
    #[arg(
        long,
        value_name = "N",
        default_value = "60",
        value_parser = number(1_u64, MOST_MAILS),
        allow_hyphen_values = true
    )]
    jobs: u64,
    /// How many are sent at once
    #[arg(
        long,
        value_name = "N",
        default_value = "8",
        value_parser = workers(),
        allow_hyphen_values = true
    )]
    workers: usize,
    /// Where the server keeps the mails, a file each [default: beside the
    /// file of the jobs; else they end with this process]
    #[arg(
        long,
        value_name = "DIR",
        value_parser = path("a directory"),
        allow_hyphen_values = true
    )]
    mailbox: Option<PathBuf>,
}

/// As many files as a folder still bears well.
const MOST_MAILS: u64 = 100_000;

/// How many are submitted in one transaction.
const BATCH: u64 = 500;

/// How often what is shown is looked up.
const LOOK: Duration = Duration::from_millis(100);

/// How long a stop waits for mails that are being sent. Each takes
/// milliseconds.
const GRACE: Duration = Duration::from_secs(15);

/// A mail to somebody who signed up.
///
/// Its data is all that outlives this process: which mail it is. The mail
/// server does not: it is another one in each process here, at another
/// address. So the job does not hold its address, nor a connection; whoever
/// runs the job knows the server. That is how services do it: pools of
/// connections, clients and settings are the worker's, made when it starts.
#[derive(Debug, Serialize, Deserialize)]
struct SignupMail {
    mail: u64,
}

/// What the jobs of this process need and do not hold.
static SINK: OnceLock<MailSink> = OnceLock::new();

impl DurableJob for SignupMail {
    const KIND: &'static str = "signup-mail";
    /// As often as the work `signup` tries, and a few times more, since a
    /// process that ends in the middle costs an attempt.
    const MAX_ATTEMPTS: u32 = 6;
    type Output = ();

    fn run(self, _: &Attempt) -> Result<(), Failure> {
        let Some(sink) = SINK.get() else {
            return Err(Failure::retry("no mail server in this process"));
        };
        // It knows the mail by its number if it comes again: that is what
        // makes it come to no more than one, however often this runs.
        Ok(sink.send(self.mail)?)
    }
}

pub(super) fn run(
    args: WorkArgs,
    db: Option<OsString>,
    json: bool,
    interrupt: &Interrupt,
) -> anyhow::Result<End> {
    if !args.demo {
        Err(Usage(
            "--demo is missing, allowed is it alone: the jobs of a program \
             are run by that program"
                .to_owned(),
        ))?;
    }
    let store = match Store::maybe(db)? {
        Some(store) => store,
        None => temporary()?,
    };
    let mailbox = args.mailbox.or_else(|| match &store.place {
        Place::Sqlite(path) => {
            let mut name = path.as_os_str().to_owned();
            name.push("-mails");
            Some(name.into())
        }
        Place::Memory | Place::Postgres(_) => None,
    });
    let sink = MailSink::open(mailbox.as_deref());
    let sink = sink.map_err(|error| Usage(error.to_string()))?;
    let sink = SINK.get_or_init(|| sink);
    let opening = store.clone();
    let workers = args.workers;
    let Some(queue) = interrupt.or(move || open(&opening, workers)) else {
        say("interrupted: nothing was sent");
        return Ok(End::Interrupted);
    };
    let queue = queue.map_err(|error| store.told(error))?;

    say(format!("jobs    {}", store.name()));
    let mails = match &mailbox {
        Some(folder) => legible(&folder.to_string_lossy()),
        None => "in memory: the server forgets them with this process".into(),
    };
    say(format!("mails   {mails}"));
    let clock = Instant::now();
    let told = |error| store.told(failed(error));
    let submitted = submit(&queue, args.jobs, interrupt).map_err(told)?;
    say(match args.jobs - submitted {
        0 => format!("{} submitted", plural(submitted, "mail")),
        there => format!(
            "{} submitted, {there} were there already",
            plural(submitted, "mail")
        ),
    });
    let first = queue.counts().map_err(told)?;
    let stopped = work(&queue, &store, interrupt).map_err(told)?;
    let ended = Ended {
        wall: clock.elapsed(),
        interrupted: interrupt.is_pressed(),
        stopped,
        submitted,
        first,
        counts: queue.counts().map_err(told)?,
        dead: queue
            .list(Filter::new().state(State::Dead).limit(MOST_SHOWN + 1))
            .map_err(told)?,
        mails: sink.counts(),
    };
    print(if json { ended.json(&store)? } else { ended.table(&store) })?;
    ended.notes(&store).into_iter().for_each(say);
    Ok(if ended.interrupted { End::Interrupted } else { End::Fine })
}

/// A file in a folder that stays.
fn temporary() -> anyhow::Result<Store> {
    let folder = tempfile::Builder::new().prefix("manyhands-").tempdir();
    let folder = folder.context("cannot make a temporary folder")?.keep();
    let place = Place::Sqlite(folder.join("jobs.db"));
    Ok(Store { by: "--db", place })
}

fn open(
    store: &Store,
    workers: usize,
) -> anyhow::Result<JobQueue<SignupMail>> {
    // A person watches: nobody waits for an hour here.
    let first = Duration::from_millis(50);
    let most = Duration::from_secs(1);
    let builder = JobQueue::<SignupMail>::builder()
        .workers(workers)
        .lease(Duration::from_secs(10))
        .backoff(Backoff::exponential(first, most));
    let queue = match &store.place {
        Place::Memory => builder.in_process(),
        #[cfg(feature = "sqlite")]
        Place::Sqlite(path) => builder.sqlite(path),
        #[cfg(feature = "postgres")]
        Place::Postgres(url) => builder.postgres(url),
        #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
        _ => Err(manyhands_durable::Error::Invalid(format!(
            "{} is {}, for which this program was built without a feature",
            store.by,
            store.name()
        ))),
    };
    queue.map_err(failed)
}

/// Submits the mails, and says how many were not there.
fn submit(
    queue: &JobQueue<SignupMail>,
    mails: u64,
    interrupt: &Interrupt,
) -> Result<u64, manyhands_durable::Error> {
    let all = |counts: &Counts| {
        State::ALL.iter().map(|&state| counts.of(state)).sum::<u64>()
    };
    let before = all(&queue.counts()?);
    let progress = Progress::new(mails, "submitting");
    let mut next = 1;
    while next <= mails && !interrupt.is_pressed() {
        let last = mails.min(next + BATCH - 1);
        let batch = (next..=last).map(|mail| {
            // A mail that is there is not submitted twice, also if it is done.
            let key = format!("mail-{mail}");
            (SignupMail { mail }, Submission::new().key(key))
        });
        queue.submit_all(batch)?;
        progress.at(last);
        next = last + 1;
    }
    Ok(all(&queue.counts()?).saturating_sub(before).min(mails))
}

/// Runs what is there until nothing is left, or a signal comes.
fn work(
    queue: &JobQueue<SignupMail>,
    store: &Store,
    interrupt: &Interrupt,
) -> Result<Stopped, manyhands_durable::Error> {
    let (pressed, until_pressed) = channel();
    let _guard = interrupt.on_press(move || {
        // It was told before.
        let _ = pressed.send(());
    });
    queue.start()?;
    let progress = Progress::new(1, "sending");
    let mut is_paused = false;
    let mut is_away = false;
    loop {
        match queue.counts() {
            Ok(counts) => {
                is_away = false;
                show(&progress, &counts);
                if counts.unfinished() == 0 {
                    break;
                }
                if counts.is_paused && !is_paused {
                    say(format!(
                        "{kind} is paused; `queue resume {kind}{}` ends that",
                        store.option(),
                        kind = SignupMail::KIND
                    ));
                }
                is_paused = counts.is_paused;
            }
            // The workers ask again by themselves.
            Err(error) if error.is_transient() => {
                if !is_away {
                    say(format!("{error}; asking again"));
                }
                is_away = true;
            }
            Err(error) => return Err(error),
        }
        match until_pressed.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    progress.next(0, "stopping");
    progress.clear();
    Ok(queue.stop_within(GRACE))
}

fn show(progress: &Progress, counts: &Counts) {
    let ended = counts.done + counts.dead;
    progress.out_of(ended + counts.unfinished());
    let mut words = format!("{} sent", counts.done);
    let more = [
        (counts.ready + counts.running, "to send"),
        (counts.scheduled, "to send again"),
        (counts.dead, "dead"),
    ];
    for (mails, what) in more {
        if mails > 0 {
            words += &format!(", {mails} {what}");
        }
    }
    progress.next(ended, words);
}

/// How many dead letters are listed.
const MOST_SHOWN: usize = 10;

/// The shape: another when a field goes, or comes to mean something else.
const FORMAT: &str = "manyhands-queue-work/1";

/// What there is to say in the end.
struct Ended {
    wall: Duration,
    interrupted: bool,
    stopped: Stopped,
    /// Not there before.
    submitted: u64,
    /// Before the first was sent.
    first: Counts,
    counts: Counts,
    /// The first of them, and one more if there are more.
    dead: Vec<Status>,
    mails: MailCounts,
}

impl Ended {
    /// In this process, or another beside it.
    fn sent(&self) -> u64 {
        self.counts.done.saturating_sub(self.first.done)
    }

    fn table(&self, store: &Store) -> String {
        let Self { counts, mails, stopped, .. } = self;
        let wall = time(self.wall.as_nanos() as f64);
        let mut sentence = format!(
            "{} in {wall}: {} sent, {} left, {} dead.",
            plural(self.submitted, "new mail"),
            self.sent(),
            counts.unfinished(),
            counts.dead,
        );
        if self.interrupted {
            sentence += &format!(
                " Stopped: {} finished, {} given back, {} given up; the next \
                 run goes on with what is left.",
                stopped.finished, stopped.given_back, stopped.abandoned
            );
        }
        let mut table = Table::new([left("the mail server"), right("")]);
        for (what, number) in [
            ("letters in this run", mails.letters),
            ("mails that it has, each once", mails.mails),
            ("letters of mails that it had already", mails.again),
        ] {
            table.row([what.to_owned(), number.to_string()]);
        }
        let mut text = wrap(&sentence, 0) + "\n" + &table.plain();
        if !self.dead.is_empty() {
            let shown = self.dead.len().min(MOST_SHOWN);
            text += "\nDead letters:\n";
            text += &look::rows(&self.dead[..shown]);
            let rest = counts.dead.saturating_sub(shown as u64);
            if rest > 0 {
                text += &format!("and {rest} more\n");
            }
            if store.place != Place::Memory {
                text += &format!(
                    "\nTo drive them again, then `work --demo` once more:\n  \
                     manyhands queue retry --kind {} --all{}\n",
                    SignupMail::KIND,
                    store.option()
                );
            }
        }
        text
    }

    fn json(&self, store: &Store) -> anyhow::Result<String> {
        let Self { counts, mails, stopped, .. } = self;
        let wire = Wire {
            format: FORMAT,
            db: store.name(),
            partial: self.interrupted,
            elapsed_ns: u64::try_from(self.wall.as_nanos())
                .unwrap_or(u64::MAX),
            submitted: self.submitted,
            sent: self.sent(),
            left: counts.unfinished(),
            dead: counts.dead,
            stop: WireStop {
                finished: stopped.finished,
                given_back: stopped.given_back,
                abandoned: stopped.abandoned,
            },
            server: WireServer {
                letters: mails.letters,
                mails: mails.mails,
                again: mails.again,
            },
            dead_letters: self
                .dead
                .iter()
                .take(MOST_SHOWN)
                .map(Into::into)
                .collect(),
        };
        Ok(serde_json::to_string_pretty(&wire)? + "\n")
    }

    fn notes(&self, store: &Store) -> Option<String> {
        let is_kept = store.place != Place::Memory;
        is_kept.then(|| {
            format!("`manyhands queue status{}` shows them", store.option())
        })
    }
}

#[derive(Serialize)]
struct Wire {
    format: &'static str,
    db: String,
    /// True if a signal ended it.
    partial: bool,
    elapsed_ns: u64,
    /// Mails that were not there before.
    submitted: u64,
    sent: u64,
    left: u64,
    dead: u64,
    stop: WireStop,
    server: WireServer,
    /// The first of them.
    dead_letters: Vec<look::WireJob>,
}

#[derive(Serialize)]
struct WireStop {
    finished: u64,
    given_back: u64,
    abandoned: u64,
}

/// What the mail server saw.
#[derive(Serialize)]
struct WireServer {
    /// In this process.
    letters: u64,
    /// All that it has, each once.
    mails: u64,
    /// How often one came that it had, in this process.
    again: u64,
}
