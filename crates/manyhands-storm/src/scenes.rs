//! One fault each, as exactly as can be: what is waited for is in a ledger.

use std::collections::{BTreeSet, HashMap};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use manyhands_durable::{Admin, Error, Filter, JobId, JobQueue, Submission};
use nix::sys::signal::Signal;

use crate::fleet::{How, Process, faketime};
use crate::job::{self, Alien, NewJob, StormJob, What};
use crate::ledger::Entry;
use crate::oracle::Kept;
use crate::plan::{SUBMITTING, WORKING};
use crate::proxy::Proxy;
use crate::server::{PASSWORD, Server, sql};
use crate::storm::{PRODUCERS, Storm, say};
use crate::target::{LEASE, POLL, Sender, Target, how, patiently};

/// Within this time a vanished worker is noticed, and its job begun by
/// another: four thirds of the lease, a poll, and what two cores need.
const NOTICED: Duration = Duration::from_millis(4_000 + 250 + 1_500);

/// Of 100 claims 99 take no longer, whatever is behind.
const CLAIM: Duration = Duration::from_millis(50);

/// Nothing takes longer than this, unless it hangs.
const LONG: Duration = Duration::from_secs(45);

/// All scenes of the storm's faults.
pub(crate) fn play(storm: &mut Storm) -> Result<()> {
    type Scene = fn(&mut Storm) -> Result<()>;
    let scenes: [(&'static str, Scene); 17] = [
        ("D01", points),
        ("D02", zombie),
        ("D03", restarts),
        ("D05", unanswered),
        ("D06", poison),
        ("D07", longer_than_the_lease),
        ("D08", clocks),
        ("D09", all_at_once),
        ("D10", all_die),
        ("D11", full_disk),
        ("D12", payloads),
        ("D13", driven_again),
        ("D14", releases),
        ("D15", term),
        ("D17", lost_wake_up),
        ("D19", read_only),
        // It reads what all of them have logged.
        ("D18", hostile),
    ];
    for (fault, scene) in scenes {
        let fits = storm.is_real() || matches!(fault, "D02" | "D09" | "D10");
        if !fits || !storm.faults.contains(fault) {
            continue;
        }
        act(storm, fault, scene)?;
    }
    Ok(())
}

/// One scene, and how long it took.
fn act(
    storm: &mut Storm,
    fault: &'static str,
    scene: impl FnOnce(&mut Storm) -> Result<()>,
) -> Result<()> {
    let began = Instant::now();
    if let Err(error) = scene(storm) {
        storm.found(fault, false, format!("{error:#}"));
    }
    say(&format!("{fault}: {:.1} s", began.elapsed().as_secs_f64()))
}

/// A scene for which this store has no place.
fn none(storm: &mut Storm, fault: &'static str, why: &str) -> Result<()> {
    storm.found(fault, true, format!("skipped: {why}"));
    Ok(())
}

/// D01: each named point is reached, and what died there is made good.
fn points(storm: &mut Storm) -> Result<()> {
    let mut reached = 0;
    for point in WORKING {
        storm.still();
        let what = match point {
            "during-heartbeat" => What::Slow(2500),
            "during-nack" => What::Fails(1),
            "during-dead-letter" => What::Permanent,
            _ => What::Good,
        };
        let after = storm.rng.u64(..3);
        let crash = Some((point.to_owned(), after));
        let how = How { crash, ..How::default() };
        let target = storm.target.clone();
        let arguments = storm.worker(0);
        let mut process = storm.yard.start(&target, &arguments, &how)?;
        let until = Instant::now() + LONG;
        let mut number = 0;
        let status = loop {
            if let Some(status) = process.ended() {
                break status;
            }
            if Instant::now() > until {
                bail!("{point}: no worker came there within {LONG:?}");
            }
            // It may pass there once for several that come together.
            storm.submit(&format!("d01-{point}-{number}"), what)?;
            number += 1;
            std::thread::sleep(Duration::from_millis(100));
        };
        if !died_there(status) {
            bail!("{point}: {status}");
        }
        reached += 1;
    }
    for point in SUBMITTING {
        let crash = Some((point.to_owned(), storm.rng.u64(..3)));
        let how = How { crash, ..How::default() };
        let slot = if point == SUBMITTING[0] { "90" } else { "91" };
        let mut arguments = vec!["producer".to_owned()];
        for word in ["--slot", slot, "--jobs", "20", "--seed", "1"] {
            arguments.push(word.into());
        }
        arguments.extend(["--killers".into(), "0".into()]);
        let target = storm.target.clone();
        let mut process = storm.yard.start(&target, &arguments, &how)?;
        let until = Instant::now() + LONG;
        while process.ended().is_none() {
            if Instant::now() > until {
                bail!("{point}: no producer came there within {LONG:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if !process.ended().is_some_and(died_there) {
            bail!("{point}: {:?}", process.ended());
        }
        reached += 1;
        // The next process of its place does the rest.
        let mut process =
            storm.yard.start(&target, &arguments, &How::default())?;
        let until = Instant::now() + LONG;
        while process.ended().is_none() {
            if Instant::now() > until {
                bail!("{point}: the next producer does not end");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    storm.fleet(2)?;
    storm.found("D01", true, format!("died at each of {reached} points"));
    Ok(())
}

fn died_there(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(Signal::SIGABRT as i32)
}

/// D02: a worker that is stopped while it has a job, and continued while
/// another has it.
fn zombie(storm: &mut Storm) -> Result<()> {
    storm.fleet(2)?;
    let id = storm.submit("d02", What::Deaf(2500))?;
    storm.wait(LONG, "the first attempt", |storm| {
        Ok(storm.follow.of("d02").len() == 1)
    })?;
    let first = storm.follow.of("d02")[0].clone();
    let stopped = freeze(storm, first.pid)?;
    storm.wait(LONG, "the second attempt", |storm| {
        Ok(storm.follow.of("d02").len() == 2)
    })?;
    let noticed = stopped.elapsed();
    signal(storm, first.pid, Signal::SIGCONT)?;
    // Its completion is looked for until the second one's.
    storm.wait(LONG, "the end of the second attempt", |storm| {
        let _ = storm.observe();
        Ok(storm.follow.ends.contains_key(&(id, 2)))
    })?;
    let kept = storm.finish(&[id], LONG)?;
    let late = storm.follow.ends.contains_key(&(id, first.attempt));
    let attempts = kept[0].attempts;
    let by_second = kept[0].output.as_deref();
    let by_second =
        by_second.is_some_and(|it| it.trim_matches('"').starts_with("2 "));
    let holds = attempts == 2 && by_second && late && noticed < NOTICED;
    let noticed = noticed.as_secs_f64();
    storm.found(
        "D02",
        holds,
        format!(
            "a stopped worker was noticed after {noticed:.1} s; continued, it \
             ended its attempt: {late}; {attempts} attempts, done by the \
             second: {by_second}"
        ),
    );
    Ok(())
}

/// D03: it came during load.
fn restarts(storm: &mut Storm) -> Result<()> {
    if storm.server.is_none() {
        return none(storm, "D03", "a file has no server");
    }
    let restarts = storm.restarts;
    storm.found(
        "D03",
        restarts > 0,
        format!("the server was stopped at once {restarts} times under load"),
    );
    Ok(())
}

/// D05: during load, connections were cut after a commit; those who did not
/// hear of it submitted again.
fn unanswered(storm: &mut Storm) -> Result<()> {
    let Some(proxy) = &storm.proxy else {
        return none(storm, "D05", "a file has no connections");
    };
    let harm = proxy.harm();
    let mut jobs: HashMap<String, usize> = HashMap::new();
    for key in storm.target.list()?.into_iter().filter_map(|it| it.key) {
        *jobs.entry(key).or_default() += 1;
    }
    let unknown = &storm.follow.unknown;
    let once = unknown.iter().filter(|key| jobs.get(*key) == Some(&1)).count();
    let (all, lost) = (harm.submissions, harm.unanswered);
    let unknown = unknown.len();
    storm.found(
        "D05",
        all > 0 && lost > 0 && unknown > 0 && once == unknown,
        format!(
            "of {all} commits of submissions {lost} were made and not \
             answered, and of others {}; {unknown} submissions were unknown \
             to their producers, and {once} of these are one job each",
            harm.others
        ),
    );
    Ok(())
}

/// Stops a process, and not where it has a file's lock: nobody else could
/// write then, which is a fault of another kind.
fn freeze(storm: &mut Storm, pid: u32) -> Result<Instant> {
    loop {
        process(storm, pid)?.freeze()?;
        let stopped = Instant::now();
        let Some(path) = storm.target.path() else { return Ok(stopped) };
        let file = rusqlite::Connection::open(path)?;
        file.busy_timeout(Duration::from_millis(500))?;
        if file.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok() {
            return Ok(stopped);
        }
        signal(storm, pid, Signal::SIGCONT)?;
        storm.pause(Duration::from_millis(30))?;
    }
}

fn signal(storm: &Storm, pid: u32, signal: Signal) -> Result<()> {
    process(storm, pid)?.signal(signal);
    Ok(())
}

fn process(storm: &Storm, pid: u32) -> Result<&Process> {
    let processes = storm.workers.iter().filter_map(|it| it.process.as_ref());
    let mut processes = processes.filter(|it| it.id() == pid);
    processes.next().context("no such worker")
}

/// D06: what poison costs the others: jobs that panic, or take their process
/// with them.
fn poison(storm: &mut Storm) -> Result<()> {
    let mut said = String::new();
    let mut best = [0.0_f64; 2];
    // What else a machine does makes it slower, and never faster.
    for round in 0..4 {
        let alone = throughput(storm, &format!("alone-{round}"), None)?;
        for (best, what) in best.iter_mut().zip([What::Poison, What::Killer]) {
            if *best < 0.9 {
                let key = format!("{what:?}-{round}");
                let beside = throughput(storm, &key, Some(what))?;
                *best = best.max(beside / alone);
            }
        }
        said = format!(
            "of {alone:.0} good jobs a second, {:.0} % are left beside jobs \
             that panic, and {:.0} % beside one that kills its process",
            100.0 * best[0],
            100.0 * best[1]
        );
        if best.iter().all(|best| *best >= 0.9) {
            break;
        }
    }
    storm.found("D06", best.iter().all(|best| *best >= 0.9), said);
    Ok(())
}

/// Good jobs a second, up to when 95 of 100 are done: those that die with
/// their process come after the lease.
fn throughput(
    storm: &mut Storm,
    name: &str,
    beside: Option<What>,
) -> Result<f64> {
    const JOBS: usize = 400;
    storm.still();
    let mut good = Vec::new();
    let mut jobs = Vec::new();
    for number in 0..JOBS {
        let key = format!("d06-{name}-{number}");
        good.push(key.clone());
        jobs.push(StormJob::new(key, What::Slow(40)));
        let is_time = match beside {
            Some(What::Killer) => number == JOBS / 3,
            Some(_) => number.is_multiple_of(10),
            None => false,
        };
        if let Some(what) = beside.filter(|_| is_time) {
            jobs.push(StormJob::new(format!("d06-{name}-bad-{number}"), what));
        }
    }
    let ids = storm.submit_all(jobs)?;
    storm.fleet(2)?;
    let kept = storm.finish(&ids, LONG)?;
    let is_bad =
        |it: &Kept| it.key.as_ref().is_some_and(|it| it.contains("-bad-"));
    for it in kept.iter().filter(|it| is_bad(it)) {
        if it.state != "dead" || it.attempts != it.max_attempts {
            bail!("{:?}: {} after {} attempts", it.key, it.state, it.attempts);
        }
    }
    let mut ends = Vec::new();
    let mut first = u64::MAX;
    for key in &good {
        let starts = storm.follow.of(key);
        first = first.min(starts.first().map_or(first, |it| it.at));
        ends.extend(starts.iter().filter_map(|it| {
            storm.follow.ends.get(&(it.id, it.attempt)).copied()
        }));
    }
    ends.sort_unstable();
    let many = JOBS * 95 / 100;
    let last = ends.get(many - 1).context("not so many ended")?;
    Ok(many as f64 * 1e6 / (last - first) as f64)
}

/// D07: signs of life keep a job that takes longer than its lease.
fn longer_than_the_lease(storm: &mut Storm) -> Result<()> {
    storm.fleet(2)?;
    let ids: Vec<i64> = (0..3)
        .map(|number| storm.submit(&format!("d07-{number}"), What::Slow(7000)))
        .collect::<Result<_>>()?;
    storm.finish(&ids, LONG)?;
    let starts: Vec<usize> = (0..3)
        .map(|number| storm.follow.of(&format!("d07-{number}")).len())
        .collect();
    storm.found(
        "D07",
        starts == [1, 1, 1],
        format!(
            "jobs of 7 s under a lease of {LEASE:?} began {starts:?} times"
        ),
    );
    Ok(())
}

/// D08: the time is the store's.
fn clocks(storm: &mut Storm) -> Result<()> {
    if storm.server.is_none() {
        return none(storm, "D08", "a file has the clock of its machine");
    }
    if faketime().is_none() {
        return none(storm, "D08", "there is no program faketime here");
    }
    storm.still();
    for skew in [3600, -3600] {
        let arguments = storm.worker(0);
        storm.hire(arguments, false, How { skew, ..How::default() })?;
    }
    let mut ids = Vec::new();
    for number in 0..30 {
        let what = match number % 10 {
            0 => What::Slow(4500),
            1 => What::Fails(1),
            _ => What::Slow(50),
        };
        ids.push(storm.submit(&format!("d08-{number}"), what)?);
    }
    let began = Instant::now();
    let kept = storm.finish(&ids, LONG)?;
    let took = began.elapsed();
    let pids = |storm: &Storm| {
        let starts = (0..30).flat_map(|number| {
            let starts = storm.follow.of(&format!("d08-{number}"));
            starts.iter().map(|it| it.pid).collect::<Vec<_>>()
        });
        starts.collect::<std::collections::BTreeSet<_>>().len()
    };
    let pids = pids(storm);
    let once = kept.iter().all(|it| {
        let fails = it.key.as_deref().is_some_and(|it| it.ends_with('1'));
        it.attempts == if fails { 2 } else { 1 }
    });
    // Retries wait a tenth of a second, and not an hour.
    let holds = once && pids == 2 && took < Duration::from_secs(25);
    storm.found(
        "D08",
        holds,
        format!(
            "workers an hour ahead and behind ({pids} of 2 worked): as many \
             attempts as there should be: {once}; {:.1} s",
            took.as_secs_f64()
        ),
    );
    Ok(())
}

/// D09: a backlog, and all workers at once.
fn all_at_once(storm: &mut Storm) -> Result<()> {
    storm.still();
    let count = if storm.run.large { 10_000 } else { 500 };
    let item = |number| {
        let key = format!("d09-{number}");
        // The first wait for each other, as long as that takes.
        let is_serial = number < 40;
        let serial = is_serial.then(|| format!("d09-s{}", number % 2));
        let what = if is_serial { What::Slow(20) } else { What::Good };
        (StormJob::new(key, what), serial)
    };
    let ids = storm.submit_items((0..count).map(item).collect())?;
    let workers = storm.run.workers;
    storm.fleet(workers)?;
    let long = if storm.run.large { LONG * 10 } else { LONG };
    let kept = storm.finish(&ids, long)?;
    // On a machine that is too busy, a worker may be too late to say that it
    // lives; but nobody has a job before the lease of another is over.
    let counted: u32 = kept.iter().map(|it| it.attempts).sum();
    let mut starts = 0;
    let mut doubles = 0;
    for number in 0..count {
        let all = storm.follow.of(&format!("d09-{number}"));
        starts += all.len();
        let (lease, second) = (LEASE.as_micros(), 1_000_000);
        let mut all: Vec<u64> = all.iter().map(|it| it.at).collect();
        all.sort_unstable();
        let double = |it: &&[u64]| u128::from(it[1] - it[0]) + second < lease;
        doubles += all.windows(2).filter(double).count();
    }
    storm.found(
        "D09",
        doubles == 0 && starts <= counted as usize,
        format!(
            "{count} jobs, {workers} workers: {starts} starts, {counted} \
             counted, {doubles} while another had the job"
        ),
    );
    Ok(())
}

/// D10: jobs wait for the first new worker, and no longer than the lease.
fn all_die(storm: &mut Storm) -> Result<()> {
    storm.fleet(1)?;
    let ids: Vec<i64> = (0..4)
        .map(|number| storm.submit(&format!("d10-{number}"), What::Slow(3000)))
        .collect::<Result<_>>()?;
    storm.wait(LONG, "four jobs begun", |storm| {
        let begun = |number| storm.follow.of(&format!("d10-{number}")).len();
        Ok((0..4).all(|number| begun(number) == 1))
    })?;
    storm.still();
    let died = storm.clock();
    storm.fleet(1)?;
    storm.finish(&ids, LONG)?;
    // On a busy machine one may have ended before the last began.
    let ended = (0..4).filter(|number| {
        let start = &storm.follow.of(&format!("d10-{number}"))[0];
        storm.follow.ends.contains_key(&(start.id, start.attempt))
    });
    let left = 4 - ended.count();
    let last = (0..4).filter_map(|number| {
        let starts = storm.follow.of(&format!("d10-{number}"));
        starts.get(1).map(|it| it.at)
    });
    let last: Vec<u64> = last.collect();
    let latest = last.iter().max().copied().unwrap_or(u64::MAX);
    let after = Duration::from_micros(latest.saturating_sub(died));
    storm.found(
        "D10",
        left > 0 && last.len() == left && after < NOTICED,
        format!(
            "{} of {left} jobs began again, the last {:.1} s after their worker \
             died",
            last.len(),
            after.as_secs_f64()
        ),
    );
    Ok(())
}

/// D04: the store is away, and nobody spins.
pub(crate) fn away(storm: &mut Storm, ms: u64) -> Result<()> {
    let time = Duration::from_millis(ms);
    let used = |storm: &Storm| {
        let processes = storm.workers.iter().filter_map(|it| {
            let process = it.process.as_ref()?;
            Some((process.id(), process.used().ok()?))
        });
        processes.collect::<Vec<_>>()
    };
    let before;
    let lock;
    match (&storm.server, storm.target.path()) {
        (Some(server), _) => {
            server.stop()?;
            before = used(storm);
            storm.pause(time)?;
            lock = None;
        }
        (None, path) => {
            // What a file has in place of an outage: another's lock.
            let db = rusqlite::Connection::open(path.context("no file")?)?;
            db.busy_timeout(LONG)?;
            db.execute_batch("BEGIN EXCLUSIVE")?;
            before = used(storm);
            storm.pause(time)?;
            lock = Some(db);
        }
    }
    let after = used(storm);
    if let Some(db) = lock {
        db.execute_batch("ROLLBACK")?;
    }
    if let Some(server) = &storm.server {
        server.start()?;
    }
    let (mut busiest, mut growth, mut same) = (0.0_f64, 0_u64, 0);
    for (pid, (time_after, memory_after)) in after {
        let old = before.iter().find(|(old, _)| *old == pid);
        let Some((_, (time_before, memory_before))) = old else { continue };
        same += 1;
        let used = time_after.saturating_sub(*time_before);
        busiest = busiest.max(used.as_secs_f64() / time.as_secs_f64());
        growth = growth.max(memory_after.saturating_sub(*memory_before));
    }
    let holds = busiest < 0.1 && growth < 32 << 20;
    storm.found(
        "D04",
        holds,
        format!(
            "the store was away for {ms} ms: of {same} workers none used more \
             than {:.1} % of a processor, or {} KiB more memory",
            100.0 * busiest,
            growth >> 10
        ),
    );
    Ok(())
}

/// D11: what finds no room is refused, and what was accepted stays.
fn full_disk(storm: &mut Storm) -> Result<()> {
    storm.still();
    let target = storm.target.clone();
    let mut arguments = vec!["producer".to_owned()];
    for word in ["--slot", "92", "--jobs", "400", "--seed", "3"] {
        arguments.push(word.into());
    }
    arguments.extend(["--killers".into(), "0".into()]);
    let Some(path) = target.path() else {
        return full_server(storm, &arguments);
    };
    // For SQLite: no file of the producer's may grow much.
    let size = |name: &str| {
        let mut name_of = path.as_os_str().to_owned();
        name_of.push(name);
        std::fs::metadata(name_of).map_or(0, |it| it.len())
    };
    let largest = size("").max(size("-wal"));
    // In blocks of 512 bytes. A large file may have room within it; the log
    // begins anew and has none.
    let blocks = (largest / 512 + 64).min(2048);
    let how = How { largest_file: Some(blocks), ..How::default() };
    let (before, failed) = (storm.follow.committed, storm.follow.failed);
    let mut process = storm.yard.start(&target, &arguments, &how)?;
    storm.wait(LONG, "a file that is full", |storm| {
        Ok(storm.follow.failed >= failed + 10)
    })?;
    let while_full = storm.follow.committed - before;
    let ended = process.ended();
    process.kill();
    let mut process =
        storm.yard.start(&target, &arguments, &How::default())?;
    storm.wait(LONG, "the producer, with room again", |_| {
        Ok(process.ended().is_some())
    })?;
    let all = storm.follow.committed - before;
    storm.fleet(2)?;
    storm.found(
        "D11",
        ended.is_none() && while_full < all,
        format!(
            "{while_full} of {all} jobs were accepted before it was full, and \
             10 submissions refused; with room again, all were"
        ),
    );
    Ok(())
}

/// The server's data is on a small disk, which something else fills.
fn full_server(storm: &mut Storm, arguments: &[String]) -> Result<()> {
    let server = storm.server.as_ref().context("no server")?;
    let Some(folder) = server.small_disk() else {
        if storm.run.large {
            // This one's disk is as large as its backlog needs.
            return apart(storm, "D11");
        }
        return none(storm, "D11", "no small disk can be mounted here");
    };
    let ballast = folder.join("ballast");
    let (before, failed) = (storm.follow.committed, storm.follow.failed);
    fill(&ballast)?;
    let target = storm.target.clone();
    let mut process = storm.yard.start(&target, arguments, &How::default())?;
    storm.wait(LONG, "a server that is full", |storm| {
        let server = storm.server.as_ref().context("no server")?;
        Ok(storm.follow.failed >= failed + 10 || !server.is_running())
    })?;
    let while_full = storm.follow.committed - before;
    let errors = storm.follow.failed - failed;
    std::fs::remove_file(&ballast)?;
    let server = storm.server.as_ref().context("no server")?;
    let stood = server.is_running();
    if !stood {
        server.start()?;
    }
    storm.wait(LONG, "the producer, with room again", |_| {
        Ok(process.ended().is_some())
    })?;
    let all = storm.follow.committed - before;
    storm.fleet(2)?;
    storm.found(
        "D11",
        while_full < all && errors > 0,
        format!(
            "{while_full} of {all} jobs were accepted while it was full, and \
             {errors} submissions failed; the server stood: {stood}; with \
             room again, all were"
        ),
    );
    Ok(())
}

/// A fault that needs a storm of its own, in the small form.
fn apart(storm: &mut Storm, fault: &'static str) -> Result<()> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .args(["run", "--db", &storm.run.db, "--faults", fault])
        .args(["--jobs=200", "--seconds=1", "--seed"])
        .arg(storm.run.seed.to_string())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().rfind(|line| line.starts_with(fault));
    let line = line.unwrap_or("it said nothing");
    storm.found(
        fault,
        output.status.success(),
        format!("in a small storm of its own: {line}"),
    );
    Ok(())
}

/// Writes until there is no room.
fn fill(path: &std::path::Path) -> Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path)?;
    for size in [1 << 20, 1 << 12] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    Ok(())
}

/// D12: what cannot be run is refused, or a dead letter.
fn payloads(storm: &mut Storm) -> Result<()> {
    storm.still();
    let target = storm.target.clone();
    let queue: JobQueue<Alien> = target.queue(|it| it)?;
    let mut deep = serde_json::Value::Null;
    for _ in 0..200 {
        deep = serde_json::Value::Array(vec![deep]);
    }
    let bodies = [
        serde_json::json!({"x": 1}),
        serde_json::json!("'; DROP TABLE jobs; --"),
        deep,
    ];
    let mut ids = Vec::new();
    for (number, body) in bodies.into_iter().enumerate() {
        let key = format!("d12-alien-{number}");
        let checksum = 0;
        let intent =
            Entry::Intent { key: key.clone(), checksum, serial: None };
        job::say(&intent)?;
        let how = Submission::new().key(key.clone());
        let id = queue.submit_with(Alien { body }, how)?.get();
        job::say(&Entry::Committed { key, id })?;
        ids.push(id);
    }
    drop(queue);
    // One of another form, as a later release of the library may write.
    let other = storm.submit("d12-form", What::Good)?;
    let changed = reform(storm)?;
    ids.push(other);
    let good = storm.submit("d12-good", What::Good)?;
    // And one that is too large.
    let queue: JobQueue<StormJob> = target.queue(|it| it)?;
    let mut large = StormJob::new("d12-large".into(), What::Good);
    large.pad = "x".repeat(2 << 20);
    let how = how(&large, None);
    let refused = match queue.submit_with(large, how) {
        Err(refused) => matches!(refused.error, Error::Invalid(_)),
        Ok(_) => false,
    };
    drop(queue);
    storm.fleet(1)?;
    let kept = storm.finish(&ids, LONG)?;
    let good = storm.finish(&[good], LONG)?;
    let dead = |it: &&Kept| {
        it.state == "dead" && it.attempts == 1 && it.last_error.is_some()
    };
    let dead = kept.iter().filter(dead).count();
    let good = good[0].state == "done" && good[0].attempts == 1;
    storm.found(
        "D12",
        refused && good && dead == ids.len() && changed == 1,
        format!(
            "too large is refused: {refused}; {dead} of {} that are no jobs \
             are dead after an attempt, {changed} of them of another form; \
             the good one is done: {good}",
            ids.len()
        ),
    );
    Ok(())
}

/// Writes another form over that of the job `d12-form`, in whatever table it
/// is. How many were there?
fn reform(storm: &Storm) -> Result<u64> {
    match &storm.target {
        Target::Sqlite(path) => {
            let db = rusqlite::Connection::open(path)?;
            let mut names = db.prepare(
                "SELECT m.name, c.name FROM sqlite_schema AS m,
                   pragma_table_info(m.name) AS c
                 WHERE m.type = 'table' AND c.name = 'payload'",
            )?;
            let names = names.query_map((), |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            let mut changed = 0;
            for name in names {
                let (table, column) = name?;
                let sql = format!(
                    "UPDATE \"{table}\" SET {column} =
                       replace({column}, '\"v\":1', '\"v\":77')
                     WHERE {column} LIKE '%d12-form%'"
                );
                changed += db.execute(&sql, ())?;
            }
            Ok(changed as u64)
        }
        Target::Postgres(url) => {
            let rows = sql(
                url,
                "UPDATE graphile_worker._private_jobs SET payload =
                   jsonb_set(payload::jsonb, '{v}', '77')::json
                 WHERE payload::text LIKE '%d12-form%' RETURNING id",
            )?;
            Ok(rows.len() as u64)
        }
        Target::Broken(..) => Ok(0),
    }
}

/// D13: once, with all attempts again.
fn driven_again(storm: &mut Storm) -> Result<()> {
    const LETTERS: u64 = 60;
    storm.fleet(1)?;
    let key = |number: u64| format!("d13-{number}");
    let letters =
        (0..LETTERS).map(|number| StormJob::new(key(number), What::Permanent));
    let ids = storm.submit_all(letters.collect())?;
    storm.finish(&ids, LONG)?;
    storm.still();
    for (number, id) in (0..).zip(&ids) {
        storm.redrive(*id, &key(number))?;
    }
    let dead = || {
        let ids = ids.iter().map(|id| JobId::new(*id));
        Filter::new().ids(ids).state(manyhands_durable::State::Dead)
    };
    let both = [(); 2].map(|()| Admin::open(&storm.target.to_string()));
    let together = Barrier::new(2);
    let drive = |admin: Result<Admin, Error>| -> Result<u64> {
        let admin = admin?;
        together.wait();
        Ok(admin.retry(&dead())?)
    };
    let driven = std::thread::scope(|scope| {
        let drive = &drive;
        let both = both.map(|admin| scope.spawn(move || drive(admin)));
        both.map(|it| it.join().unwrap_or_else(|_| bail!("it panicked")))
    });
    let [one, two] = driven;
    let (one, two) = (one?, two?);
    let later = Admin::open(&storm.target.to_string())?.retry(&dead())?;
    storm.fleet(1)?;
    let kept = storm.finish(&ids, LONG)?;
    let again = (0..LETTERS).all(|number| {
        // The first time, a busy machine may have needed more attempts.
        let starts = storm.follow.of(&key(number));
        let firsts = starts.iter().filter(|it| it.attempt == 1);
        firsts.count() == 2
    });
    let dead = kept.iter().all(|it| it.state == "dead" && it.attempts == 1);
    storm.found(
        "D13",
        one + two == LETTERS && later == 0 && again && dead,
        format!(
            "of {LETTERS} dead letters two at once drove {one} and {two} \
             again, and {later} were left; each began anew once: {again}; \
             dead again: {dead}"
        ),
    );
    Ok(())
}

/// D14: what either release submits, the other runs; and one that is too old
/// for the tables says so, and touches nothing.
fn releases(storm: &mut Storm) -> Result<()> {
    let ran = |by_new: bool, in_new: bool| {
        let is_theirs = |key: &str| {
            let (slot, _) = key.strip_prefix('p')?.split_once('-')?;
            let slot: usize = slot.parse().ok()?;
            // Every other producer is of the next release, as of workers.
            Some(slot < PRODUCERS && (slot % 2 == 1) == by_new)
        };
        let starts = storm.follow.starts.iter();
        let theirs = starts.filter(|(key, _)| is_theirs(key) == Some(true));
        let starts = theirs.flat_map(|(_, starts)| starts);
        starts.filter(|it| it.is_new == in_new).count()
    };
    let (forward, backward) = (ran(false, true), ran(true, false));
    storm.fleet(2)?;
    let warm = storm.submit("d14-before", What::Good)?;
    storm.finish(&[warm], LONG)?;
    let target = storm.target.clone();
    set_form(&target, true)?;
    let refused = match target.queue::<NewJob>(|it| it) {
        Err(error) => error.to_string(),
        Ok(_) => String::new(),
    };
    set_form(&target, false)?;
    let says = refused.contains("this program knows");
    let after = storm.submit("d14-after", What::Good)?;
    let after = storm.finish(&[after], LONG)?;
    let after = after[0].state == "done" && after[0].attempts == 1;
    storm.found(
        "D14",
        forward > 0 && backward > 0 && says && after,
        format!(
            "{forward} jobs of the old release ran in the new one, and \
             {backward} the other way; newer tables are refused ({refused}); \
             it goes on: {after}"
        ),
    );
    Ok(())
}

/// Marks the tables as of a later form, or of their own again.
fn set_form(target: &Target, is_later: bool) -> Result<()> {
    match target {
        Target::Sqlite(path) => {
            let db = rusqlite::Connection::open(path)?;
            db.busy_timeout(LONG)?;
            db.execute_batch(match is_later {
                true => "INSERT INTO manyhands_form (version) VALUES (99)",
                false => "DELETE FROM manyhands_form WHERE version = 99",
            })?;
        }
        Target::Postgres(url) => {
            let form = "obj_description('manyhands'::regnamespace, \
                        'pg_namespace')";
            let (old, new) = match is_later {
                true => ("'schema '", "'schema 99'"),
                false => ("'schema 99'", "'schema '"),
            };
            sql(
                url,
                &format!(
                    "DO $$ BEGIN EXECUTE format('COMMENT ON SCHEMA manyhands \
                     IS %L', replace({form}, {old}, {new})); END $$"
                ),
            )?;
        }
        Target::Broken(..) => {}
    }
    Ok(())
}

/// D15: what runs ends or is given back, at once.
fn term(storm: &mut Storm) -> Result<()> {
    storm.still();
    let mut arguments = storm.worker(0);
    arguments.extend(["--grace".into(), "600".into()]);
    storm.hire(arguments, false, How::default())?;
    let long = storm.submit("d15-long", What::Deaf(3000))?;
    storm.wait(LONG, "the long job", |storm| {
        Ok(storm.follow.of("d15-long").len() == 1)
    })?;
    let short = storm.submit("d15-short", What::Slow(300))?;
    storm.wait(LONG, "the short job", |storm| {
        Ok(storm.follow.of("d15-short").len() == 1)
    })?;
    let arguments = storm.worker(0);
    storm.hire(arguments, false, How::default())?;
    // It is there when it has done something: the first has one thread less
    // for each of these, and the second all.
    let told = storm.clock();
    let mut process = storm.workers[0].process.take().context("no worker")?;
    let status = process.stop(Duration::from_secs(10))?;
    let stopped = Duration::from_micros(storm.clock() - told);
    let kept = storm.finish(&[long, short], LONG)?;
    let again = storm.follow.of("d15-long").get(1).map(|it| it.at - told);
    let again = Duration::from_micros(again.unwrap_or(u64::MAX));
    let attempts: Vec<u32> = kept.iter().map(|it| it.attempts).collect();
    let short = storm.follow.of("d15-short").len();
    // Before its lease would have been over.
    let holds = status.success()
        && short == 1
        && again < Duration::from_millis(2_500)
        && stopped < Duration::from_millis(2_000);
    storm.found(
        "D15",
        holds,
        format!(
            "stopped in {:.2} s with a grace of 0.6 s ({status}); what ran too \
             long began again after {:.2} s; the other began {short} times; \
             attempts {attempts:?}",
            stopped.as_secs_f64(),
            again.as_secs_f64()
        ),
    );
    Ok(())
}

/// Makes a backlog behind all other jobs.
pub(crate) fn backlog(storm: &mut Storm, jobs: usize) -> Result<()> {
    const BATCH: usize = 10_000;
    let queue: JobQueue<StormJob> = storm.target.queue(|it| it)?;
    let began = Instant::now();
    for first in (0..jobs).step_by(BATCH) {
        let numbers = first..jobs.min(first + BATCH);
        let made = numbers.map(|number| {
            StormJob::new(format!("behind-{number}"), What::Good)
        });
        let made: Vec<_> = made.collect();
        let intents = made.iter().map(|job| Entry::Intent {
            key: job.key.clone(),
            checksum: job.checksum(),
            serial: None,
        });
        job::say_all(&intents.collect::<Vec<_>>())?;
        let keys: Vec<_> = made.iter().map(|job| job.key.clone()).collect();
        let made = made.into_iter().map(|job| {
            let how = how(&job, None).priority(-1);
            (job, how)
        });
        let ids = queue.submit_all(made)?;
        let committed = keys.into_iter().zip(ids);
        let committed =
            committed.map(|(key, id)| Entry::Committed { key, id: id.get() });
        job::say_all(&committed.collect::<Vec<_>>())?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = jobs as f64 / seconds;
    say(&format!("{jobs} jobs behind, at {rate:.0} a second"))
}

/// D16: how long a job waits that is before a million others.
pub(crate) fn behind(storm: &mut Storm) -> Result<()> {
    if storm.run.behind.is_none() {
        return none(storm, "D16", "it takes --large, or --behind");
    }
    act(storm, "D16", urgent)
}

fn urgent(storm: &mut Storm) -> Result<()> {
    const JOBS: usize = 300;
    if let Target::Postgres(url) = &storm.target {
        watch_claims(url, true)?;
    }
    storm.fleet(storm.run.workers)?;
    storm.wait(LONG, "workers", |storm| {
        let pids = storm.follow.starts.values().flatten().map(|it| it.pid);
        let pids: BTreeSet<u32> = pids.collect();
        Ok(pids.len() >= storm.run.workers)
    })?;
    let before = storm.target.counts()?.ready;
    let mut submitted = Vec::new();
    for number in 0..JOBS {
        let key = format!("d16-{number}");
        storm.submit(&key, What::Good)?;
        submitted.push((key, storm.clock()));
        storm.pause(Duration::from_millis(20))?;
    }
    storm.wait(LONG, "the jobs before", |storm| {
        let begun =
            |(key, _): &(String, u64)| !storm.follow.of(key).is_empty();
        Ok(submitted.iter().all(begun))
    })?;
    let after = storm.target.counts()?.ready;
    let waits = submitted.iter().map(|(key, at)| {
        let began = storm.follow.of(key)[0].at;
        Duration::from_micros(began.saturating_sub(*at))
    });
    let (half, most) = middle_and_most(waits.collect());
    let (is_bounded, claims) = match &storm.target {
        Target::Postgres(url) => {
            watch_claims(url, false)?;
            let server = storm.server.as_ref().context("no server")?;
            let (holds, said) =
                claim_plans(&std::fs::read_to_string(server.log())?)?;
            // The claim itself is timed; that nobody waited for a poll is
            // seen from outside.
            (holds && most < POLL, said)
        }
        // Its plans have a test of their own.
        _ => (most < CLAIM, String::new()),
    };
    storm.found(
        "D16",
        is_bounded && after > 0,
        format!(
            "with {before} to {after} ready behind, a job began {half:.1?} \
             after it was stored, {most:.1?} at the 99th percentile{claims}"
        ),
    );
    Ok(())
}

fn middle_and_most(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied();
    (at(50).unwrap_or_default(), at(99).unwrap_or_default())
}

/// Has the server log how it runs the statements of new connections.
fn watch_claims(url: &str, watches: bool) -> Result<()> {
    let set = match watches {
        true => "SET session_preload_libraries = 'auto_explain'",
        false => "RESET session_preload_libraries",
    };
    sql(url, &format!("ALTER SYSTEM {set}"))?;
    sql(url, "SELECT pg_reload_conf()")?;
    Ok(())
}

/// Whether all claims in a server's log went by indexes, and how long they
/// took.
fn claim_plans(log: &str) -> Result<(bool, String)> {
    let mut times = Vec::new();
    let mut scans = 0;
    for entry in log.split(" LOG:  duration: ").skip(1) {
        if !entry.contains("skip locked") || !entry.contains("_private_jobs") {
            continue;
        }
        let (millis, plan) = entry.split_once(" ms").context("no time")?;
        times.push(Duration::from_secs_f64(millis.parse::<f64>()? / 1000.0));
        scans += usize::from(plan.contains("Seq Scan on _private_jobs"));
    }
    if times.is_empty() {
        bail!("the server logged no claim");
    }
    let count = times.len();
    let (half, most) = middle_and_most(times);
    let said = format!(
        "; {count} claims took the server {half:.2?}, {most:.2?} at the 99th \
         percentile, and {scans} of them looked at all rows"
    );
    Ok((scans == 0 && most < CLAIM, said))
}

/// D17: who does not hear of a job finds it.
fn lost_wake_up(storm: &mut Storm) -> Result<()> {
    let Target::Postgres(url) = storm.target.clone() else {
        return none(storm, "D17", "a file wakes nobody: it is polled");
    };
    storm.still();
    let arguments = storm.worker(0);
    storm.hire(arguments, true, How::default())?;
    let listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND query ILIKE 'listen%'";
    let lost = |storm: &Storm| storm.proxy.as_ref().map_or(0, Proxy::lost);
    let deafen = |storm: &Storm, deafens| {
        if let Some(proxy) = &storm.proxy {
            proxy.deafen(deafens);
        }
    };
    // A worker finds jobs before it listens: then nobody is told of them.
    deafen(storm, true);
    let before = lost(storm);
    for number in 0..100 {
        let job = storm.submit(&format!("d17-warm-{number}"), What::Good)?;
        storm.finish(&[job], LONG)?;
        if lost(storm) > before {
            break;
        }
    }
    let before = lost(storm);
    let mut worst = Duration::ZERO;
    let mut cut = 0;
    for number in 0..10 {
        // Some are told to nobody, and for some there is nobody to be told.
        match number < 5 {
            true => deafen(storm, true),
            false => cut += sql(&url, listening)?.len(),
        }
        let key = format!("d17-{number}");
        storm.submit(&key, What::Good)?;
        let at = storm.clock();
        storm.wait(LONG, "a job nobody was told of", |storm| {
            Ok(!storm.follow.of(&key).is_empty())
        })?;
        let began = storm.follow.of(&key)[0].at;
        let wait = Duration::from_micros(began.saturating_sub(at));
        worst = worst.max(wait);
        if number == 4 {
            storm.wait(LONG, "five wake-ups that are lost", |storm| {
                Ok(lost(storm) >= before + 5)
            })?;
            deafen(storm, false);
        }
    }
    let lost = lost(storm) - before;
    let holds = worst < POLL * 2 + Duration::from_millis(1000);
    storm.found(
        "D17",
        holds && lost >= 5 && cut > 0,
        format!(
            "{lost} wake-ups were lost, and {cut} listening connections ended; \
             a job began {:.0} ms after it was stored at worst, with a poll of \
             {POLL:?}",
            worst.as_secs_f64() * 1000.0
        ),
    );
    Ok(())
}

/// D18: names that are SQL, and a password that is nobody's business.
fn hostile(storm: &mut Storm) -> Result<()> {
    storm.fleet(1)?;
    let key = "d18 '; DROP TABLE jobs; -- \" \\ $1 %s";
    let id = storm.submit(key, What::Good)?;
    let kept = storm.finish(&[id], LONG)?;
    let done = kept[0].state == "done";
    let admin = Admin::open(&storm.target.to_string())?;
    let refused = matches!(admin.pause("x'; DROP"), Err(Error::Invalid(_)));
    let kind = Filter::new().kind("x' OR 'x' = 'x");
    let none = admin.list(&kind)?.is_empty() && admin.purge(&kind)? == 0;
    let injected = match &storm.target {
        Target::Postgres(url) => injected(url)?,
        _ => true,
    };
    let url = format!("postgres://u:{PASSWORD}@127.0.0.1:1/jobs");
    let mut said = format!("{:?}", Admin::open(&url).map(drop));
    let open = Target::Postgres(url).queue::<NewJob>(|it| it);
    said += &format!("{open:?}");
    if let Target::Postgres(url) = &storm.target {
        // A server that is there, and refuses it.
        let wrong = url.replace("storm:", "nobody:");
        said += &format!("{:?}", Admin::open(&wrong).map(drop));
    }
    let told = said.contains(PASSWORD) || open.is_ok();
    // Nor is that of the server, by anybody who worked with it.
    let logs = std::fs::read_dir(storm.folder.join("logs"))?;
    let logs = logs.map(|it| Ok(it?.path()));
    let mut logs = logs.collect::<Result<Vec<_>>>()?;
    logs.extend(storm.server.as_ref().map(Server::log));
    let mut shown = 0;
    for log in &logs {
        let text = std::fs::read(log)?;
        shown += usize::from(contains(&text, PASSWORD));
    }
    storm.found(
        "D18",
        done && refused && none && injected && !told && shown == 0,
        format!(
            "a key of SQL is a key: {done}; a kind of SQL is refused: \
             {refused}, also in SQL: {injected}, and matches nothing: {none}; \
             a password is told by an error: {told}, and by {shown} of {} logs",
            logs.len()
        ),
    );
    Ok(())
}

fn contains(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|it| it == word.as_bytes())
}

/// Whether the function that submits takes SQL for a word, or refuses it.
fn injected(url: &str) -> Result<bool> {
    let count = "SELECT count(*) FROM graphile_worker._private_jobs";
    let before = sql(url, count)?;
    let hostile = "x''); DROP SCHEMA manyhands CASCADE; --";
    let refused = [
        format!("SELECT manyhands.submit('{hostile}', '{{}}')"),
        "SELECT manyhands.submit(NULL, '{}')".into(),
        "SELECT manyhands.submit('', '{}')".into(),
        "SELECT manyhands.submit('storm', '{')".into(),
        "SELECT manyhands.submit('storm', '{}', key => '')".into(),
        "SELECT manyhands.submit('storm', '{}', max_attempts => 0)".into(),
        format!(
            "SELECT manyhands.submit_many('{hostile}', '{{\"{{}}\"}}', \
                 '{{null}}', '{{null}}', '{{0}}', '{{null}}', '{{null}}', \
                 '{{1}}', '{{null}}')"
        ),
    ];
    let refused = refused.iter().all(|it| sql(url, it).is_err());
    // As a key, a serial word and a payload it is what it is.
    let stored = sql(
        url,
        &format!(
            "BEGIN; SELECT manyhands.submit('hostile', '\"{hostile}\"', \
             key => '{hostile}', serial => '{hostile}'); SELECT key FROM \
             manyhands.keys WHERE kind = 'hostile'; ROLLBACK"
        ),
    )?;
    let is_word = stored.last() == Some(&hostile.replace("''", "'"));
    Ok(refused && is_word && sql(url, count)? == before)
}

/// D19: a server that has become a standby says no, and no Ok.
fn read_only(storm: &mut Storm) -> Result<()> {
    let Target::Postgres(url) = storm.target.clone() else {
        return none(storm, "D19", "a file has no standby");
    };
    const ASKED: usize = 5;
    storm.fleet(2)?;
    // Of one that was opened before, and that stays open.
    let before = Sender::<StormJob>::open(&storm.target)?;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND datname = current_database()";
    let turn = |word: &str| {
        // Its own session may write all the same.
        let may =
            format!("{url}?options=-c%20default_transaction_read_only%3Doff");
        let set = "ALTER DATABASE postgres SET default_transaction_read_only";
        sql(&may, &format!("{set} = {word}"))?;
        sql(&may, others)
    };
    turn("on")?;
    let during = quickly(&storm.target);
    let mut accepted = 0;
    let mut refused = 0;
    let mut error = String::new();
    let is_open = during.is_ok();
    for sender in std::iter::once(&before).chain(during.as_ref().ok()) {
        for _ in 0..ASKED {
            let number = accepted + refused;
            let job = StormJob::new(format!("d19-{number}"), What::Good);
            let (key, checksum) = (job.key.clone(), job.checksum());
            job::say(&Entry::Intent { key, checksum, serial: None })?;
            match sender.submit(&[(job.clone(), None)]) {
                Ok(_) => accepted += 1,
                Err(why) => {
                    refused += 1;
                    error = why.to_string();
                    if matches!(why, Error::Store(_) | Error::Invalid(_)) {
                        job::say(&Entry::Refused { key: job.key })?;
                    }
                }
            }
        }
    }
    let all = if is_open { 2 * ASKED } else { ASKED };
    storm.pause(Duration::from_secs(1))?;
    turn("off")?;
    // The same queue, and the same workers, go on.
    let job = StormJob::new("d19-after".into(), What::Good);
    let (key, checksum) = (job.key.clone(), job.checksum());
    let intent = Entry::Intent { key: key.clone(), checksum, serial: None };
    job::say(&intent)?;
    let items = [(job, None)];
    let ids = patiently(|| before.submit(&items))?;
    let id = ids.first().copied().context("no id")?;
    job::say(&Entry::Committed { key, id })?;
    let kept = storm.finish(&[id], LONG)?;
    let goes_on = kept[0].state == "done";
    let opens = quickly(&storm.target).is_ok();
    storm.found(
        "D19",
        accepted == 0 && refused == all && goes_on && opens,
        format!(
            "read only, {refused} of {all} jobs were refused ({error}), by \
             queues opened before, and meanwhile: {is_open}; afterwards the \
             same goes on: {goes_on}, and it opens: {opens}"
        ),
    );
    Ok(())
}

/// Asks once.
fn quickly(target: &Target) -> Result<Sender<StormJob>, Error> {
    Ok(Sender::Real(Box::new(target.queue(|it| it)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(time: &str, query: &str, plan: &str) -> String {
        format!(
            "2026-01-01 UTC [7] LOG:  duration: {time} ms  plan:\n\
             \tQuery Text: {query}\n\t{plan}\n"
        )
    }

    #[test]
    fn a_claim_that_looks_at_all_rows_or_is_slow_is_found_in_the_log() {
        let claim = "select from _private_jobs for update skip locked";
        let by_index = "Index Scan using a on _private_jobs";
        let good = entry("0.5", claim, by_index);
        let other = entry("99.5", "select 1", "Seq Scan on _private_jobs");
        let judged = |log: &[&str]| claim_plans(&log.concat()).unwrap().0;
        assert!(judged(&[&good, &other, &good]));
        let scan = entry("0.5", claim, "Seq Scan on _private_jobs jobs");
        assert!(!judged(&[&good, &scan]));
        let slow = entry("50.5", claim, by_index);
        assert!(!judged(&[&good, &slow]));
        assert!(claim_plans(&other).is_err(), "no claim is no proof");
    }
}
