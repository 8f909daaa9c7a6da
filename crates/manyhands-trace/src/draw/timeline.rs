//! Lanes: a row a worker, a bar a job, and above them what waits.

use std::fmt::Write;
use std::time::Duration;

use crate::draw::columns::columns;
use crate::draw::picture::Picture;
use crate::draw::scale::{Scale, seconds, short, span};
use crate::draw::text::escape;
use crate::flow::Step;
use crate::trace::{Record, Trace};
use crate::traced::Ended;

/// The trace as SVG: for each worker a lane, in which each job is a bar with
/// its number; below them, on the same axis, how many jobs waited. A tooltip
/// says all of a job; jobs that are too brief to be seen are drawn together.
///
/// What a colour says, a sign in the bar says too.
pub fn timeline(trace: &Trace, title: &str) -> Picture {
    Timeline::new(trace).picture(title)
}

/// Widths and heights, in the units of the picture.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 28.0;
const LANE: f64 = 22.0;
const GAP: f64 = 4.0;
const QUEUE: f64 = 64.0;
const AXIS: f64 = 30.0;

/// More lanes than this, as tasks have, are drawn thinner.
const MANY: usize = 40;

/// Of how many waited, the places that are told apart.
const PLACE: f64 = 0.5;

/// Bars that are less wide than this are drawn together.
const BRIEF: f64 = 2.0;

struct Timeline<'a> {
    trace: &'a Trace,
    axis: Scale,
    lane: f64,
    gap: f64,
}

impl<'a> Timeline<'a> {
    fn new(trace: &'a Trace) -> Self {
        let (start, end) = (trace.start(), trace.end());
        let axis = Scale::linear(0.0, end.saturating_sub(start).as_secs_f64());
        let axis = axis.over(LEFT, WIDTH - RIGHT);
        let few = trace.lanes() <= MANY;
        let (lane, gap) = if few {
            (LANE, GAP)
        } else {
            (MANY as f64 * (LANE + GAP) / trace.lanes() as f64, 0.0)
        };
        Self { trace, axis, lane, gap }
    }

    fn lanes_height(&self) -> f64 {
        self.trace.lanes() as f64 * (self.lane + self.gap)
    }

    fn y(&self, lane: usize) -> f64 {
        TOP + lane as f64 * (self.lane + self.gap)
    }

    fn x(&self, time: Duration) -> f64 {
        self.axis.at(self.trace.since_start(time).as_secs_f64())
    }

    fn picture(&self, title: &str) -> Picture {
        let queue_top = TOP + self.lanes_height() + 24.0;
        let bottom = queue_top + QUEUE;
        let words = self.in_words();
        let mut picture = Picture::new(title, &words, WIDTH, bottom + AXIS);
        let title = escape(title);
        picture.add(format_args!(
            "<text x=\"{LEFT}\" y=\"17\" class=\"head\">{title}</text>"
        ));
        let ticks = self.axis.ticks(8).into_iter();
        let ticks = ticks.map(|tick| (self.axis.at(tick), seconds(tick)));
        picture.add_uprights(ticks, TOP, bottom);
        self.labels(&mut picture);
        for lane in 0..self.trace.lanes() {
            self.bars(&mut picture, lane);
        }
        self.queue(&mut picture, queue_top);
        picture
    }

    /// The picture for those who do not see it.
    fn in_words(&self) -> String {
        let trace = self.trace;
        let jobs = trace.records().len();
        let whole = trace.end().saturating_sub(trace.start());
        let mut text = format!(
            "{jobs} jobs on {} workers in {}",
            trace.lanes(),
            span(whole)
        );
        for how in Ended::ALL {
            let count = trace.count(how);
            if count > 0 && how != Ended::Done {
                let _ = write!(text, ", {count} {how}");
            }
        }
        let most = trace.steps().iter().map(|step| step.waiting).max();
        let _ = write!(text, "; at most {} waiting", most.unwrap_or(0));
        text
    }

