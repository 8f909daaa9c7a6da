//! Measuring: every contender on the same jobs, round after round.
//!
//! docs/METHODOLOGY.md says how and why; it must stay true of this code.

mod latency;
mod machine;
mod schedule;
mod trial;

use std::time::{Duration, Instant};

use fastrand::Rng;
use manyhands::Config;
use manyhands_workloads::{WorkJob, Workload};

pub(crate) use self::latency::Latency;
use self::latency::Stamped;
pub(crate) use self::machine::Machine;
pub(crate) use self::schedule::Budget;
use self::trial::Trial;
use crate::contenders::Contender;
use crate::interrupt::Interrupt;
use crate::progress::Progress;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The jobs of every run.
    pub(crate) workload: &'a Workload,
    /// The sizes of every pool.
    pub(crate) config: Config,
    /// Who takes part.
    pub(crate) contenders: Vec<Contender<WorkJob>>,
    /// When it is enough.
    pub(crate) budget: Budget,
    /// Where the order within each round comes from.
    pub(crate) seed: u64,
}

/// What was measured. Vectors by contender are in the plan's order.
#[derive(Debug)]
pub(crate) struct Measured {
    /// The timed rounds.
    pub(crate) rounds: Vec<Round>,
    /// How long jobs took, a contender each.
    pub(crate) latencies: Vec<Latency>,
    /// True for a contender that stopped at an error, as it is meant to, and
    /// left jobs undone.
    pub(crate) stopped: Vec<bool>,
    /// How many answers were checked. All were right.
    pub(crate) answers: u64,
    /// What kind of machine it was, and how it varied.
    pub(crate) machine: Machine,
    /// How long it took in all.
    pub(crate) elapsed: Duration,
    /// True if Ctrl-C ended it.
    pub(crate) interrupted: bool,
}

/// One timed run of each contender.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Round {
    /// The contenders in the order in which they ran: all of them, unless the
    /// round was interrupted.
    pub(crate) order: Vec<usize>,
    /// The time of each contender, if it ran.
    pub(crate) walls: Vec<Option<Duration>>,
}

/// Measures until the plan's budget is used up, or Ctrl-C is pressed.
///
/// # Errors
///
/// The first wrong answer, or a pool that cannot be made.
pub(crate) fn measure(
    plan: &Plan<'_>,
    interrupt: &Interrupt,
) -> anyhow::Result<Measured> {
    let contenders = plan.contenders.len();
    let mut measuring = Measuring {
        trial: Trial { plan, interrupt },
        stamped: latency::contenders(&plan.contenders),
        rng: Rng::with_seed(plan.seed),
        progress: Progress::new(Budget::STEPS, ""),
        start: Instant::now(),
        measured: Measured {
            rounds: Vec::new(),
            latencies: vec![Latency::new(); contenders],
            stopped: vec![false; contenders],
            answers: 0,
            machine: Machine::look(),
            elapsed: Duration::ZERO,
            interrupted: false,
        },
    };
    while plan.budget.has_room(measuring.done(), measuring.start.elapsed()) {
        let go_on = measuring.latency_round()? && measuring.timed_round()?;
        if !go_on {
            break;
        }
    }
    let mut measured = measuring.measured;
    measured.interrupted = interrupt.is_pressed();
    measured.elapsed = measuring.start.elapsed();
    Ok(measured)
}

/// What the rounds hand on to each other.
struct Measuring<'a> {
    trial: Trial<'a>,
    /// The contenders for rounds that look at latencies.
    stamped: Vec<Contender<Stamped>>,
    rng: Rng,
    progress: Progress,
    start: Instant,
    measured: Measured,
}

impl Measuring<'_> {
    /// After how many timed rounds there is one that looks at latencies. The
    /// first is before the first timed round, and also warms up code and
    /// allocator for it.
    const ROUNDS_PER_LATENCY_ROUND: usize = 5;

    /// How many timed rounds are done.
    fn done(&self) -> usize {
        self.measured.rounds.len()
    }

    /// Looks at latencies, if it is time to. False if Ctrl-C was pressed.
    fn latency_round(&mut self) -> anyhow::Result<bool> {
        if !self.done().is_multiple_of(Self::ROUNDS_PER_LATENCY_ROUND) {
            return Ok(true);
        }
        for who in self.random_order() {
            self.show("latencies before round", who, 0);
            let latency = &mut self.measured.latencies[who];
            let ran = latency::run(&self.trial, &self.stamped[who], latency)?;
            let Some(ran) = ran else { return Ok(false) };
            self.measured.answers += ran.answers;
        }
        Ok(true)
    }

    /// Runs each contender once against the clock. False if Ctrl-C was
    /// pressed: then the round may lack some.
    fn timed_round(&mut self) -> anyhow::Result<bool> {
        self.measured.machine.look_again();
        let contenders = &self.trial.plan.contenders;
        let walls = vec![None; contenders.len()];
        let mut round = Round { order: Vec::new(), walls };
        for who in self.random_order() {
            self.show("round", who, round.order.len());
            let Some(ran) = self.trial.time(&contenders[who])? else { break };
            self.measured.answers += ran.answers;
            self.measured.stopped[who] |= ran.stopped;
            round.order.push(who);
            round.walls[who] = Some(ran.wall);
        }
        let complete = round.order.len() == contenders.len();
        if !round.order.is_empty() {
            self.measured.rounds.push(round);
        }
        Ok(complete)
    }

    fn random_order(&mut self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.stamped.len()).collect();
        self.rng.shuffle(&mut order);
        order
    }

    fn show(&self, what: &str, who: usize, place: usize) {
        let Plan { budget, contenders, .. } = self.trial.plan;
        let part = place as f64 / contenders.len() as f64;
        let rounds = self.done() as f64 + part;
        let step = budget.step(rounds, self.start.elapsed());
        let (round, name) = (self.done() + 1, contenders[who].name);
        self.progress.next(step, format!("{what} {round}: {name}"));
    }
}
