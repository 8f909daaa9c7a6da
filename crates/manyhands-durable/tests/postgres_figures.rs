//! How fast the queue on PostgreSQL is: not run by itself, since it proves
//! nothing and takes its time. In release, `--ignored --nocapture`.

#![cfg(feature = "postgres")]

use std::process::Command;
use std::time::{Duration, Instant};

use manyhands_durable::{Attempt, DurableJob, Failure, JobQueue, Submission};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Nothing {
    n: u64,
}

impl DurableJob for Nothing {
    const KIND: &'static str = "nothing";
    type Output = ();

    fn run(self, _: &Attempt) -> Result<(), Failure> {
        Ok(())
    }
}

fn sql(url: &str, text: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let all = client.simple_query(text).await.unwrap();
        let mut lines = String::new();
        for message in all {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                lines.push_str(row.get(0).unwrap_or_default());
                lines.push('\n');
            }
        }
        lines
    })
}

fn drain(url: &str, processes: usize) {
    let queue = JobQueue::<Nothing>::postgres(url, 8).unwrap();
    let stored = Instant::now();
    for part in 0..10 {
        let jobs = (0..10_000)
            .map(|n| (Nothing { n: part * 10_000 + n }, Submission::new()));
        queue.submit_all(jobs).unwrap();
    }
    let took = stored.elapsed();
    println!("bulk: {:.0}/s", 1e5 / took.as_secs_f64());
    sql(url, "vacuum analyze graphile_worker._private_jobs");
    let before = queue.counts().unwrap().done;
    let began = Instant::now();
    let mut others: Vec<_> = (0..processes)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "works", "--nocapture"])
                .env("MANYHANDS_FIGURES_URL", url)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    loop {
        let done: u64 = sql(url, "select count(*) from manyhands.done")
            .trim()
            .parse()
            .unwrap();
        if done >= before + 100_000 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{done} done");
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = began.elapsed().as_secs_f64();
    println!("{processes} x 8: 100000 in {took:.2} s, {:.0}/s", 1e5 / took);
    for other in &mut others {
        other.kill().unwrap();
        other.wait().unwrap();
    }
}

/// Not a figure: what the processes of `figures` do.
#[test]
#[ignore = "a part of figures"]
fn works() {
    let Ok(url) = std::env::var("MANYHANDS_FIGURES_URL") else { return };
    let queue = JobQueue::<Nothing>::postgres(&url, 8).unwrap();
    queue.start().unwrap();
    std::thread::sleep(Duration::from_secs(180));
}

#[test]
#[ignore = "takes its time"]
fn figures() {
    let Ok(server) = std::env::var("MANYHANDS_TEST_POSTGRES") else { return };
    let name = format!("mh_figures_{}", std::process::id());
    sql(&server, &format!("create database {name}"));
    let (base, _) = server.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}");
    let queue = JobQueue::<Nothing>::postgres(&url, 8).unwrap();
    for threads in [1, 8] {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for n in 0..4000 / threads {
                        queue.submit(Nothing { n }).unwrap();
                    }
                });
            }
        });
        let took = began.elapsed().as_secs_f64();
        println!("singly, {threads} threads: {:.0}/s", 4000.0 / took);
    }
    sql(&url, "truncate graphile_worker._private_jobs cascade");
    drain(&url, 1);
    drain(&url, 2);
    // A backlog, and as much for later.
    for at in ["now()", "now() + interval '1 day'"] {
        sql(
            &url,
            &format!(
                "insert into graphile_worker._private_jobs \
                 (task_id, payload, run_at, max_attempts) \
                 select t.id, ('{{\"v\":1,\"at\":0,\"job\":{{\"n\":' || n \
                     || '}}}}')::json, {at}, 10 \
                 from graphile_worker._private_tasks t, \
                     generate_series(1, 1000000) n \
                 where identifier = 'nothing'"
            ),
        );
    }
    sql(&url, "analyze graphile_worker._private_jobs");
    let claim = "explain (analyze, buffers) with j as (select id from \
        graphile_worker._private_jobs as jobs where jobs.is_available = true \
        and run_at <= now() and task_id = (select id from \
        graphile_worker._private_tasks where identifier = 'nothing') and ( \
        jobs.job_queue_id is null or jobs.job_queue_id in (select id from \
        graphile_worker._private_job_queues q where q.is_available = true \
        for update skip locked)) order by priority, run_at limit 16 \
        for update skip locked) select count(*) from j";
    println!("{}", sql(&url, claim));
    println!("{}", sql(&url, claim));
    let began = Instant::now();
    println!("counts: {:?}", queue.counts().unwrap());
    println!("counts took {:?}", began.elapsed());
    drain_behind(&url);
    drop(queue);
    sql(&server, &format!("drop database {name} with (force)"));
}

/// So many a second with a backlog behind.
fn drain_behind(url: &str) {
    let queue = JobQueue::<Nothing>::postgres(url, 8).unwrap();
    let before = queue.counts().unwrap().done;
    queue.start().unwrap();
    std::thread::sleep(Duration::from_secs(5));
    queue.stop();
    let done = queue.counts().unwrap().done - before;
    println!("with a million behind: {:.0}/s", done as f64 / 5.0);
}
