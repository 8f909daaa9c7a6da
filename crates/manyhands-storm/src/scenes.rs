//! One fault each, as exactly as can be: what is waited for is in a ledger.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use manyhands_durable::{Admin, Error, Filter, JobId, JobQueue, Submission};
use nix::sys::signal::Signal;

use crate::crash::{SUBMITTING, WORKING};
use crate::fleet::{How, faketime};
use crate::job::{self, Alien, NewJob, StormJob, What};
use crate::ledger::Entry;
use crate::oracle::Kept;
use crate::server::sql;
use crate::storm::{Storm, say};
use crate::target::{LEASE, POLL, Sender, Target, how};

/// Within this time a vanished worker is noticed, and its job begun by
/// another: four thirds of the lease, a poll, and what two cores need.
const NOTICED: Duration = Duration::from_millis(4_000 + 250 + 1_500);

/// Nothing takes longer than this, unless it hangs.
const LONG: Duration = Duration::from_secs(45);

/// All scenes of the storm's faults.
pub(crate) fn play(storm: &mut Storm) -> Result<()> {
    type Scene = fn(&mut Storm) -> Result<()>;
    let scenes: [(&'static str, Scene); 15] = [
        ("D01", points),
        ("D02", zombie),
        ("D06", poison),
        ("D07", longer_than_the_lease),
        ("D08", clocks),
        ("D09", all_at_once),
        ("D10", all_die),
        ("D11", full_disk),
        ("D12", payloads),
        ("D13", driven_again),
        ("D15", term),
        ("D16", behind),
        ("D17", lost_wake_up),
        ("D18", hostile),
        ("D19", read_only),
    ];
    for (fault, scene) in scenes {
        let fits = storm.is_real() || matches!(fault, "D02" | "D09" | "D10");
        if !fits || !storm.faults.contains(fault) {
            continue;
        }
        let began = Instant::now();
        if let Err(error) = scene(storm) {
            storm.found(fault, false, format!("{error:#}"));
        }
        say(&format!("{fault}: {:.1} s", began.elapsed().as_secs_f64()))?;
    }
    Ok(())
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
        let mut ids = Vec::new();
        // Of each kind enough for two lives.
        for number in 0..8 {
            let what = match point {
                "during-heartbeat" => What::Slow(2500),
                "during-nack" => What::Fails(1),
                "during-dead-letter" => What::Permanent,
                _ => What::Good,
            };
            ids.push(storm.submit(&format!("d01-{point}-{number}"), what)?);
        }
        let after = storm.rng.u64(..3);
        let crash = Some((point.to_owned(), after));
        let how = How { crash, ..How::default() };
        let target = storm.target.clone();
        let arguments = storm.worker(0);
        let mut process = storm.yard.start(&target, &arguments, &how)?;
        let until = Instant::now() + LONG;
        let status = loop {
            if let Some(status) = process.ended() {
                break status;
            }
            if Instant::now() > until {
                bail!("{point}: no worker came there within {LONG:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
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

/// Stops a process, and not where it has a file's lock: nobody else could
/// write then, which is a fault of another kind.
fn freeze(storm: &mut Storm, pid: u32) -> Result<Instant> {
    loop {
        signal(storm, pid, Signal::SIGSTOP)?;
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
    let processes = storm.workers.iter().filter_map(|it| it.process.as_ref());
    let mut processes = processes.filter(|it| it.id() == pid);
    processes.next().context("no such worker")?.signal(signal);
    Ok(())
}

/// D06: what poison costs the others.
fn poison(storm: &mut Storm) -> Result<()> {
    const JOBS: usize = 200;
    let mut times = Vec::new();
    for poisoned in [false, true] {
        storm.still();
        let mut jobs = Vec::new();
        for number in 0..JOBS {
            let key = format!("d06-{poisoned}-{number}");
            jobs.push(StormJob::new(key, What::Slow(40)));
            if poisoned && number % 10 == 0 {
                let key = format!("d06-poison-{number}");
                jobs.push(StormJob::new(key, What::Poison));
            }
        }
        storm.submit_all(jobs)?;
        storm.fleet(1)?;
        let mut span = (u64::MAX, 0);
        storm.wait(LONG, "good jobs beside poison", |storm| {
            let good = format!("d06-{poisoned}-");
            let good = storm.follow.starts.iter().filter(|(key, starts)| {
                key.starts_with(&good)
                    && starts.iter().any(|it| {
                        let attempt = (it.id, it.attempt);
                        storm.follow.ends.contains_key(&attempt)
                    })
            });
            let mut count = 0;
            for (_, starts) in good {
                count += 1;
                for start in starts {
                    let attempt = (start.id, start.attempt);
                    let end = storm.follow.ends.get(&attempt).copied();
                    span.0 = span.0.min(start.at);
                    span.1 = span.1.max(end.unwrap_or(0));
                }
            }
            Ok(count == JOBS)
        })?;
        times.push((span.1 - span.0) as f64 / 1e6);
    }
    let part = times[0] / times[1];
    storm.found(
        "D06",
        part >= 0.9 || !storm.run.large && part >= 0.5,
        format!(
            "{JOBS} good jobs took {:.2} s, and {:.2} s beside poison: {:.0} % \
             of the throughput",
            times[0],
            times[1],
            100.0 * part
        ),
    );
    Ok(())
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
    let jobs = (0..count)
        .map(|number| StormJob::new(format!("d09-{number}"), What::Good));
    let ids = storm.submit_all(jobs.collect())?;
    let workers = storm.run.workers;
    storm.fleet(workers)?;
    let long = if storm.run.large { LONG * 10 } else { LONG };
    let kept = storm.finish(&ids, long)?;
    let once = |it: &&Kept| it.attempts == 1;
    let once = kept.iter().filter(once).count();
    let starts: usize = (0..count)
        .map(|number| storm.follow.of(&format!("d09-{number}")).len())
        .sum();
    storm.found(
        "D09",
        once == count && starts == count,
        format!("{count} jobs, {workers} workers: {starts} starts"),
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
    let before = storm.follow.committed;
    let mut process = storm.yard.start(&target, &arguments, &how)?;
    storm.pause(Duration::from_secs(4))?;
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
        format!("{while_full} of {all} jobs were accepted before it was full"),
    );
    Ok(())
}

/// The server's data is on a small disk, which something else fills.
fn full_server(storm: &mut Storm, arguments: &[String]) -> Result<()> {
    let server = storm.server.as_ref().context("no server")?;
    let Some(folder) = server.small_disk() else {
        return none(storm, "D11", "no small disk can be mounted here");
    };
    let ballast = folder.join("ballast");
    let before = storm.follow.committed;
    fill(&ballast)?;
    let target = storm.target.clone();
    let mut process = storm.yard.start(&target, arguments, &How::default())?;
    storm.pause(Duration::from_secs(5))?;
    let while_full = storm.follow.committed - before;
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
        while_full < all,
        format!(
            "{while_full} of {all} jobs were accepted while it was full; the \
             server stood: {stood}"
        ),
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
    storm.fleet(1)?;
    let key = |number: i32| format!("d13-{number}");
    let ids: Vec<i64> = (0..3)
        .map(|number| storm.submit(&key(number), What::Permanent))
        .collect::<Result<_>>()?;
    storm.finish(&ids, LONG)?;
    storm.still();
    for (number, id) in (0..).zip(&ids) {
        storm.redrive(*id, &key(number))?;
    }
    let admin = Admin::open(&storm.target.to_string())?;
    let dead = || {
        let ids = ids.iter().map(|id| JobId::new(*id));
        Filter::new().ids(ids).state(manyhands_durable::State::Dead)
    };
    let first = admin.retry(&dead())?;
    let second = admin.retry(&dead())?;
    drop(admin);
    storm.fleet(1)?;
    let kept = storm.finish(&ids, LONG)?;
    let again = (0..3).all(|number| {
        // The first time, a busy machine may have needed more attempts.
        let starts = storm.follow.of(&key(number));
        starts.len() > 1 && starts.last().is_some_and(|it| it.attempt == 1)
    });
    let dead = kept.iter().all(|it| it.state == "dead" && it.attempts == 1);
    storm.found(
        "D13",
        first == 3 && second == 0 && again && dead,
        format!(
            "of 3 dead letters {first} were driven again, and {second} the \
             second time; each ran again as its first attempt: {again}; dead \
             again: {dead}"
        ),
    );
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
        let made = made.into_iter().map(|job| {
            let how = how(&job, None).priority(-1);
            (job, how)
        });
        let ids = queue.submit_all(made)?;
        storm.behind.extend(ids.iter().map(|id| id.get()));
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = jobs as f64 / seconds;
    say(&format!("{jobs} jobs behind, at {rate:.0} a second"))
}

/// D16: how long a job waits that is before a million others.
fn behind(storm: &mut Storm) -> Result<()> {
    if storm.behind.is_empty() {
        return none(storm, "D16", "it takes --large, or --behind");
    }
    let workers = storm.run.workers;
    storm.fleet(workers)?;
    storm.pause(Duration::from_secs(3))?;
    let mut submitted = Vec::new();
    for number in 0..300 {
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
    let waits = submitted.iter().map(|(key, at)| {
        storm.follow.of(key)[0].at.saturating_sub(*at) as f64 / 1000.0
    });
    let mut waits: Vec<f64> = waits.collect();
    waits.sort_by(f64::total_cmp);
    let (half, most) = (waits[150], waits[297]);
    let count = storm.behind.len();
    storm.found(
        "D16",
        most < 1000.0,
        format!(
            "with {count} behind, a job began {half:.1} ms after it was \
             stored, {most:.1} ms at the 99th percentile"
        ),
    );
    Ok(())
}

/// D17: who does not hear of a job finds it.
fn lost_wake_up(storm: &mut Storm) -> Result<()> {
    let Target::Postgres(url) = storm.target.clone() else {
        return none(storm, "D17", "a file wakes nobody: it is polled");
    };
    storm.fleet(1)?;
    let warm = storm.submit("d17-warm", What::Good)?;
    storm.finish(&[warm], LONG)?;
    let listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND query ILIKE 'listen%'";
    let mut worst = Duration::ZERO;
    let mut cut = 0;
    for number in 0..5 {
        cut += sql(&url, listening)?.len();
        let key = format!("d17-{number}");
        storm.submit(&key, What::Good)?;
        let at = storm.clock();
        storm.wait(LONG, "a job nobody was told of", |storm| {
            Ok(!storm.follow.of(&key).is_empty())
        })?;
        let began = storm.follow.of(&key)[0].at;
        let wait = Duration::from_micros(began.saturating_sub(at));
        worst = worst.max(wait);
    }
    let holds = worst < POLL * 2 + Duration::from_millis(1000);
    storm.found(
        "D17",
        holds,
        format!(
            "{cut} listening connections ended; a job began {:.0} ms after it \
             was stored at worst, with a poll of {POLL:?}",
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
    let url = "postgres://u:s3cr3t@127.0.0.1:1/jobs";
    let open = Admin::open(url).map(drop);
    let queue = Target::Postgres(url.into())
        .queue::<NewJob>(|it| it)
        .map(|queue| format!("{queue:?}"));
    let said = format!("{open:?} {queue:?}");
    let kept = !said.contains("s3cr3t") && open.is_err();
    storm.found(
        "D18",
        done && refused && none && kept,
        format!(
            "a key of SQL is a key: {done}; a kind of SQL is refused: \
             {refused}, and matches nothing: {none}; a password is not told: \
             {kept}"
        ),
    );
    Ok(())
}

/// D19: a server that has become a standby says no, and no Ok.
fn read_only(storm: &mut Storm) -> Result<()> {
    let Target::Postgres(url) = storm.target.clone() else {
        return none(storm, "D19", "a file has no standby");
    };
    storm.fleet(2)?;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND datname = current_database()";
    sql(
        &url,
        "ALTER DATABASE postgres SET default_transaction_read_only = on",
    )?;
    sql(&url, others)?;
    let mut accepted = 0;
    let mut refused = 0;
    let mut error = String::new();
    // It cannot be opened, or opened and not written to.
    if let Ok(sender) = quickly(&storm.target) {
        for number in 0..5 {
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
    storm.pause(Duration::from_secs(1))?;
    let may =
        format!("{url}?options=-c%20default_transaction_read_only%3Doff");
    sql(
        &may,
        "ALTER DATABASE postgres SET default_transaction_read_only = off",
    )?;
    sql(&url, others)?;
    let id = storm.submit("d19-after", What::Good)?;
    storm.finish(&[id], LONG)?;
    storm.found(
        "D19",
        accepted == 0,
        format!(
            "read only, {accepted} jobs were accepted and {refused} refused \
             ({error}); after it they are done again"
        ),
    );
    Ok(())
}

/// Asks once.
fn quickly(target: &Target) -> Result<Sender<StormJob>, Error> {
    Ok(Sender::Real(Box::new(target.queue(|it| it)?)))
}
