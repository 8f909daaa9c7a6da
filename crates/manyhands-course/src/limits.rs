//! How far a queue in a database goes: plain arithmetic, from what was
//! measured of this one.

use crate::tables::markdown;

/// The record that the chapter shows; a test says if it is another.
const RECORD: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../benches/record/2026-11-22/durable.csv"
));

/// Of NATS JetStream, in the trials of which `docs/DURABLE.md` tells.
const LOG: f64 = 131_000.0;

/// A good day is not every day.
const SHARE: f64 = 0.5;

const JOBS_PER_USER_AND_DAY: f64 = 10.0;
const DAY: f64 = 24.0 * 3600.0;

/// The busiest hour, over the mean.
const BUSIEST: f64 = 3.0;

/// What PostgreSQL writes into its log for a job of some hundred bytes, from
/// its submission to its end.
const WRITTEN: f64 = 3000.0;

/// How long a job takes, in seconds.
const TAKES: f64 = 0.1;

/// Of so many copies a log is made, so that one of them may be lost.
const COPIES: f64 = 3.0;

/// Jobs a second, in a row of the record.
fn recorded(id: &str) -> f64 {
    let mut lines = RECORD.lines();
    let head = lines.next().unwrap_or_default();
    let place = |name| head.split(',').position(|it| it == name);
    let (ids, rates) = (place("id"), place("jobs/s"));
    let row = lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .find(|cells| ids.and_then(|at| cells.get(at)) == Some(&id));
    let cell = row.and_then(|cells| cells.get(rates?).copied());
    let digits = cell.unwrap_or_default().replace(' ', "");
    digits.parse().unwrap_or(f64::NAN)
}

/// A job is stored, among others, and run to its end, on one server.
fn through() -> f64 {
    let (stored, run) =
        (recorded("submit-all/postgres"), recorded("run/postgres"));
    1.0 / (1.0 / stored + 1.0 / run)
}

pub(crate) fn one_server() -> String {
    let rows = [
        ("stored together", recorded("submit-all/postgres")),
        ("run to the end", recorded("run/postgres")),
        ("both, one after the other", through()),
        ("half of that", through() * SHARE),
    ]
    .map(|(what, rate)| vec![what.to_owned(), round(rate)]);
    markdown(&["one PostgreSQL server, two cores", "jobs a second"], &rows)
}

pub(crate) fn limits() -> String {
    let (server, node) = (through() * SHARE, LOG * SHARE);
    let rows = [1e6, 1e7, 1e8, 1e9, 3e9].map(|users| {
        let busiest = users * JOBS_PER_USER_AND_DAY / DAY * BUSIEST;
        let servers = (busiest / server).ceil();
        let nodes = (busiest / node).ceil() * COPIES;
        vec![
            format!("{} million", users / 1e6),
            round(busiest),
            round(servers),
            round(servers * 2.0),
            round(nodes),
            format!("{} MB", round(busiest * WRITTEN / 1e6)),
            round(busiest * TAKES),
        ]
    });
    let head = [
        "users",
        "jobs a second",
        "servers",
        "with a standby each",
        "nodes of a log, three copies",
        "written to PostgreSQL's logs a second",
        "jobs that run at any moment",
    ];
    markdown(&head, &rows)
}

/// In three digits, with the rest as zeros: `12 300`.
fn round(value: f64) -> String {
    let step = 10_f64.powf((value.max(1.0).log10().floor() - 2.0).max(0.0));
    let digits = format!("{:.0}", (value / step).round() * step);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chapter_shows_the_record_that_is_reckoned_with() {
        let chapter = include_str!(
            "../../../docs/course/13-when-one-process-is-not-enough.md"
        );
        let shown = chapter.split("<!-- table: ").nth(1).unwrap();
        let shown = shown.split(" -->").next().unwrap();
        let shown = format!(
            "{}/../../docs/course/{shown}",
            env!("CARGO_MANIFEST_DIR")
        );
        assert_eq!(
            std::fs::read_to_string(&shown).unwrap(),
            RECORD,
            "limits.rs reckons with another record than {shown}"
        );
    }

    #[test]
    fn every_figure_is_one() {
        assert!(through() > 0.0);
        assert!(!(one_server() + &limits()).contains("NaN"));
    }

    #[test]
    fn a_number_has_three_digits_and_thin_groups() {
        for (number, text) in [
            (0.4, "0"),
            (35.0, "35"),
            (999.4, "999"),
            (9996.0, "10 000"),
            (1_041_667.0, "1 040 000"),
        ] {
            assert_eq!(round(number), text);
        }
    }
}
