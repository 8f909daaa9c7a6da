//! The tables of the course that are reckoned and not measured.

use std::fmt::Write;
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use manyhands_trace::Trace;
use manyhands_trace::draw::span;

use crate::limits;
use crate::queueing::{
    ONE_IN, TIMES, Variability, about, erlang_c, exceeded_by, exponential,
    mean_wait, simulate, single_wait,
};
use crate::sim::{Pool, Queue, Work};

/// A table, made when a page wants it.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) make: fn() -> String,
}

/// All of them. Whoever adds one names it in the crate's README.
pub(crate) const TABLES: &[Table] = &[
    Table { name: "queue", make: queue },
    Table { name: "utilisation-curve", make: utilisation_curve },
    Table { name: "workers-at-95", make: workers_at_95 },
    Table { name: "variability", make: variability },
    Table { name: "approximation", make: approximation },
    Table { name: "unbounded-growth", make: unbounded_growth },
    Table { name: "little", make: little },
    Table { name: "one-server", make: limits::one_server },
    Table { name: "limits", make: limits::limits },
];

const UTILISATIONS: [f64; 6] = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99];
const WORKERS: [u32; 4] = [1, 2, 4, 8];
const SEED: u64 = 1953;

/// The busier, the longer until a simulation has seen all that there is.
fn jobs(utilisation: f64) -> u32 {
    match utilisation {
        it if it > 0.98 => 4_000_000,
        it if it > 0.94 => 2_000_000,
        _ => 1_000_000,
    }
}

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Formula,
    Approximation,
    Simulation,
}

impl From {
    fn name(self) -> &'static str {
        match self {
            Self::Formula => "formula",
            Self::Approximation => "approximation",
            Self::Simulation => "simulation",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    workers: u32,
    utilisation: f64,
    variability: Variability,
    mean: f64,
    from: From,
    p99: f64,
}

impl Cell {
    fn new(workers: u32, utilisation: f64, variability: Variability) -> Self {
        let squared = variability.squared();
        let cell = |mean, from, p99| Self {
            workers,
            utilisation,
            variability,
            mean,
            from,
            p99,
        };
        if variability == Variability::Exponential {
            let p99 = exceeded_by(0.01, workers, utilisation);
            return cell(mean_wait(workers, utilisation), From::Formula, p99);
        }
        let jobs = jobs(utilisation);
        let found = simulate(workers, utilisation, variability, jobs, SEED);
        let (mean, from) = if workers == 1 {
            (single_wait(utilisation, squared), From::Formula)
        } else if utilisation > 0.98 {
            // There it is better than so short a simulation.
            (about(workers, utilisation, squared), From::Approximation)
        } else {
            (found.mean, From::Simulation)
        };
        // How far the longest are from the mean is known after fewer jobs
        // than the mean is.
        cell(mean, from, found.p99 / found.mean * mean)
    }

    fn row(&self) -> String {
        let digits = match self.from {
            From::Formula => 3,
            From::Approximation | From::Simulation => 2,
        };
        let mean = short(self.mean, digits);
        let p99_digits = match self.variability {
            Variability::Exponential => 3,
            Variability::Constant | Variability::Heavy => 2,
        };
        let p99 = short(self.p99, p99_digits);
        let Self { workers, utilisation, .. } = self;
        let (name, from) = (self.variability.name(), self.from.name());
        format!(
            "<tr data-workers=\"{workers}\" \
             data-utilisation=\"{utilisation}\" data-variability=\"{name}\" \
             data-wait=\"{mean}\" data-p99=\"{p99}\" data-from=\"{from}\">\
             <td>{workers}</td><td>{:.0} %</td><td>{name}</td>\
             <td>{mean}</td><td>{from}</td><td>{p99}</td></tr>\n",
            100.0 * utilisation
        )
    }
}

/// So many digits that say something, and no exponent.
fn short(value: f64, digits: usize) -> String {
    if value <= 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.*e}", digits - 1);
    let (_, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let before: isize = exponent.parse().unwrap_or(0);
    let rounded: f64 = text.parse().unwrap_or(value);
    let decimals = (digits as isize - 1 - before).max(0);
    format!("{rounded:.*}", decimals as usize)
}

/// HTML, whose rows a script reads; it has no empty line in it.
fn queue() -> String {
    let mut wanted = Vec::new();
    for variability in Variability::ALL {
        for workers in WORKERS {
            for utilisation in UTILISATIONS {
                wanted.push((workers, utilisation, variability));
            }
        }
    }
    let cells = cells(&wanted);
    let mut table = format!(
        "<div class=\"wide\">\n<table class=\"queue\">\n\
         <caption>How long a job waits for a worker, in service times: how \
         long a job runs on average. Jobs come at random, the workers share \
         one queue. Times are constant, or exponential, or heavy: one job in \
         {ONE_IN} is of a kind that takes {TIMES} times as long as the \
         others. Waits are from an exact formula; or, to two digits, from a \
         simulation in virtual time, or an approximation. Where times are \
         not exponential, the last column is the simulation's. A simulated \
         figure has a standard error of about 5 % or less; in the last \
         column, at 99 % busy, of about 15 %.</caption>\n\
         <thead><tr><th>workers</th><th>busy</th><th>times</th>\
         <th>mean wait</th><th>from</th><th>one in a hundred waits longer \
         than</th></tr></thead>\n<tbody>\n"
    );
    for cell in cells {
        table += &cell.row();
    }
    table + "</tbody>\n</table>\n</div>\n\n"
}

/// On two threads: what takes longest, last, is dealt evenly.
fn cells(wanted: &[(u32, f64, Variability)]) -> Vec<Cell> {
    let half = |first: usize| {
        let mine = wanted.iter().enumerate().skip(first).step_by(2);
        mine.map(|(place, &(workers, utilisation, variability))| {
            (place, Cell::new(workers, utilisation, variability))
        })
        .collect::<Vec<_>>()
    };
    let mut cells = thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let mut cells = half(0);
        match other.join() {
            Ok(more) => cells.extend(more),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        cells
    });
    cells.sort_by_key(|(place, _)| *place);
    cells.into_iter().map(|(_, cell)| cell).collect()
}

