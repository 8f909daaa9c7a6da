//! How many jobs a second, by how many workers.

use manyhands_measure::record::Runs;
use manyhands_trace::draw::{Picture, Scale, short};
use maud::{Markup, html};

use super::panel::{
    BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, below, levels, panels, path,
};
use super::{Report, figure as with_table};
use crate::contenders::INLINE;
use crate::output::{plural, ratio};
use crate::page::table;

/// Jobs a second on so many workers: the median of the rounds, the least and
/// the most.
struct Point {
    workers: u64,
    median: f64,
    least: f64,
    most: f64,
}

struct Line<'a> {
    name: &'a str,
    points: Vec<Point>,
}

pub(super) fn figure(report: &Report<'_>, nth: usize) -> Markup {
    let record = report.record;
    let sizes = &record.looks.sizes;
    let entrants = record.runs.entrants.iter();
    let names = entrants.filter(|it| !it.stopped).map(|it| it.name.as_str());
    let lines: Vec<Line<'_>> = names
        .filter(|name| *name != INLINE && !name.ends_with("(again)"))
        .map(|name| Line { name, points: points(sizes, name) })
        .collect();
    let cores = record.runs.machine.cores;
    let axes = Axes::of(&lines, cores);
    let pictures = lines.iter().map(|line| (line.name, axes.draw(line)));
    let id = format!("sizes-{nth}");
    let pictures = panels(&id, &axes.frame(&lines), pictures);
    let (rounds, jobs) = sizes
        .first()
        .map_or((0, 0), |runs| (runs.rounds.len() as u64, runs.jobs));
    let name = "jobs a second by workers";
    let caption = html! {
        "Jobs a second, upwards, by the number of workers: the median of "
        (plural(rounds, "round")) " of " (plural(jobs, "job")) ". The dotted "
        "line is where there are as many workers as the machine has cores, "
        (cores) ". Grey are the others."
    };
    let heads: Vec<String> = std::iter::once("variant".to_owned())
        .chain(sizes.iter().map(|it| plural(it.workers, "worker")))
        .collect();
    let rows = lines.iter().map(|line| {
        let cells = line.points.iter().map(|point| {
            let Point { median, least, most, .. } = *point;
            match rounds {
                1 => si(median),
                _ => format!("{} ({}–{})", si(median), si(least), si(most)),
            }
        });
        std::iter::once(line.name.to_owned()).chain(cells).collect()
    });
    let title = "Jobs a second: median, least and most of the rounds";
    with_table(&pictures, &caption, name, &table(title, &heads, rows))
}

/// Whether more workers than cores are worth it, to the variant of that name:
/// a sentence if they are.
pub(super) fn in_words(report: &Report<'_>, name: &str) -> Option<String> {
    /// What is gained is worth a word.
    const MUCH: f64 = 1.5;
    let record = report.record;
    let cores = record.runs.machine.cores;
    let points = points(&record.looks.sizes, name);
    let one_a_core = points.iter().find(|it| it.workers == cores)?;
    let most = points.iter().max_by(|a, b| a.median.total_cmp(&b.median))?;
    let times = most.median / one_a_core.median;
    (most.workers > cores && times >= MUCH).then(|| {
        format!(
            "With {} {name} does {} times as many of these jobs a second as \
             with one a core: they wait, and want more workers than there are \
             cores.",
            plural(most.workers, "worker"),
            ratio(times),
        )
    })
}

fn points(sizes: &[Runs], name: &str) -> Vec<Point> {
    let point = |runs: &Runs| {
        let named = |entrant: &_| {
            let entrant: &manyhands_measure::record::Entrant = entrant;
            entrant.name == name
        };
        let who = runs.entrants.iter().position(named)?;
        let rounds = runs.rounds.iter();
        let walls = rounds.filter_map(|round| round.runs[who]);
        let mut rates: Vec<f64> = walls
            .map(|it| runs.jobs as f64 / it.wall.as_secs_f64().max(1e-9))
            .collect();
        rates.sort_by(f64::total_cmp);
        Some(Point {
            workers: runs.workers,
            median: *rates.get(rates.len() / 2)?,
            least: *rates.first()?,
            most: *rates.last()?,
        })
    };
    sizes.iter().filter_map(point).collect()
}

struct Axes {
    x: Scale,
    y: Scale,
    workers: Vec<u64>,
    cores: u64,
}

impl Axes {
    fn of(lines: &[Line<'_>], cores: u64) -> Self {
        let points = || lines.iter().flat_map(|line| &line.points);
        let mut workers: Vec<u64> = points().map(|it| it.workers).collect();
        workers.sort_unstable();
        workers.dedup();
        let most = points().map(|it| it.median).fold(1.0, f64::max);
        let last = workers.last().copied().unwrap_or(1).max(2);
        let x = Scale::log(1.0, last as f64).over(LEFT + 6.0, WIDTH - RIGHT);
        let y = Scale::linear(0.0, most).over(BOTTOM, TOP);
        Self { x, y, workers, cores }
    }

    fn draw(&self, line: &Line<'_>) -> Picture {
        let points = line.points.iter();
        let said =
            points.map(|it| format!("{} on {}", si(it.median), it.workers));
        let said = said.collect::<Vec<_>>().join(", ");
        let words = format!("jobs a second, by workers: {said}");
        let mut picture = Picture::new(line.name, &words, WIDTH, HEIGHT);
        let points = self.points(line);
        let dots = points.iter().map(|(x, y)| format!("M{x:.0} {y:.0}h0"));
        picture.add(format_args!(
            "<path class=\"line\" d=\"{}\"/><path class=\"dots\" d=\"{}\"/>",
            path(&points),
            dots.collect::<String>(),
        ));
        picture
    }

    /// The axes, the line at the cores, and in grey all of them.
    fn frame(&self, all: &[Line<'_>]) -> Picture {
        let mut picture = Picture::new("", "", WIDTH, HEIGHT);
        let marks = self
            .workers
            .iter()
            .map(|&workers| (self.x.at(workers as f64), workers.to_string()));
        picture.add_uprights(marks, TOP, BOTTOM);
        let ticks = self.y.ticks(3).into_iter();
        let ticks = ticks.map(|tick| (self.y.at(tick), si(tick)));
        levels(&mut picture, ticks);
        below(&mut picture, "workers");
        let all: String =
            all.iter().map(|it| path(&self.points(it))).collect();
        picture.add(format_args!(
            "<path class=\"bound\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\
             <path class=\"others\" d=\"{all}\"/>",
            x = self.x.at(self.cores as f64),
        ));
        picture
    }

    fn points(&self, line: &Line<'_>) -> Vec<(f64, f64)> {
        let at =
            |it: &Point| (self.x.at(it.workers as f64), self.y.at(it.median));
        line.points.iter().map(at).collect()
    }
}

/// Three digits, and thousands as a letter.
fn si(number: f64) -> String {
    match number {
        n if n >= 0.9995e9 => format!("{} G", short(n / 1e9)),
        n if n >= 0.9995e6 => format!("{} M", short(n / 1e6)),
        n if n >= 0.9995e3 => format!("{} k", short(n / 1e3)),
        n => short(n),
    }
}
