//! The contenders of the suite as contenders of a measurement.

use std::path::Path;

use manyhands_benches::contenders::{Contender, Sizes, Way, all};
use manyhands_benches::go;
use manyhands_benches::work::{Sum, Work};
use manyhands_measure::record::Entrant;
use manyhands_measure::{External, Ran, Spent, Stopwatch, Switches, Wrong};

use crate::args::Args;

/// Those that take part, the baseline first. Made in every process, always in
/// the same order.
pub(crate) struct Lanes(Vec<Box<dyn manyhands_measure::Contender>>);

impl Lanes {
    pub(crate) fn new(args: &Args, go: Option<&Path>) -> Result<Self, String> {
        let contenders = all();
        let mut lanes: Vec<Box<dyn manyhands_measure::Contender>> = Vec::new();
        for about in entrants(args, go)? {
            let name = &*about.name;
            let ours = contenders.iter().position(|it| it.name == name);
            lanes.push(match ours {
                Some(place) => Box::new(Lane::new(args, place, about.ran)),
                None => Box::new(external(args, name, go)?),
            });
        }
        Ok(Self(lanes))
    }

    pub(crate) fn all(
        &mut self,
    ) -> Vec<&mut dyn manyhands_measure::Contender> {
        self.0.iter_mut().map(|it| &mut **it as _).collect()
    }
}

/// Those that take part, the baseline first. With a name that is nobody's, a
/// line that says so.
pub(crate) fn entrants(
    args: &Args,
    go: Option<&Path>,
) -> Result<Vec<Entrant>, String> {
    let entrant = |name: &str, bends: &str, most_jobs| Entrant {
        bends: bends.to_owned(),
        ..Entrant::whole(name, args.jobs.min(most_jobs))
    };
    let chosen = |name: &str, way: Way| {
        name == args.baseline
            || args.group.has(way)
                && (args.only.is_empty()
                    || args.only.iter().any(|only| only == name))
    };
    let mut lanes = Vec::new();
    for Contender { name, way, bends, most_jobs, .. } in all() {
        if chosen(&name, way) {
            lanes.push(entrant(&name, bends, most_jobs));
        }
    }
    for pattern in go::PATTERNS.iter().filter(|_| go.is_some()) {
        if chosen(pattern.name, pattern.way) {
            lanes.push(entrant(pattern.name, pattern.bends, u64::MAX));
        }
    }
    for name in args.only.iter().chain([&args.baseline]) {
        if !lanes.iter().any(|lane| lane.name == *name) {
            return Err(format!(
                "a contender is {name:?}, allowed are those of --list"
            ));
        }
    }
    lanes.sort_by_key(|lane| lane.name != args.baseline);
    Ok(lanes)
}

/// A contender of this program. It starts a pool for each run.
struct Lane {
    contender: Contender,
    sizes: Sizes,
    work: Work,
    /// How many of the jobs that are asked for it runs.
    jobs: u64,
    asked: u64,
    expected: Sum,
}

impl Lane {
    /// A run has seen each line of code, and the pool its threads, when it
    /// begins.
    const WARM_UP: u64 = 1000;

    fn new(args: &Args, place: usize, jobs: u64) -> Self {
        Self {
            contender: all().swap_remove(place),
            sizes: args.sizes,
            work: args.work.clone(),
            jobs,
            asked: args.jobs,
            expected: args.work.expected(jobs),
        }
    }

    /// One run of so many jobs on a fresh pool.
    fn time(&self, jobs: u64, expected: Sum) -> Spent {
        let mut running = self.contender.start(self.sizes);
        let before = jobs.min(Self::WARM_UP);
        running.run(&self.work, before, self.work.expected(before));
        let watch = Stopwatch::start();
        running.run(&self.work, jobs, expected);
        watch.stop()
    }
}

impl manyhands_measure::Contender for Lane {
    fn name(&self) -> &str {
        &self.contender.name
    }

    fn run(&mut self) -> Result<Ran, Wrong> {
        let spent = self.time(self.jobs, self.expected);
        // As if it had run them all, so that its time compares.
        let factor = self.asked as f64 / self.jobs as f64;
        Ok(Ran::whole(scaled(spent, factor), self.jobs))
    }

    fn rehearse(&mut self) -> Result<String, Wrong> {
        let jobs = self.jobs.div_ceil(10);
        self.time(jobs, self.work.expected(jobs));
        Ok(String::new())
    }
}

fn scaled(spent: Spent, factor: f64) -> Spent {
    let count = |count: u64| (count as f64 * factor) as u64;
    Spent {
        wall: spent.wall.mul_f64(factor),
        cpu: spent.cpu.map(|cpu| cpu.mul_f64(factor)),
        switches: spent.switches.map(|it| Switches {
            voluntary: count(it.voluntary),
            involuntary: count(it.involuntary),
        }),
        ..spent
    }
}

/// A contender in Go.
fn external(
    args: &Args,
    name: &str,
    go: Option<&Path>,
) -> Result<External, String> {
    let missing = || format!("{name} cannot be started");
    let pattern = go::PATTERNS.iter().find(|it| it.name == name);
    let (pattern, program) = pattern.zip(go).ok_or_else(missing)?;
    let command = pattern.command(program, args.sizes, &args.work);
    let command = command.ok_or_else(missing)?;
    let answer = go::answer(args.work.expected(args.jobs));
    External::start(name, command, args.jobs, answer)
        .map_err(|why| format!("{name}: {why}"))
}
