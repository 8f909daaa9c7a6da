//! Several runs of the same jobs, one below the other.

use std::fmt::Write;

use crate::draw::picture::Picture;
use crate::draw::scale::{Scale, seconds};
use crate::draw::text::escape;
use crate::trace::Trace;
use crate::traced::Ended;

/// Runs of the same jobs, each by its name, on one time axis: each has a row
/// of lanes, and ends where its last job did. Where jobs are too brief to be
/// seen, or a row stands for several lanes, its colour is the fuller the
/// busier it was.
pub fn strips<'a>(
    runs: impl IntoIterator<Item = (&'a str, &'a Trace)>,
    title: &str,
) -> Picture {
    let runs: Vec<Run<'_>> =
        runs.into_iter().map(|(name, trace)| Run { name, trace }).collect();
    let longest = runs.iter().map(Run::took).fold(0.0, f64::max);
    let axis = Scale::linear(0.0, longest).over(LEFT, WIDTH - RIGHT);
    let bottom = TOP + runs.len() as f64 * (STRIP + GAP);
    let mut words = String::new();
    for run in &runs {
        let comma = if words.is_empty() { "" } else { ", " };
        // A `String` takes everything.
        let _ = write!(words, "{comma}{} {}", run.name, seconds(run.took()));
    }
    let mut picture = Picture::new(title, &words, WIDTH, bottom + AXIS);
    let ticks = axis.ticks(8).into_iter();
    let ticks = ticks.map(|tick| (axis.at(tick), seconds(tick)));
    picture.add_uprights(ticks, TOP - 4.0, bottom);
    for (place, run) in runs.iter().enumerate() {
        let top = TOP + place as f64 * (STRIP + GAP);
        run.draw(&mut picture, &axis, top);
    }
    picture
}

const WIDTH: f64 = 960.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = 72.0;
const TOP: f64 = 10.0;
/// How high a run is, and how far below it the next.
const STRIP: f64 = 26.0;
const GAP: f64 = 8.0;
const AXIS: f64 = 26.0;

/// Most rows of a run that can be told apart. Where there are more lanes,
/// several share one.
const MOST_ROWS: usize = 13;

/// How wide a job is that is drawn by itself.
const SEEN: f64 = 18.0;

/// How wide a column is in which brief jobs are added up.
const COLUMN: f64 = 7.0;
/// How many shades there are.
const SHADES: usize = 3;

struct Run<'a> {
    name: &'a str,
    trace: &'a Trace,
}

impl Run<'_> {
    /// Seconds from the first job's beginning to the last one's end.
    fn took(&self) -> f64 {
        self.trace.since_start(self.trace.end()).as_secs_f64()
    }

    fn draw(&self, picture: &mut Picture, axis: &Scale, top: f64) {
        let lanes = self.trace.lanes().max(1);
        let in_a_row = lanes.div_ceil(MOST_ROWS);
        let rows = lanes.div_ceil(in_a_row);
        let high = STRIP / rows as f64;
        // A little ground between lanes, where there is room for it.
        let stroke = if high > 4.0 { high - 1.0 } else { high };
        let mut shades: [Dashes; SHADES] = Default::default();
        let mut bad = Dashes::default();
        for row in 0..rows {
            let y = top + (row as f64 + 0.5) * high;
            let mut columns = Columns::new(in_a_row);
            let is_here = |lane: usize| lane / in_a_row == row;
            for job in self.trace.records() {
                let (Some(started), true) =
                    (job.started, job.lane.is_some_and(is_here))
                else {
                    continue;
                };
                let x =
                    |time| axis.at(self.trace.since_start(time).as_secs_f64());
                let (from, to) = (x(started), x(job.ended));
                if !matches!(job.how, Ended::Done) {
                    bad.add(from, y, (to - from).max(1.5));
                } else if in_a_row == 1 && to - from >= SEEN {
                    // So that one job can be told from the next.
                    shades[SHADES - 1].add(from, y, to - from - 1.0);
                } else {
                    columns.add(from - LEFT, to - LEFT);
                }
            }
            for (from, wide, shade) in columns.rows() {
                shades[shade].add(from + LEFT, y, wide);
            }
        }
        let end = axis.at(self.took());
        let middle = top + STRIP / 2.0 + 4.0;
        let (side, after) = (LEFT - 8.0, end + 6.0);
        let (name, took) = (escape(self.name), seconds(self.took()));
        picture.add(format_args!(
            "<text x=\"{side:.0}\" y=\"{middle:.0}\" class=\"side\">{name}\
             </text><text x=\"{after:.0}\" y=\"{middle:.0}\">{took}</text>\
             <path class=\"base\" d=\"M{end:.1} {top:.0}v{STRIP}\"/>\
             <g stroke-width=\"{stroke:.1}\">"
        ));
        for (shade, Dashes { path, .. }) in shades.iter().enumerate() {
            let opacity = (shade + 1) as f64 / SHADES as f64;
            if !path.is_empty() {
                picture.add(format_args!(
                    "<path class=\"row\" stroke-opacity=\"{opacity:.2}\" d=\"{path}\"/>"
                ));
            }
        }
        if !bad.path.is_empty() {
            picture
                .add(format_args!("<path class=\"bad\" d=\"{}\"/>", bad.path));
        }
        picture.add(format_args!("</g>"));
    }
}

/// Lines from left to right, as a path: where each begins is said from where
/// the one before it ended, which is shorter.
#[derive(Default)]
struct Dashes {
    path: String,
    at: (i64, i64),
}

impl Dashes {
    fn add(&mut self, x: f64, y: f64, wide: f64) {
        let rounded = |length: f64| length.round() as i64;
        let (x, y, wide) = (rounded(x), rounded(y), rounded(wide.max(1.0)));
        let (right, down) = (x - self.at.0, y - self.at.1);
        // A `String` takes everything.
        let _ = write!(self.path, "m{right} {down}h{wide}");
        self.at = (x + wide, y);
    }
}

/// How busy the lanes of a row were with brief jobs, column by column.
struct Columns {
    /// How much of each column was taken, as a length, of all lanes.
    taken: Vec<f64>,
    lanes: f64,
}

impl Columns {
    fn new(lanes: usize) -> Self {
        Self { taken: Vec::new(), lanes: lanes as f64 }
    }

    fn add(&mut self, from: f64, to: f64) {
        let (first, last) = (column(from), column(to));
        if self.taken.len() <= last {
            self.taken.resize(last + 1, 0.0);
        }
        for at in first..=last {
            let left = at as f64 * COLUMN;
            let here = to.min(left + COLUMN) - from.max(left);
            // What took no time is seen all the same.
            self.taken[at] += here.max(1e-3);
        }
    }

    /// Columns of one shade beside each other: from where, how wide, which.
    fn rows(&self) -> Vec<(f64, f64, usize)> {
        let shade = |taken: f64| {
            let part = (taken / self.lanes / COLUMN).clamp(0.0, 1.0);
            (part > 0.0).then(|| {
                ((part * SHADES as f64).round() as usize).clamp(1, SHADES) - 1
            })
        };
        let shades: Vec<Option<usize>> =
            self.taken.iter().map(|&taken| shade(taken)).collect();
        let mut rows = Vec::new();
        let mut at = 0;
        for row in shades.chunk_by(|a, b| a == b) {
            if let Some(shade) = row[0] {
                let from = at as f64 * COLUMN;
                rows.push((from, row.len() as f64 * COLUMN, shade));
            }
            at += row.len();
        }
        rows
    }
}

fn column(x: f64) -> usize {
    (x / COLUMN).max(0.0) as usize
}
