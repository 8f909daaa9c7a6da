//! How long jobs took: up to the slowest of thousands.

use manyhands_trace::draw::{Picture, Scale, seconds};
use maud::{Markup, html};

use super::panel::{
    BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, below, levels, panels, path,
};
use super::{Report, figure as with_table};
use crate::contenders::INLINE;
use crate::page::table;
use crate::record::{Load, PERCENTS, Tail};

pub(super) fn figure(report: &Report<'_>, nth: usize) -> Markup {
    let tails = &report.record.looks.tails;
    let mut names: Vec<&str> = Vec::new();
    for tail in tails {
        if tail.name != INLINE && !names.contains(&tail.name.as_str()) {
            names.push(&tail.name);
        }
    }
    let axes = Axes::of(tails.iter().filter(|tail| tail.name != INLINE));
    let pictures = names.iter().map(|&name| (name, axes.draw(name, tails)));
    let id = format!("tails-{nth}");
    let pictures = panels(&id, &axes.frame(tails), pictures);
    let rates = tails.iter().filter_map(|tail| match tail.load {
        Load::Closed => None,
        Load::Open { percent, per_second } => Some((percent, per_second)),
    });
    let mut rates: Vec<(u64, u64)> = rates.collect();
    rates.dedup();
    rates.sort_unstable();
    rates.dedup();
    let name = "times by percentile";
    let caption = html! {
        "How long a job takes from its submit to its end: to the right, ever "
        "fewer jobs are slower; upwards, time, each line ten times the one "
        "below. Solid: each job is submitted as soon as there is a place "
        "(closed loop), so most of it is the wait in a full queue"
        @for (place, (percent, per_second)) in rates.iter().enumerate() {
            "; " @if place == 0 { "dotted" } @else { "dashed" }
            ": jobs come at random times, " (per_second) " a second ("
            (percent) " % of what the middle one of the variants does at "
            "most), and their time counts from when they came (open loop)"
        }
        ". Grey are the others at the highest of these loads."
    };
    with_table(&pictures, &caption, name, &figures(tails))
}

/// What all the pictures have in common.
struct Axes {
    x: Scale,
    y: Scale,
    nines: f64,
}

/// 90 % is 1, 99 % is 2, and so on: how many nines there are.
fn nines(percent: f64, jobs: u64) -> f64 {
    // The slowest is one of so many.
    let slower = (1.0 - percent / 100.0).max(1.0 / jobs.max(1) as f64);
    -slower.log10()
}

/// What is known of a tail, as points.
fn points(tail: &Tail) -> impl Iterator<Item = (f64, f64)> + '_ {
    PERCENTS.into_iter().zip(tail.points).filter_map(|(percent, nanos)| {
        let seconds = nanos?.max(1) as f64 / 1e9;
        Some((nines(percent, tail.jobs), seconds))
    })
}

impl Axes {
    fn of<'a>(tails: impl Iterator<Item = &'a Tail>) -> Self {
        let (mut low, mut high, mut most) = (f64::INFINITY, 0.0_f64, 1.0_f64);
        for tail in tails {
            for (nines, seconds) in points(tail) {
                most = most.max(nines);
                low = low.min(seconds);
                high = high.max(seconds);
            }
        }
        let low = if low.is_finite() { low } else { 1e-6 };
        let x = Scale::linear(0.0, most).over(LEFT, WIDTH - RIGHT);
        let y = Scale::log(low, high.max(low * 10.0)).over(BOTTOM, TOP);
        Self { x, y, nines: most }
    }

    fn draw(&self, name: &str, tails: &[Tail]) -> Picture {
        let own = || tails.iter().filter(|tail| tail.name == name);
        let said = own().filter_map(|tail| {
            let shown = |percent| {
                tail.at(percent).map(|nanos| seconds(nanos as f64 / 1e9))
            };
            let (p50, p99) = (shown(50.0)?, shown(99.0)?);
            let load = tail.load.words();
            Some(format!("{load}: half within {p50}, 99 % within {p99}"))
        });
        let words = said.collect::<Vec<_>>().join("; ");
        let mut picture = Picture::new(name, &words, WIDTH, HEIGHT);
        let highest = highest(tails);
        for tail in own() {
            let class = match open(tail) {
                None => "line",
                load if load == highest => "second",
                _ => "third",
            };
            let line = self.line(tail);
            picture
                .add(format_args!("<path class=\"{class}\" d=\"{line}\"/>"));
        }
        picture
    }

    /// The axes, and in grey all at the highest load.
    fn frame(&self, tails: &[Tail]) -> Picture {
        let mut picture = Picture::new("", "", WIDTH, HEIGHT);
        let marks = [0.0, 90.0, 99.0, 99.9, 99.99].into_iter();
        let marks = marks.map(|percent| (nines(percent, u64::MAX), percent));
        let marks = marks.filter(|(nines, _)| *nines <= self.nines);
        let marks = marks.map(|(nines, percent)| {
            (self.x.at(nines), format!("{percent} %"))
        });
        picture.add_uprights(marks, TOP, BOTTOM);
        let ticks = self.y.ticks(5).into_iter();
        let ticks = ticks.map(|tick| (self.y.at(tick), seconds(tick)));
        levels(&mut picture, ticks);
        below(&mut picture, "of the jobs are as fast");
        let highest = highest(tails);
        let all = tails
            .iter()
            .filter(|tail| tail.name != INLINE && open(tail) == highest);
        let all: String = all.map(|tail| self.line(tail)).collect();
        picture.add(format_args!("<path class=\"others\" d=\"{all}\"/>"));
        picture
    }

    fn line(&self, tail: &Tail) -> String {
        let points = points(tail);
        let points = points.map(|(x, y)| (self.x.at(x), self.y.at(y)));
        path(&points.collect::<Vec<_>>())
    }
}

/// The highest load that there is.
fn highest(tails: &[Tail]) -> Option<u64> {
    tails.iter().filter_map(open).max()
}

/// The load of an open loop.
fn open(tail: &Tail) -> Option<u64> {
    match tail.load {
        Load::Closed => None,
        Load::Open { percent, .. } => Some(percent),
    }
}

fn figures(tails: &[Tail]) -> Markup {
    const SHOWN: [f64; 5] = [50.0, 90.0, 99.0, 99.9, 100.0];
    let rows = tails.iter().map(|tail| {
        let mut row =
            vec![tail.name.clone(), tail.load.words(), tail.jobs.to_string()];
        row.extend(SHOWN.map(|percent| {
            let nanos = tail.at(percent);
            nanos.map_or("–".into(), |it| seconds(it as f64 / 1e9))
        }));
        row
    });
    let heads =
        ["variant", "load", "jobs", "p50", "p90", "p99", "p99.9", "slowest"];
    table("From submit to the end of the job", &heads, rows)
}