    fn labels(&self, svg: &mut Picture) {
        // As many as can be read.
        let every = (14.0 / (self.lane + self.gap)).ceil().max(1.0) as usize;
        for lane in (0..self.trace.lanes()).step_by(every) {
            svg.add(format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" class=\"side\">worker {}\
                 </text>",
                LEFT - 8.0,
                self.y(lane) + self.lane / 2.0 + 4.0,
                lane + 1,
            ));
        }
    }

    fn bars(&self, svg: &mut Picture, lane: usize) {
        let mut brief: Option<Brief<'_>> = None;
        for record in self.trace.records() {
            let (Some(started), true) =
                (record.started, record.lane == Some(lane))
            else {
                continue;
            };
            let (from, to) = (self.x(started), self.x(record.ended));
            if to - from >= BRIEF {
                self.together(svg, lane, brief.take());
                self.bar(svg, lane, record, from, to);
                continue;
            }
            match &mut brief {
                Some(row) if from - row.to < BRIEF => {
                    row.add(record, from, to)
                }
                row => {
                    let before = row.replace(Brief::new(record, from, to));
                    self.together(svg, lane, before);
                }
            }
        }
        self.together(svg, lane, brief);
    }

    fn bar(
        &self,
        svg: &mut Picture,
        lane: usize,
        record: &Record,
        from: f64,
        to: f64,
    ) {
        let (y, high, wide) = (self.y(lane), self.lane, to - from);
        let label = format!("{}{}", sign(record.how), record.number);
        let fits = label.chars().count() as f64 * 7.5 + 4.0 < wide;
        let text = if fits && high >= 12.0 {
            let (x, y) = (from + wide / 2.0, y + high / 2.0 + 4.0);
            let how = record.how;
            format!(
                "<text class=\"in {how}\" x=\"{x:.1}\" y=\"{y:.1}\">{label}\
                 </text>"
            )
        } else {
            String::new()
        };
        svg.add(format_args!(
            "<g><title>{}</title><rect class=\"{}\" x=\"{from:.1}\" \
             y=\"{}\" width=\"{wide:.1}\" height=\"{}\"/>{text}\
             </g>",
            describe(record, self.trace.start()),
            record.how,
            short(y),
            short(high),
        ));
    }

    /// Jobs that are too brief to be told apart: as dark as the lane was busy.
    fn together(
        &self,
        svg: &mut Picture,
        lane: usize,
        brief: Option<Brief<'_>>,
    ) {
        let Some(brief) = brief else { return };
        let (from, to) = (brief.from, brief.to);
        if brief.jobs == 1 {
            let (record, to) = (brief.first, to.max(from + 0.75));
            return self.bar(svg, lane, record, from, to);
        }
        let wide = (to - from).max(0.75);
        let busy = (brief.busy / wide).clamp(0.0, 1.0);
        let whole = brief
            .until
            .saturating_sub(brief.first.started.unwrap_or(brief.first.made));
        let (class, bad) = match brief.bad {
            0 => ("done", String::new()),
            bad => ("failed", format!("; {bad} of them not done")),
        };
        svg.add(format_args!(
            "<g><title>{} jobs within {}, busy {:.0} % of it{bad}</title>\
             <rect class=\"{class}\" x=\"{from:.1}\" y=\"{:.1}\" \
             width=\"{wide:.1}\" height=\"{:.1}\" \
             fill-opacity=\"{:.2}\"/></g>",
            brief.jobs,
            span(whole),
            100.0 * busy,
            self.y(lane),
            self.lane,
            0.25 + 0.75 * busy,
        ));
    }

    /// How many jobs waited, as an area.
    fn queue(&self, svg: &mut Picture, top: f64) {
        let steps = self.trace.steps();
        let most = steps.iter().map(|step| step.waiting).max().unwrap_or(0);
        let scale = QUEUE / most.max(1) as f64;
        let y = |waiting: f64| top + QUEUE - waiting * scale;
        let mut path = format!("M{LEFT} {:.1}", top + QUEUE);
        let at = |step: &Step| self.x(step.at);
        for (x, step) in columns(&steps, at, |step| step.waiting, PLACE) {
            // A `String` takes everything.
            let _ = write!(path, "H{x:.1}V{:.1}", y(step.waiting as f64));
        }
        let (right, side) = (WIDTH - RIGHT, LEFT - 8.0);
        let (bottom, baseline) = (top + QUEUE, top + QUEUE + 0.5);
        svg.add(format_args!(
            "<g><title>jobs waiting: at most {most}</title>\
             <path class=\"waiting\" \
             d=\"{path}H{right:.1}V{bottom:.1}Z\"/></g>\n\
             <path class=\"base\" d=\"M{LEFT} {baseline:.1}H{right:.1}\"/>\n\
             <text x=\"{side:.1}\" y=\"{bottom:.1}\" class=\"side\">waiting\
             </text>\n\
             <text x=\"{side:.1}\" y=\"{:.1}\" class=\"side\">{most}</text>",
            top + 8.0,
        ));
    }
}

/// Jobs in a lane, one after the other, that are drawn as one bar.
struct Brief<'a> {
    first: &'a Record,
    jobs: usize,
    /// How many of them are not done.
    bad: usize,
    from: f64,
    to: f64,
    until: Duration,
    /// How wide they are together.
    busy: f64,
}

impl<'a> Brief<'a> {
    fn new(first: &'a Record, from: f64, to: f64) -> Self {
        let mut row = Self {
            first,
            jobs: 0,
            bad: 0,
            from,
            to,
            until: first.ended,
            busy: 0.0,
        };
        row.add(first, from, to);
        row
    }

    fn add(&mut self, record: &Record, from: f64, to: f64) {
        self.jobs += 1;
        self.bad += usize::from(record.how != Ended::Done);
        self.to = self.to.max(to);
        self.until = self.until.max(record.ended);
        self.busy += to - from;
    }
}

/// What stands before a job's number.
fn sign(how: Ended) -> &'static str {
    match how {
        Ended::Done | Ended::Cancelled => "",
        Ended::Failed => "✕ ",
        Ended::Panicked => "! ",
        Ended::Abandoned => "… ",
    }
}

/// All that is known of a job, in a line.
fn describe(record: &Record, start: Duration) -> String {
    let since = |time: Duration| span(time.saturating_sub(start));
    let ran = record.ran().unwrap_or_default();
    format!(
        "job {}: {}; waited {} from {}, ran {} from {} to {}",
        record.number,
        record.how,
        span(record.waited()),
        since(record.made),
        span(ran),
        since(record.started.unwrap_or(record.ended)),
        since(record.ended),
    )
}
