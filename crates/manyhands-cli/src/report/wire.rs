//! The report as JSON: a shape of its own, apart from what the program works
//! with, so that the one can change without the other.

use serde::Serialize;

use super::Report;
use crate::stats::Ratio;

/// Changes when a field goes, or comes to mean something else.
const FORMAT: &str = "manyhands-compare/1";

pub(crate) fn json(report: &Report<'_>) -> anyhow::Result<String> {
    let wire = Wire::from(report);
    Ok(serde_json::to_string_pretty(&wire)? + "\n")
}

#[derive(Serialize)]
struct Wire<'a> {
    format: &'static str,
    version: &'static str,
    /// True if the comparison was interrupted.
    partial: bool,
    workload: WireWorkload<'a>,
    workers: usize,
    queue: usize,
    seed: u64,
    machine: WireMachine,
    /// Complete ones.
    rounds: usize,
    elapsed_ns: u64,
    /// All right, or there would be no report.
    answers_checked: u64,
    /// The baseline against itself.
    noise: Option<WireRatio>,
    best: Option<WireBest<'a>>,
    variants: Vec<WireVariant>,
    /// Raw times, in the order in which they were taken.
    runs: Vec<WireRun>,
}

#[derive(Serialize)]
struct WireWorkload<'a> {
    name: &'a str,
    summary: String,
    jobs: usize,
    /// Inputs that could not be read.
    unread: Vec<String>,
}

#[derive(Serialize)]
struct WireMachine {
    os: &'static str,
    arch: &'static str,
    cores: usize,
    /// From one core to another: the least and the most that was seen.
    cache_line_ns: Option<(f64, f64)>,
}

#[derive(Serialize)]
struct WireBest<'a> {
    variant: &'static str,
    /// Cannot be told apart from it.
    alike: &'a [&'static str],
}

#[derive(Serialize)]
struct WireVariant {
    variant: &'static str,
    /// Median.
    wall_ns: Option<f64>,
    jobs_per_second: Option<f64>,
    /// Times as fast as the baseline.
    speed: Option<WireRatio>,
    /// From submit to completion.
    p50_ns: Option<f64>,
    p99_ns: Option<f64>,
    verdict: &'static str,
}

#[derive(Serialize)]
struct WireRatio {
    estimate: f64,
    /// The 95 % interval; null where there are too few rounds.
    interval: Option<(f64, f64)>,
}

#[derive(Serialize)]
struct WireRun {
    /// From 1.
    round: usize,
    /// Which it was within its round, from 1.
    place: usize,
    variant: &'static str,
    wall_ns: u64,
}

impl<'a> From<&'a Report<'a>> for Wire<'a> {
    fn from(report: &'a Report<'a>) -> Self {
        let Report { plan, measured, rows, noise, best } = report;
        let machine = &measured.machine;
        let runs = (1..).zip(&measured.rounds).flat_map(|(number, round)| {
            (1..).zip(&round.order).filter_map(move |(place, &who)| {
                Some(WireRun {
                    round: number,
                    place,
                    variant: rows[who].name,
                    wall_ns: whole_nanos(round.walls[who]?),
                })
            })
        });
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            partial: measured.interrupted,
            workload: WireWorkload {
                name: plan.workload.name(),
                summary: plan.workload.summary(),
                jobs: plan.workload.len(),
                unread: plan.workload.unread().collect(),
            },
            workers: plan.config.workers().get(),
            queue: plan.config.queue(),
            seed: plan.seed,
            machine: WireMachine {
                os: std::env::consts::OS,
                arch: std::env::consts::ARCH,
                cores: machine.cores,
                cache_line_ns: machine.cache_line,
            },
            rounds: report.rounds(),
            elapsed_ns: whole_nanos(measured.elapsed),
            answers_checked: measured.answers,
            noise: noise.map(WireRatio::from),
            best: best.as_ref().map(|best| WireBest {
                variant: best.name,
                alike: &best.alike,
            }),
            variants: rows.iter().map(WireVariant::from).collect(),
            runs: runs.collect(),
        }
    }
}

impl From<&super::Row> for WireVariant {
    fn from(row: &super::Row) -> Self {
        Self {
            variant: row.name,
            wall_ns: row.wall,
            jobs_per_second: row.jobs_per_second,
            speed: row.speed.map(WireRatio::from),
            p50_ns: row.p50,
            p99_ns: row.p99,
            verdict: row.verdict.word(),
        }
    }
}

impl From<Ratio> for WireRatio {
    fn from(Ratio { estimate, interval }: Ratio) -> Self {
        Self { estimate, interval }
    }
}

/// Enough for 584 years.
fn whole_nanos(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
