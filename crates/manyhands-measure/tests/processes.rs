//! Processes that measure: that they are asked, heard, and gone.
//!
//! This program is parent and child by turns, so its `main` is its own. A
//! first argument says which part a child plays.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]
#![allow(clippy::print_stdout, reason = "this is the harness")]
#![allow(clippy::print_stderr, reason = "a child has nothing else")]

use std::io;
use std::process::{Command, ExitCode};

use manyhands_conformance::watchdog;
use manyhands_measure::{
    Broken, Budget, Contender, Control, Measured, Next, Plan, Ran, Stopwatch,
    Wrong, contender, give_up, is_child, measure, serve,
};

fn main() -> ExitCode {
    let part = std::env::args().nth(1).unwrap_or_default();
    if is_child() {
        child(&part).unwrap();
        return ExitCode::SUCCESS;
    }
    if part == "parent" {
        drop(measured("runs on", 1, 1, &Control::new(), &mut |_| {}));
        return ExitCode::SUCCESS;
    }
    let tests: &[(&str, fn())] = &[
        ("rounds take turns over the processes", rounds_take_turns),
        ("the seed sets the order", the_seed_sets_the_order),
        ("no more processes start than there are rounds", few_rounds),
        ("what a contender says of a rehearsal is kept", notes_are_kept),
        ("a wrong answer is a line", a_wrong_answer_is_a_line),
        ("a process that dies is a line", a_death_is_a_line),
        ("a process that babbles is a line", babble_is_a_line),
        ("a process that gives up is a line", giving_up_is_a_line),
        ("a program that is not there is a line", no_program_is_a_line),
        ("processes must find the same work", the_work_must_be_the_same),
        ("whoever stops keeps what there was", a_stop_keeps_what_there_was),
        ("whoever stops before the start gets nothing", a_stop_at_once),
        ("a parent that is killed leaves none behind", none_is_left_behind),
    ];
    // As the standard harness does: by a part of a name.
    let is_chosen = |name: &str| part.starts_with('-') || name.contains(&part);
    for (name, test) in tests {
        if is_chosen(name) {
            println!("test {name}");
            watchdog(*test);
        }
    }
    ExitCode::SUCCESS
}

/// What a child does.
fn child(part: &str) -> io::Result<()> {
    let mut runs = 0;
    let mut fine = contender("fine", || Ok(run()));
    let mut other = contender("other", || {
        runs += 1;
        match part {
            "wrong" if runs == 3 => Err(Wrong("other is\nwrong".into()))?,
            "dies" if runs == 3 => std::process::abort(),
            "babbles" if runs == 3 => println!("hello \u{1b}"),
            "blocks" if runs == 3 => for_ever(),
            "runs on" => {
                eprintln!("{}", std::process::id());
                for_ever();
            }
            _ => {}
        }
        match part {
            "stops" => Ok(Ran { stopped: true, answers: 0, ..run() }),
            _ => Ok(run()),
        }
    });
    let mut tells = Tells;
    let work = match part {
        "changes" => std::process::id().to_string(),
        _ => "work".to_owned(),
    };
    match part {
        "gives up" => give_up("there is no work"),
        "tells" => serve(&work, &mut [&mut fine, &mut tells]),
        _ => serve(&work, &mut [&mut fine, &mut other]),
    }
}

fn run() -> Ran {
    Ran::whole(Stopwatch::start().stop(), 10)
}

fn for_ever() {
    loop {
        std::thread::park();
    }
}

/// Says who it is.
struct Tells;

impl Contender for Tells {
    fn name(&self) -> &str {
        "tells"
    }

    fn run(&mut self) -> Result<Ran, Wrong> {
        Ok(run())
    }

    fn rehearse(&mut self) -> Result<String, Wrong> {
        Ok(std::process::id().to_string())
    }
}

/// Measures with children that play a part.
fn measured(
    part: &'static str,
    processes: usize,
    rounds: usize,
    control: &Control,
    watch: &mut dyn FnMut(&Next<'_>),
) -> Result<Measured, Broken> {
    let budget = Budget { rounds, time: None };
    let plan = Plan { processes, budget, seed: 7 };
    let mut command = || {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(part);
        Ok(command)
    };
    measure(&plan, &mut command, control, watch)
}

fn all(part: &'static str, processes: usize, rounds: usize) -> Measured {
    let control = Control::new();
    measured(part, processes, rounds, &control, &mut |_| {}).unwrap()
}

fn line(part: &'static str) -> String {
    let control = Control::new();
    let broken = measured(part, 2, 9, &control, &mut |_| {}).unwrap_err();
    let line = broken.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    line
}

fn rounds_take_turns() {
    let measured = all("", 3, 7);
    assert_eq!(measured.names, ["fine", "other", "fine (again)"]);
    assert_eq!(measured.work, "work");
    let turns: Vec<_> = measured.rounds.iter().map(|it| it.process).collect();
    assert_eq!(turns, [1, 2, 3, 1, 2, 3, 1]);
    for round in &measured.rounds {
        let mut order = round.order.clone();
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2]);
        assert!(round.runs.iter().all(Option::is_some));
        assert!(round.is_complete());
    }
    assert_eq!(measured.answers, 7 * 3 * 10);
    assert_eq!(measured.stopped, [false; 3]);
    assert!(!measured.is_interrupted);
    assert_eq!(all("stops", 1, 1).stopped, [false, true, false]);
}

