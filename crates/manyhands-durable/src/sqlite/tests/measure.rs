//! How fast it is: run by hand, in a release build, with nothing else.

use super::*;

fn report(what: &str, jobs: usize, since: Instant) {
    let took = since.elapsed().as_secs_f64();
    println!("{what}: {jobs} in {took:.2} s, {:.0}/s", jobs as f64 / took);
}

fn many(number: usize, how: &Submission) -> Vec<NewJob> {
    let body = r#"{"to":"ada@example.org","text":"welcome"}"#;
    (0..number).map(|_| job("k", body, how.clone())).collect()
}

/// 99 of 100 were faster.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

fn claims(at: &Place, what: &str) {
    let mut times = Vec::new();
    let mut claimed = 0;
    for number in 0..300 {
        let token = number.to_string();
        let start = Instant::now();
        let jobs = at.take_by(&token, 8).jobs;
        times.push(start.elapsed());
        claimed += jobs.len();
        for given in jobs {
            assert!(at.end(&token, given.id, done()));
        }
    }
    let most = times.iter().max().copied().unwrap();
    let p99 = p99(times);
    println!("claim of 8, {what}: p99 {p99:?}, most {most:?}, got {claimed}");
    assert!(p99 < Duration::from_millis(50), "{p99:?}");
}

#[test]
#[ignore = "a measurement"]
fn a_claim_is_fast_whatever_waits() {
    const MILLION: usize = 1_000_000;
    let at = Place::new();
    for _ in 0..MILLION / 10_000 {
        at.put_all(many(10_000, &Submission::new())).unwrap();
    }
    claims(&at, "a million ready");
    let start = Instant::now();
    let counts = at.counts().unwrap();
    println!("counts: {:?}, {counts:?}", start.elapsed());
    at.conn().execute_batch("ANALYZE").unwrap();
    let analysed = Sqlite::open(&at.path()).unwrap();
    let at = Place { folder: at.folder, store: analysed };
    claims(&at, "a million ready, analysed");

    let at = Place::new();
    let later = Submission::new().after(Duration::from_secs(9999));
    for number in 0..MILLION / 10_000 {
        let later = later.clone().priority((number % 10) as i16);
        at.put_all(many(10_000, &later)).unwrap();
    }
    claims(&at, "a million later, none ready");
    at.put_all(many(8000, &Submission::new().priority(-1))).unwrap();
    claims(&at, "a million later, 8000 ready");
    let start = Instant::now();
    at.counts().unwrap();
    println!("counts: {:?}", start.elapsed());

    let at = Place::new();
    let mut jobs = many(MILLION / 10, &Submission::new());
    for (number, job) in jobs.iter_mut().enumerate() {
        job.kind = format!("kind-{}", number % 10_000);
    }
    at.put_all(jobs).unwrap();
    at.put_all(many(8000, &Submission::new())).unwrap();
    claims(&at, "10 000 kinds");
    let start = Instant::now();
    at.counts().unwrap();
    println!("counts: {:?}", start.elapsed());

    let at = Place::new();
    let serial = Submission::new().serial("one");
    at.put_all(many(MILLION / 10, &serial)).unwrap();
    claims(&at, "100 000 in one line");

    let at = Place::new();
    at.put_all(many(MILLION / 10, &later)).unwrap();
    at.conn().execute_batch("UPDATE _honker_live SET run_at = 1000").unwrap();
    claims(&at, "100 000 that fall due at once");
}

#[test]
#[ignore = "a measurement"]
fn throughput() {
    let at = Place::new();
    let start = Instant::now();
    for _ in 0..2000 {
        at.put(Submission::new());
    }
    report("submitted singly", 2000, start);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    at.put(Submission::new());
                }
            });
        }
    });
    report("submitted by 8 threads", 8000, start);
    let start = Instant::now();
    for _ in 0..100 {
        at.put_all(many(1000, &Submission::new())).unwrap();
    }
    report("submitted by 1000", 100_000, start);
    for (batch, rounds) in [(8, 1000), (64, 1000)] {
        let start = Instant::now();
        for number in 0..rounds {
            let token = format!("{batch}-{number}");
            let jobs = at.take_by(&token, batch).jobs;
            assert_eq!(jobs.len(), batch);
            let settled = jobs.into_iter().map(|given| Settled {
                hold: Hold { id: given.id, token: token.clone() },
                what: done(),
            });
            let all = at.settle(settled.collect()).unwrap();
            assert!(all.into_iter().all(|held| held));
        }
        let what = format!("claimed and settled by {batch}");
        report(&what, batch * rounds, start);
    }
}