/// A table in Markdown.
pub(crate) fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = format!("| {} |\n", head.join(" | "));
    table += &format!("|{}\n", "---|".repeat(head.len()));
    for row in rows {
        let _ = writeln!(table, "| {} |", row.join(" | "));
    }
    table
}

fn percent(part: f64) -> String {
    format!("{} %", short(100.0 * part, 3).trim_end_matches(".0"))
}

/// Exponential times, by formula.
pub(crate) fn utilisation_curve() -> String {
    let rows = UTILISATIONS.map(|utilisation| {
        let waits = WORKERS.map(|it| short(mean_wait(it, utilisation), 3));
        [vec![format!("{:.0} %", 100.0 * utilisation)], waits.to_vec()]
            .concat()
    });
    let head = ["busy", "1 worker", "2 workers", "4 workers", "8 workers"];
    markdown(&head, &rows)
}

/// The same.
fn workers_at_95() -> String {
    let rows = [1, 2, 4, 8, 16, 32].map(|workers| {
        vec![
            workers.to_string(),
            percent(erlang_c(workers, 0.95)),
            short(mean_wait(workers, 0.95), 3),
            short(exceeded_by(0.01, workers, 0.95), 3),
        ]
    });
    let head = [
        "workers, 95 % busy",
        "jobs that wait",
        "mean wait",
        "one in a hundred waits longer than",
    ];
    markdown(&head, &rows)
}

/// One worker, by formula.
fn variability() -> String {
    let rows = Variability::ALL.map(|it| {
        let squared = it.squared();
        let waits =
            [0.5, 0.8, 0.95].map(|busy| short(single_wait(busy, squared), 3));
        let first = vec![it.name().to_owned(), short(squared, 3)];
        [first, waits.to_vec()].concat()
    });
    let head = [
        "times",
        "variance, over the mean squared",
        "wait, 50 % busy",
        "80 %",
        "95 %",
    ];
    markdown(&head, &rows)
}

/// Allen and Cunneen's formula beside the simulation.
fn approximation() -> String {
    let mut rows = Vec::new();
    for variability in [Variability::Constant, Variability::Heavy] {
        for workers in [2, 8] {
            for utilisation in [0.5, 0.8, 0.95] {
                let cell = Cell::new(workers, utilisation, variability);
                let squared = variability.squared();
                rows.push(vec![
                    variability.name().to_owned(),
                    workers.to_string(),
                    format!("{:.0} %", 100.0 * utilisation),
                    short(about(workers, utilisation, squared), 2),
                    short(cell.mean, 2),
                ]);
            }
        }
    }
    let head = ["times", "workers", "busy", "Allen–Cunneen", "simulated"];
    markdown(&head, &rows)
}

/// Two workers, 20 ms a job, and a queue that takes all that comes.
fn unbounded_growth() -> String {
    let rows = [90_u64, 100, 110, 150, 200].map(|rate| {
        let gap = Duration::from_secs(1) / rate as u32;
        let jobs = (1..=rate * 60).map(|number| Work {
            number,
            at: gap * (number - 1) as u32,
            takes: Duration::from_millis(20),
            then: None,
        });
        let run = Pool::new(2, Queue::Shared).run(jobs.collect());
        let mut row = vec![rate.to_string()];
        for seconds in [1, 10, 60] {
            let at = Duration::from_secs(seconds);
            let waiting: Vec<_> = run
                .records
                .iter()
                .filter(|job| {
                    job.made <= at && job.started.is_some_and(|it| it > at)
                })
                .collect();
            row.push(match waiting.first() {
                None => "0".to_owned(),
                Some(oldest) => {
                    let age = at.saturating_sub(oldest.made);
                    format!("{}, {}", waiting.len(), span(age))
                }
            });
        }
        row
    });
    let head = [
        "jobs a second, of 100 that can be done",
        "waiting after 1 s, age of the oldest",
        "after 10 s",
        "after 60 s",
    ];
    markdown(&head, &rows)
}

