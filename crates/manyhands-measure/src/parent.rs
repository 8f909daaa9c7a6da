//! The process that the user started: it asks others for runs, and makes none
//! itself.

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{Halt, Process};
use crate::random::Random;
use crate::record::again;
use crate::wire::{Ask, Said};
use crate::{Broken, Budget, Control, Ran, Round, cache_line, load};

/// Before the first timed round of each process, and before every so many-th
/// of its rounds, each contender makes a run that does not count.
pub const ROUNDS_PER_REHEARSAL: usize = 5;

/// What is to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many processes take turns, a round each. No more are started than
    /// there are rounds. With 0 there is one.
    pub processes: usize,
    /// When it is enough.
    pub budget: Budget,
    /// Where the order within each round comes from.
    pub seed: u64,
}

/// What was measured. Vectors by contender have the baseline at their start
/// and the baseline again at their end.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The contenders' names; the last is that of the baseline again.
    pub names: Vec<String>,
    /// What the work is, as every process says it.
    pub work: String,
    /// The rounds in the order in which they ran.
    pub rounds: Vec<Round>,
    /// What the contenders said of runs that did not count.
    pub notes: Vec<Note>,
    /// True for a contender that left out work in some run.
    pub stopped: Vec<bool>,
    /// How many answers were checked, in all runs that count. All were right.
    pub answers: u64,
    /// How long it took in all.
    pub elapsed: Duration,
    /// True if the control was stopped.
    pub is_interrupted: bool,
}

/// What a contender returned from [`rehearse`](crate::Contender::rehearse).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which contender.
    pub who: usize,
    /// What it said.
    pub text: String,
}

/// What comes next, for whoever watches.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// The round, from 1.
    pub round: usize,
    /// The process, from 1.
    pub process: usize,
    /// The contender whose run it is; `None` while a process starts.
    pub who: Option<&'a str>,
    /// True if the run does not count.
    pub is_rehearsal: bool,
    /// How far along that is, from 0 to 1.
    pub part: f64,
}

/// Measures until the plan's budget is used up, or the control is stopped.
///
/// `command` is what each process runs, and [`myself`](crate::myself) if
/// nothing else is wanted; its standard input and output are the parent's.
/// `watch` is called between the runs, and takes no time from any.
///
/// Call it from the main thread or from one that lives on: where it ends,
/// Linux ends the processes with it.
///
/// # Errors
///
/// A wrong answer, or a process that cannot be started, or ends, or says what
/// is no answer; in one line.
pub fn measure(
    plan: &Plan,
    command: &mut dyn FnMut() -> io::Result<Command>,
    control: &Control,
    watch: &mut dyn FnMut(&Next<'_>),
) -> Result<Measured, Broken> {
    let mut measuring = Measuring {
        plan,
        command,
        control,
        watch,
        random: Random::with_seed(plan.seed),
        start: Instant::now(),
        processes: Vec::new(),
        cache_line: None,
        measured: Measured {
            names: Vec::new(),
            work: String::new(),
            rounds: Vec::new(),
            notes: Vec::new(),
            stopped: Vec::new(),
            answers: 0,
            elapsed: Duration::ZERO,
            is_interrupted: false,
        },
    };
    while plan.budget.has_room(measuring.done(), measuring.start.elapsed()) {
        match measuring.round() {
            Ok(()) => {}
            Err(Halt::Stopped) => break,
            Err(Halt::Broken(broken)) => return Err(broken),
        }
    }
    let mut measured = measuring.measured;
    measured.is_interrupted = control.is_stopped();
    measured.elapsed = measuring.start.elapsed();
    Ok(measured)
}

/// What the rounds hand on to each other.
struct Measuring<'a> {
    plan: &'a Plan,
    command: &'a mut dyn FnMut() -> io::Result<Command>,
    control: &'a Control,
    watch: &'a mut dyn FnMut(&Next<'_>),
    random: Random,
    start: Instant,
    /// Those that were started, each with the number of its rounds.
    processes: Vec<(Process, usize)>,
    /// What a cache line took after the last round, if nothing ran since.
    cache_line: Option<f64>,
    measured: Measured,
}

