//! What it costs that jobs outlive their process: a table after the ranking.

use manyhands_measure::record::{Rows, Runs, legible, name, within};
use manyhands_measure::{FEWEST, Judgement, Machine};
use serde::{Deserialize, Serialize};

use super::json::{WireRatio, WireRun};
use super::text::range;
use crate::durable::{Durable, GROUP, Kept, Part, Skipped};
use crate::output::{listed, plural, ratio, wrap};
use crate::table::{Table, left, right};

/// What stands above it.
pub(super) const TITLE: &str = "What it costs that jobs outlive their process: the same queue, its jobs \
     in memory, in a file of SQLite, in a PostgreSQL server";

/// Below the ranking of a terminal.
pub(super) fn plain(durable: &Durable) -> String {
    let mut text = format!("\n{}\n", wrap(&format!("{TITLE}."), 0));
    text += &table(durable).plain();
    text += "\n";
    for (about, note) in notes(durable) {
        text += &wrap(&format!("{about:<9} {note}"), 10);
    }
    text
}

/// The same to be pasted into a page.
pub(super) fn markdown(durable: &Durable) -> String {
    let mut text = format!("\n{TITLE}:\n\n{}\n", table(durable).markdown());
    for (about, note) in notes(durable) {
        text += &format!("- **{about}**: {note}\n");
    }
    text
}

/// A line of the table.
pub(super) struct Line {
    /// Empty where it is that of the line above.
    pub(super) what: String,
    pub(super) place: String,
    pub(super) per_second: String,
    pub(super) of_in_process: String,
    pub(super) interval: String,
}

/// Stands where there is nothing.
const NONE: &str = "–";

pub(super) fn lines(durable: &Durable) -> Vec<Line> {
    let mut lines = Vec::new();
    for runs in &durable.parts {
        let judgement = runs.judge();
        let whats = std::iter::once(what(runs));
        let mut whats = whats.chain(std::iter::repeat(String::new()));
        // The baseline again is noise, which a note tells.
        for (entrant, row) in places(runs, &judgement) {
            let is_baseline = entrant == runs.baseline();
            let speed = row.speed;
            let per_second = row.wall.map(|it| runs.jobs as f64 * 1e9 / it);
            let interval = speed
                .filter(|_| !is_baseline)
                .and_then(|speed| speed.interval);
            let or = |text: Option<String>| text.unwrap_or(NONE.to_owned());
            lines.push(Line {
                what: whats.next().unwrap_or_default(),
                place: entrant.to_owned(),
                per_second: or(per_second.map(thousands)),
                of_in_process: or(speed.map(|it| ratio(it.estimate))),
                interval: or(interval.map(range)),
            });
        }
    }
    lines
}

/// Without the baseline again.
fn places<'a>(
    runs: &'a Runs,
    judgement: &'a Judgement,
) -> impl Iterator<Item = (&'a str, &'a manyhands_measure::Row)> {
    let last = runs.entrants.len().saturating_sub(1);
    let entrants = runs.entrants[..last].iter();
    entrants.map(|it| it.name.as_str()).zip(&judgement.rows)
}

/// What is timed, in a few words.
fn what(runs: &Runs) -> String {
    match Part::named(&runs.work) {
        Some(Part::Submit) => "submit, one by one".to_owned(),
        Some(Part::SubmitAll) => "submit, all at once".to_owned(),
        Some(Part::Run) => {
            format!("run, {}", plural(runs.workers, "worker"))
        }
        None => runs.work.clone(),
    }
}

fn table(durable: &Durable) -> Table {
    let mut table = Table::new([
        left("what"),
        left("kept"),
        right("jobs/s"),
        right("of in-process"),
        left("interval"),
    ]);
    for line in lines(durable) {
        let Line { what, place, per_second, of_in_process, interval } = line;
        table.row([what, place, per_second, of_in_process, interval]);
    }
    table
}

