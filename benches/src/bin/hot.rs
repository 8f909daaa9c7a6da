//! The hot paths, one at a time, for whoever counts instructions:
//!
//! ```console
//! $ hot                          # says which there are
//! $ echo 100000 | hot results    # goes so often through one of them
//! ```
//!
//! Each number on its standard input is how often to go, and is answered with
//! the nanoseconds that took, a `-`, and the number again: the words by which
//! `manyhands-measure` talks to a program.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program, and this is its answer")]
#![allow(clippy::print_stderr, reason = "a program, and this is its talk")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use manyhands::semaphore::Semaphore;
use manyhands::{
    Config, InlinePool, Intake, Job, JobId, Spawn, Task, Ticket, WorkerPool,
    WorkerPoolExt, results, run_one, variants,
};

/// The job: it multiplies.
#[derive(Clone, Copy)]
struct Mix(u64);

impl Job for Mix {
    type Output = Result<u64, std::convert::Infallible>;

    fn run(self) -> Self::Output {
        Ok(black_box(self.0).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

impl manyhands::AsyncJob for Mix {
    async fn run_async(self) -> Self::Output {
        self.run()
    }
}

type Path = (String, Box<dyn Fn(u64)>);

/// Those of one thread, whose instructions are the same in each run; and each
/// variant with one worker, whose are not quite: how often a thread looks
/// before it waits goes by the other.
fn paths() -> Vec<Path> {
    let mut paths: Vec<Path> = vec![
        ("run_one".to_owned(), Box::new(run)),
        ("intake".to_owned(), Box::new(intake)),
        ("results".to_owned(), Box::new(results)),
        (
            "run_all".to_owned(),
            Box::new(|times| all(&InlinePool::new(), times)),
        ),
        ("map_ordered".to_owned(), Box::new(ordered)),
        ("handle".to_owned(), Box::new(handle)),
        ("permit".to_owned(), Box::new(permit)),
    ];
    for variant in variants::<Mix, _, _>() {
        let name = format!("pool:{}", variant.name);
        let run = move |times| {
            let config = Config::new(1, 256).expect("sizes in range");
            let pool = variant.make(config).expect("a thread");
            all(&*pool, times);
        };
        paths.push((name, Box::new(run)));
    }
    paths
}

fn run(times: u64) {
    for id in 0..times {
        let ticket = Ticket { id: JobId::new(id), job: Mix(id) };
        black_box(run_one(ticket, false));
    }
}

fn intake(times: u64) {
    let queue = VecDeque::<Ticket<Mix>>::new();
    let config = Config::new(2, 62).expect("a small pool");
    let intake = Intake::new(queue, config);
    for number in 0..times {
        let entered = intake.enter(Mix(number), |queue, ticket| {
            queue.push_back(ticket);
            Ok(())
        });
        black_box(entered.is_ok());
        let ticket = intake.desk().way_in().and_then(VecDeque::pop_front);
        black_box(ticket.map(|ticket| intake.run(ticket)));
    }
}

fn results(times: u64) {
    let (sender, receiver) = results::channel();
    let mut read = Vec::new();
    for number in 0..times {
        sender.send(number);
        if number % 64 == 63 {
            receiver.recv_many(&mut read, usize::MAX);
            black_box(read.drain(..).sum::<u64>());
        }
    }
}

fn all(pool: &(impl WorkerPool<Mix> + ?Sized), times: u64) {
    let ran = pool.run_all((0..times).map(Mix), |completion| {
        black_box(completion.done());
    });
    assert_eq!(ran.ok(), Some(times));
}

fn ordered(times: u64) {
    let pool = InlinePool::new();
    let outcomes = pool.map_ordered((0..times).map(Mix));
    assert_eq!(outcomes.map(black_box).count() as u64, times);
}

fn handle(times: u64) {
    let pool = InlinePool::<Task<'_>>::new();
    for number in 0..times {
        let handle = pool.spawn(move || black_box(number));
        black_box(handle.map(|handle| handle.join().ok()).ok());
    }
}

fn permit(times: u64) {
    let semaphore = Semaphore::new(1);
    for _ in 0..times {
        black_box(semaphore.acquire().is_ok());
    }
}

fn main() -> ExitCode {
    let paths = paths();
    let mut out = io::stdout().lock();
    let Some(wanted) = std::env::args().nth(1) else {
        let names = paths.iter().map(|(name, _)| format!("{name}\n"));
        let written = out.write_all(names.collect::<String>().as_bytes());
        return ExitCode::from(u8::from(written.is_err()));
    };
    let Some((_, go)) = paths.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("hot: {wanted:?} is no path; without one it lists them");
        return ExitCode::from(2);
    };
    for line in io::stdin().lines().map_while(Result::ok) {
        let Ok(times) = line.parse() else {
            eprintln!("hot: {line:?} is no number");
            return ExitCode::from(2);
        };
        let start = Instant::now();
        go(times);
        let took = start.elapsed().as_nanos();
        let answered = writeln!(out, "{took} - {times}");
        if answered.and_then(|()| out.flush()).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