/// Of a simulated run, from its records.
fn little() -> String {
    let mut random = Rng::with_seed(SEED);
    let millis = |mean: f64, random: &mut Rng| {
        let nanos = 1e6 * mean * exponential(random);
        Duration::from_nanos(nanos as u64)
    };
    let rows = [0.5, 0.8, 0.95].map(|utilisation| {
        let mut at = Duration::ZERO;
        let jobs = (1..=20_000).map(|number| {
            at += millis(10.0 / (2.0 * utilisation), &mut random);
            let takes = millis(10.0, &mut random);
            Work { number, at, takes, then: None }
        });
        let run = Pool::new(2, Queue::Shared).run(jobs.collect());
        let little = Trace::new(run.records, 2, 0).little();
        let mut row = vec![format!("{:.0} %", 100.0 * utilisation)];
        row.extend(little.into_iter().flat_map(|it| {
            [
                short(it.per_second, 4),
                format!("{} ms", short(1000.0 * it.seconds, 3)),
                short(it.per_second * it.seconds, 3),
                short(it.in_flight, 3),
            ]
        }));
        row
    });
    let head = [
        "busy",
        "λ, jobs a second",
        "W, in the system",
        "λ × W",
        "L, jobs in flight",
    ];
    markdown(&head, &rows)
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;

    #[test]
    fn a_number_has_so_many_digits_and_no_exponent() {
        for (value, digits, text) in [
            (0.0, 3, "0"),
            (0.022_29, 2, "0.022"),
            (0.000_999_6, 3, "0.00100"),
            (0.5, 3, "0.500"),
            (0.999_9, 2, "1.0"),
            (9.996, 3, "10.0"),
            (49.5, 3, "49.5"),
            (280.16, 2, "280"),
            (1291.0, 2, "1300"),
        ] {
            assert_eq!(short(value, digits), text, "{value}");
        }
    }

    #[test]
    fn the_queue_has_every_row_and_busier_queues_wait_longer() {
        let html = queue();
        let block = html.strip_suffix("\n\n").unwrap();
        assert!(block.lines().all(|line| !line.trim().is_empty()));
        let xml = Document::parse(&html).unwrap();
        let rows: Vec<_> = xml
            .descendants()
            .filter(|node| node.attribute("data-wait").is_some())
            .collect();
        assert_eq!(rows.len(), 6 * 4 * 3);
        let of = |row: usize, name| -> f64 {
            rows[row].attribute(name).unwrap().parse().unwrap()
        };
        for (place, row) in rows.iter().enumerate().skip(1) {
            assert_eq!(row.children().count(), 6);
            if of(place, "data-utilisation") > 0.5 {
                for name in ["data-wait", "data-p99"] {
                    let (less, more) = (of(place - 1, name), of(place, name));
                    assert!(less < more, "{name}: {less}, then {more}");
                }
            }
            assert!(of(place, "data-p99") > of(place, "data-wait"));
        }
    }

    /// To a tenth, where the table takes its word.
    #[test]
    fn the_approximation_is_good_where_workers_are_busy() {
        for variability in [Variability::Constant, Variability::Heavy] {
            let found = simulate(2, 0.95, variability, 4_000_000, SEED);
            let said = about(2, 0.95, variability.squared());
            assert!((found.mean / said - 1.0).abs() < 0.1, "{found:?} {said}");
        }
        // And is not where they are idle.
        let found = simulate(8, 0.5, Variability::Heavy, 400_000, SEED);
        let said = about(8, 0.5, Variability::Heavy.squared());
        assert!(found.mean / said < 0.7, "{found:?} {said}");
    }

    #[test]
    fn a_queue_without_a_bound_grows_by_what_is_too_much() {
        let table = unbounded_growth();
        let row = |rate: &str| {
            let start = format!("| {rate} |");
            let mut rows = table.lines();
            rows.find(|row| row.starts_with(&start)).unwrap().to_owned()
        };
        assert_eq!(row("90"), "| 90 | 0 | 0 | 0 |");
        // 50 a second too many.
        assert!(row("150").contains("| 2999, 20 s |"), "{table}");
    }

    #[test]
    fn the_two_sides_of_littles_law_are_the_same() {
        for row in little().lines().skip(2) {
            let cells: Vec<_> = row.split(" | ").collect();
            assert_eq!(cells.len(), 5, "{row}");
            assert_eq!(cells[3], cells[4].trim_end_matches(" |"), "{row}");
        }
    }
}