impl Measuring<'_> {
    /// How many rounds are done.
    fn done(&self) -> usize {
        self.measured.rounds.len()
    }

    /// Which process has the next round.
    fn turn(&self) -> usize {
        self.done() % self.plan.processes.max(1)
    }

    fn round(&mut self) -> Result<(), Halt> {
        let turn = self.turn();
        if turn == self.processes.len() {
            self.start_process()?;
        }
        if self.processes[turn].1 % ROUNDS_PER_REHEARSAL == 0 {
            self.rehearsals()?;
        }
        self.processes[turn].1 += 1;
        self.timed_round()
    }

    /// Starts a process, and hears what it has to offer.
    fn start_process(&mut self) -> Result<(), Halt> {
        self.show(None, true, 0.0);
        self.cache_line = None;
        let number = self.processes.len() + 1;
        let command = (self.command)()
            .map_err(|why| Broken(format!("cannot start a process: {why}")))?;
        let started = Process::start(number, command, self.control);
        let mut process = started?;
        let doing = "before its first run";
        let mut hear = || process.hear(doing);
        let contenders = match hear()? {
            Said::Hello(contenders) if contenders > 0 => contenders,
            said => return Err(process.misspoke(&said.line()).into()),
        };
        let mut names = Vec::new();
        for _ in 0..contenders {
            match process.hear(doing)? {
                Said::Contender(name) => names.push(name),
                said => return Err(process.misspoke(&said.line()).into()),
            }
        }
        names.push(again(&names[0]));
        let work = match process.hear(doing)? {
            Said::Work(work) => work,
            said => return Err(process.misspoke(&said.line()).into()),
        };
        if number == 1 {
            self.measured.stopped = vec![false; names.len()];
            self.measured.names = names;
            self.measured.work = work;
        } else if (&self.measured.names, &self.measured.work)
            != (&names, &work)
        {
            return Err(Broken(format!(
                "process {number} of the measurement finds other work than \
                 the first: something changed since"
            ))
            .into());
        }
        self.processes.push((process, 0));
        Ok(())
    }

    /// A run of each contender that does not count.
    fn rehearsals(&mut self) -> Result<(), Halt> {
        self.cache_line = None;
        for who in self.random_order() {
            match self.ask(who, Ask::Rehearse, 0.0)? {
                Said::Note(text) => {
                    self.measured.notes.push(Note { who, text });
                }
                said => return Err(self.misspoke(&said).into()),
            }
        }
        Ok(())
    }

    /// A run of each contender that counts.
    fn timed_round(&mut self) -> Result<(), Halt> {
        let before = self.cache_line.take().or_else(cache_line);
        let load = load();
        let contenders = self.measured.names.len();
        let mut round = Round {
            process: self.turn() + 1,
            order: Vec::new(),
            runs: vec![None; contenders],
            cache_line: None,
            load,
        };
        let ended = self.runs(&mut round);
        self.cache_line = cache_line();
        round.cache_line = before.zip(self.cache_line);
        if !round.order.is_empty() {
            self.measured.rounds.push(round);
        }
        ended
    }

    /// The runs of a round, until they are done or the control is stopped.
    fn runs(&mut self, round: &mut Round) -> Result<(), Halt> {
        for who in self.random_order() {
            let part = round.order.len() as f64 / round.runs.len() as f64;
            let ran = match self.ask(who, Ask::Run, part)? {
                Said::Ran(ran) => ran,
                said => return Err(self.misspoke(&said).into()),
            };
            let Ran { spent, answers, stopped } = ran;
            self.measured.answers += answers;
            self.measured.stopped[who] |= stopped;
            round.order.push(who);
            round.runs[who] = Some(spent);
        }
        Ok(())
    }

    /// Asks the process whose turn it is about one of the contenders.
    fn ask(
        &mut self,
        who: usize,
        ask: fn(usize) -> Ask,
        part: f64,
    ) -> Result<Said, Halt> {
        let is_rehearsal = matches!(ask(who), Ask::Rehearse(_));
        self.show(Some(who), is_rehearsal, part);
        let doing = format!("while {} ran", self.measured.names[who]);
        let turn = self.turn();
        // The baseline again is the baseline.
        let last = self.measured.names.len() - 1;
        let asked = ask(if who == last { 0 } else { who });
        self.processes[turn].0.ask(asked, &doing)
    }

    fn misspoke(&self, said: &Said) -> Broken {
        self.processes[self.turn()].0.misspoke(&said.line())
    }

    fn random_order(&mut self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.measured.names.len()).collect();
        self.random.shuffle(&mut order);
        order
    }

    fn show(&mut self, who: Option<usize>, is_rehearsal: bool, part: f64) {
        let rounds = self.done() as f64 + part;
        let next = Next {
            round: self.done() + 1,
            process: self.turn() + 1,
            who: who.map(|who| self.measured.names[who].as_str()),
            is_rehearsal,
            part: self.plan.budget.part(rounds, self.start.elapsed()),
        };
        (self.watch)(&next);
    }
}