/// In three digits, with the rest as zeros: `12 300`.
fn thousands(number: f64) -> String {
    let digits = number.max(1.0).log10().floor() as i32 - 2;
    let step = 10_f64.powi(digits.max(0));
    let whole = ((number / step).round() * step) as u64;
    let text = whole.to_string();
    let mut shown = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            shown.push(' ');
        }
        shown.push(digit);
    }
    shown
}

/// What there is to say, and what about.
pub(super) fn notes(durable: &Durable) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    for Skipped { place, why } in &durable.skipped {
        notes.push(("skipped", format!("{place}: {why}")));
    }
    for Kept { place, how } in &durable.kept {
        notes.push(("kept", format!("{place}: {how}")));
    }
    let counts = durable.parts.iter().map(|runs| {
        let jobs = runs.jobs;
        match Part::named(&runs.work) {
            Some(Part::Submit) => format!("{jobs} jobs one by one"),
            Some(Part::SubmitAll) => format!("{jobs} at once"),
            Some(Part::Run) => format!(
                "{jobs} run, from the first start until it is written that \
                 all are done"
            ),
            None => plural(jobs, "job"),
        }
    });
    let counts: Vec<String> = counts.collect();
    let rounds = durable.parts.iter().map(|it| it.complete().to_string());
    let rounds: Vec<String> = rounds.collect();
    let words = |words: &[String]| {
        listed(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    notes.push((
        "jobs",
        format!(
            "each leaves a mark that it ran, and does nothing else; {}; all \
             ran",
            words(&counts)
        ),
    ));
    let processes = durable.parts.iter().map(Runs::processes).max();
    notes.push((
        "rounds",
        format!(
            "{}, in {}, the places in random order within each; jobs/s is \
             the median, the ratio that of the same round, with its 95 % \
             interval",
            words(&rounds),
            match processes.unwrap_or(0) {
                0 | 1 => "one process".to_owned(),
                processes => format!("{processes} processes"),
            },
        ),
    ));
    let is_short = |runs: &Runs| runs.complete() < FEWEST;
    if durable.parts.iter().any(is_short) {
        notes.push(("caution", format!("no intervals below {FEWEST} rounds")));
    }
    let noise = durable.parts.iter().filter_map(|runs| {
        let noise = runs.judge().noise?.interval?;
        Some(range(noise))
    });
    let noise: Vec<String> = noise.collect();
    if !noise.is_empty() {
        notes.push((
            "noise",
            format!("in-process against itself: {}", words(&noise)),
        ));
    }
    notes
}

/// The table as a record that `splice` puts into a page.
pub(crate) fn rows(durable: &Durable) -> Rows {
    let columns = ["jobs/s", "of in-process", "interval"];
    let mut rows = Rows::new(GROUP, "compare", &columns);
    if let Some(runs) = durable.parts.first() {
        rows.machine = runs.machine.clone();
        rows.load = runs.load().map(|(least, _)| least);
    }
    let mut lines = lines(durable).into_iter();
    for runs in &durable.parts {
        for _ in 1..runs.entrants.len() {
            let Some(line) = lines.next() else { break };
            rows.rows.push((
                format!("{}/{}", runs.work, line.place),
                vec![line.per_second, line.of_in_process, line.interval],
            ));
        }
    }
    rows
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireDurable {
    workers: u64,
    parts: Vec<WirePart>,
    /// What a place does before it says yes.
    #[serde(default)]
    kept: Vec<WireKept>,
    /// Places without a figure.
    skipped: Vec<WireSkipped>,
}

#[derive(Serialize, Deserialize)]
struct WirePart {
    /// `submit`, `submit-all` or `run`.
    part: String,
    jobs: u64,
    seed: u64,
    /// In-process against itself.
    noise: Option<WireRatio>,
    places: Vec<WirePlace>,
    /// Raw times, in the order in which they were taken.
    runs: Vec<WireRun>,
}

#[derive(Serialize, Deserialize)]
struct WirePlace {
    place: String,
    /// Median.
    wall_ns: Option<f64>,
    jobs_per_second: Option<f64>,
    /// Times as fast as in-process.
    speed: Option<WireRatio>,
}

#[derive(Serialize, Deserialize)]
struct WireKept {
    place: String,
    how: String,
}

#[derive(Serialize, Deserialize)]
struct WireSkipped {
    place: String,
    why: String,
}

impl From<&Durable> for WireDurable {
    fn from(durable: &Durable) -> Self {
        let kept = durable.kept.iter().map(|it| WireKept {
            place: it.place.clone(),
            how: it.how.clone(),
        });
        let skipped = durable.skipped.iter().map(|it| WireSkipped {
            place: it.place.clone(),
            why: it.why.clone(),
        });
        Self {
            workers: durable.parts.first().map_or(0, |it| it.workers),
            parts: durable.parts.iter().map(WirePart::from).collect(),
            kept: kept.collect(),
            skipped: skipped.collect(),
        }
    }
}

impl From<&Runs> for WirePart {
    fn from(runs: &Runs) -> Self {
        let judgement = runs.judge();
        let places = runs.entrants.iter().zip(&judgement.rows);
        let places = places.map(|(entrant, row)| WirePlace {
            place: entrant.name.clone(),
            wall_ns: row.wall,
            jobs_per_second: row.wall.map(|it| runs.jobs as f64 * 1e9 / it),
            speed: row.speed.map(WireRatio::from),
        });
        Self {
            part: runs.work.clone(),
            jobs: runs.jobs,
            seed: runs.seed,
            noise: judgement.noise.map(WireRatio::from),
            places: places.collect(),
            runs: runs.runs().map(|(run, _)| WireRun::from(run)).collect(),
        }
    }
}

impl WireDurable {
    /// What it records, without what it concludes.
    pub(super) fn durable(
        &self,
        machine: &Machine,
    ) -> Result<Durable, String> {
        let mut parts = Vec::new();
        for (place, part) in self.parts.iter().enumerate() {
            let read = part.runs(self.workers, machine);
            parts.push(read.map_err(|why| format!("parts[{place}].{why}"))?);
        }
        if parts.is_empty() {
            return Err("parts is empty, allowed is one or more".into());
        }
        let kept = self.kept.iter().map(|it| Kept {
            place: legible(&it.place),
            how: legible(&it.how),
        });
        let skipped = self.skipped.iter().map(|it| Skipped {
            place: legible(&it.place),
            why: legible(&it.why),
        });
        Ok(Durable { parts, kept: kept.collect(), skipped: skipped.collect() })
    }
}

impl WirePart {
    fn runs(&self, workers: u64, machine: &Machine) -> Result<Runs, String> {
        let work = legible(&self.part);
        name("part", &work)?;
        within("jobs", self.jobs, &Runs::JOBS)?;
        within("workers", workers, &Runs::WORKERS)?;
        let places = self.places.len() as u64;
        within("the number of places", places, &Runs::ENTRANTS)?;
        let mut runs = Runs {
            partial: false,
            group: GROUP.to_owned(),
            work,
            jobs: self.jobs,
            workers,
            queue: 0,
            seed: self.seed,
            machine: machine.clone(),
            entrants: Vec::new(),
            rounds: Vec::new(),
        };
        for place in &self.places {
            let place = legible(&place.place);
            name("place", &place)?;
            if runs.entrants.iter().any(|it| it.name == place) {
                return Err(format!("place is {place}, allowed is once"));
            }
            let entrant =
                manyhands_measure::record::Entrant::whole(place, self.jobs);
            runs.entrants.push(entrant);
        }
        for (place, run) in self.runs.iter().enumerate() {
            let variant = &legible(&run.variant);
            let added = runs.add(&run.of(variant));
            added.map_err(|why| format!("runs[{place}]: {why}"))?;
        }
        runs.check()?;
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_a_second_have_three_digits_and_thin_groups() {
        for (number, shown) in [
            (0.4, "0"),
            (7.0, "7"),
            (999.4, "999"),
            (1234.0, "1 230"),
            (45_678.0, "45 700"),
            (999_900.0, "1 000 000"),
            (1_234_567.0, "1 230 000"),
        ] {
            assert_eq!(thousands(number), shown);
        }
    }
}