fn the_seed_sets_the_order() {
    let orders = |measured: Measured| {
        let orders = measured.rounds.into_iter().map(|round| round.order);
        orders.collect::<Vec<_>>()
    };
    let one = orders(all("", 2, 9));
    assert_eq!(one, orders(all("", 2, 9)));
    assert!(one.iter().any(|order| *order != one[0]), "{one:?}");
}

fn few_rounds() {
    let measured = all("tells", 5, 2);
    let turns: Vec<_> = measured.rounds.iter().map(|it| it.process).collect();
    assert_eq!(turns, [1, 2]);
    let told = measured.notes.iter().filter(|it| it.who == 1);
    assert_eq!(told.count(), 2);
}

fn notes_are_kept() {
    // Before the first round of each, and before the sixth of the one.
    let measured = all("tells", 2, 11);
    let told = measured.notes.iter().filter(|note| note.who == 1);
    let told: Vec<&String> = told.map(|note| &note.text).collect();
    assert_eq!(told.len(), 2 + 1);
    assert_ne!(told[0], told[1], "two processes are one");
    assert_eq!(told[0], told[2]);
    // One of each contender.
    assert_eq!(measured.notes.len(), 3 * 3);
}

fn a_wrong_answer_is_a_line() {
    assert_eq!(line("wrong"), "other is wrong");
}

fn a_death_is_a_line() {
    let line = line("dies");
    assert!(line.starts_with("process 1 of the measurement ended ("));
    assert!(line.ends_with(") while other ran"), "{line}");
}

fn babble_is_a_line() {
    let line = line("babbles");
    let expected = r"process 1 of the measurement printed 'hello \u{1b}', ";
    assert!(line.starts_with(expected), "{line}");
}

fn giving_up_is_a_line() {
    assert_eq!(line("gives up"), "there is no work");
}

fn no_program_is_a_line() {
    let budget = Budget { rounds: 1, time: None };
    let plan = Plan { processes: 1, budget, seed: 7 };
    let mut command = || Ok(Command::new("/no such program"));
    let control = Control::new();
    let broken = measure(&plan, &mut command, &control, &mut |_| {});
    let line = broken.unwrap_err().to_string();
    let expected = "process 1 of the measurement cannot start: ";
    assert!(line.starts_with(expected), "{line}");
}

fn the_work_must_be_the_same() {
    let line = line("changes");
    assert!(line.starts_with("process 2 of the measurement finds other"));
}

fn a_stop_keeps_what_there_was() {
    let control = Control::new();
    let stop = control.clone();
    // While it blocks, in the second round, or just before.
    let mut watch = |next: &Next<'_>| {
        if next.round == 2 && next.who == Some("other") {
            let stop = stop.clone();
            std::thread::spawn(move || stop.stop());
        }
    };
    let measured = measured("blocks", 1, 9, &control, &mut watch).unwrap();
    assert!(measured.is_interrupted);
    assert!(measured.rounds[0].is_complete());
    let rest = &measured.rounds[1..];
    assert!(rest.len() <= 1 && rest.iter().all(|it| !it.is_complete()));
}

fn a_stop_at_once() {
    let control = Control::new();
    control.stop();
    let measured = measured("", 2, 9, &control, &mut |_| {}).unwrap();
    assert!(measured.is_interrupted);
    assert!(measured.rounds.is_empty());
}

/// A parent is killed while its child is at a run that never ends.
#[cfg(target_os = "linux")]
fn none_is_left_behind() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let mut parent = Command::new(std::env::current_exe().unwrap());
    parent.arg("parent").stderr(Stdio::piped());
    let mut parent = parent.spawn().unwrap();
    let mut said = BufReader::new(parent.stderr.take().unwrap()).lines();
    let child = format!("/proc/{}/stat", said.next().unwrap().unwrap());
    // One that has ended may have to wait for somebody to take note of it.
    let is_there = || {
        std::fs::read_to_string(&child).is_ok_and(|it| !it.contains(") Z "))
    };
    assert!(is_there());
    parent.kill().unwrap();
    parent.wait().unwrap();
    while is_there() {
        std::thread::yield_now();
    }
}

#[cfg(not(target_os = "linux"))]
fn none_is_left_behind() {}
