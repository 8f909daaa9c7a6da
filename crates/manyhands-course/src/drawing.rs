//! Simulated runs as pictures: a lane a worker, a bar a job, a thin bar where
//! a worker waits, and below them how many jobs waited. Several runs have one
//! axis of time, so that what takes longer is longer.
//!
//! Narrow, so that it can be read on a phone.

use std::fmt::Write;
use std::time::Duration;

use manyhands_trace::draw::{Picture, Scale, escape, seconds, span};
use manyhands_trace::{Ended, Record, Step, Trace};

use crate::sim::{Run, Wait};
use crate::{curve, tables};

/// A run, and what is said beside it.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// Above it; nothing if it is the only one.
    pub(crate) label: &'static str,
    pub(crate) workers: usize,
    pub(crate) run: Run,
    /// A moment at which something was done to the pool.
    pub(crate) mark: Option<(Duration, &'static str)>,
}

/// A picture by its name.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) shows: Shows,
}

/// What is drawn.
#[derive(Clone, Debug)]
pub(crate) enum Shows {
    Runs(Vec<Panel>),
    /// See [`curve`].
    Curves,
}

/// In the units of the picture.
const WIDTH: f64 = 480.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const HEAD: f64 = 26.0;
const LABEL: f64 = 20.0;
const LANE: f64 = 22.0;
const GAP: f64 = 3.0;
const QUEUE: f64 = 30.0;
const BELOW: f64 = 12.0;
const AXIS: f64 = 24.0;

/// How wide it is shown where there is room.
const SHOWN: u32 = 640;

/// How much room a letter takes, at most.
const LETTER: f64 = 6.6;

impl Drawing {
    /// Where it is, from the root.
    pub(crate) fn file(&self) -> String {
        format!("docs/drawings/{}.svg", self.name)
    }

    /// The file.
    pub(crate) fn svg(&self) -> String {
        let picture = match &self.shows {
            Shows::Runs(panels) => self.lanes(panels),
            Shows::Curves => curve::picture(self.title, &self.words()),
        };
        let wide = format!(" width=\"{SHOWN}\" viewBox=");
        picture.alone().replacen(" viewBox=", &wide, 1)
    }

    fn lanes(&self, panels: &[Panel]) -> Picture {
        let end = panels.iter().map(|it| it.run.end).max();
        let end = end.unwrap_or_default().as_secs_f64();
        let axis = Scale::linear(0.0, end).over(LEFT, WIDTH - RIGHT);
        let heights = panels.iter().map(Panel::height);
        let bottom = HEAD + heights.sum::<f64>();
        let mut picture =
            Picture::new(self.title, &self.words(), WIDTH, bottom + AXIS);
        let title = escape(self.title);
        picture.add(format_args!(
            "<text x=\"8\" y=\"17\" class=\"head\">{title}</text>"
        ));
        let ticks = axis.ticks(6).into_iter();
        let ticks = ticks.map(|tick| (axis.at(tick), seconds(tick)));
        picture.add_uprights(ticks, HEAD, bottom - BELOW / 2.0);
        let mut top = HEAD;
        for panel in panels {
            Drawn { panel, axis, picture: &mut picture }.at(top);
            top += panel.height();
        }
        picture
    }

    /// What is to be seen, in words.
    pub(crate) fn words(&self) -> String {
        match &self.shows {
            Shows::Runs(panels) => {
                panels.iter().map(Panel::words).collect::<Vec<_>>().join(" ")
            }
            Shows::Curves => curve::words(),
        }
    }

    /// For a page: the picture, and all of it as tables.
    pub(crate) fn block(&self, up: &str) -> String {
        let mut text = format!(
            "![{}. {}]({up}{}.svg)\n\n\
             <details><summary>The same in figures</summary>\n\n",
            self.title,
            self.words(),
            self.name,
        );
        match &self.shows {
            Shows::Runs(panels) => {
                for panel in panels {
                    if !panel.label.is_empty() {
                        let _ = writeln!(text, "{}:\n", panel.label);
                    }
                    text += &panel.table();
                    text.push('\n');
                }
            }
            Shows::Curves => {
                text += &tables::utilisation_curve();
                text.push('\n');
            }
        }
        text + "</details>\n\n"
    }
}

impl Panel {
    fn label_height(&self) -> f64 {
        let has_none = self.label.is_empty() && self.mark.is_none();
        if has_none { 0.0 } else { LABEL }
    }

    fn height(&self) -> f64 {
        let lanes = self.workers as f64 * (LANE + GAP);
        self.label_height() + lanes + QUEUE + BELOW
    }

    fn count(&self, how: Ended) -> usize {
        self.run.records.iter().filter(|job| job.how == how).count()
    }

    fn steps(&self) -> Vec<Step> {
        Trace::new(self.run.records.clone(), self.workers, 0).steps()
    }

    fn words(&self) -> String {
        let mut words = String::new();
        if !self.label.is_empty() {
            words = format!("{}: ", self.label);
        }
        let done = self.count(Ended::Done);
        let workers = match self.workers {
            1 => "1 worker".to_owned(),
            more => format!("{more} workers"),
        };
        // A `String` takes everything.
        let _ = match self.run.hangs {
            true => write!(
                words,
                "{done} of {} jobs on {workers} end, then nobody moves any \
                 more",
                self.run.records.len()
            ),
            false => write!(
                words,
                "{done} jobs on {workers} are done after {}",
                span(self.run.end)
            ),
        };
        let cancelled = self.count(Ended::Cancelled);
        if cancelled > 0 {
            let _ = write!(words, ", {cancelled} are not started");
        }
        words + "."
    }

    fn table(&self) -> String {
        let mut table = String::from(
            "| job | worker | came at | started at | ended at |\n\
             |---|---|---|---|---|\n",
        );
        for job in &self.run.records {
            let worker = match job.started {
                Some(_) => (job.thread + 1).to_string(),
                None => "–".to_owned(),
            };
            let started = job.started.map_or("–".into(), span);
            let ended = match job.how {
                Ended::Done => span(job.ended),
                Ended::Cancelled => {
                    format!("cancelled at {}", span(job.ended))
                }
                _ => "never".into(),
            };
            let (number, made) = (job.number, span(job.made));
            let _ = writeln!(
                table,
                "| {number} | {worker} | {made} | {started} | {ended} |"
            );
        }
        table
    }
}

/// A panel that is being drawn.
struct Drawn<'a> {
    panel: &'a Panel,
    axis: Scale,
    picture: &'a mut Picture,
}

impl Drawn<'_> {
    fn at(&mut self, mut top: f64) {
        let panel = self.panel;
        if !panel.label.is_empty() {
            let (label, y) = (escape(panel.label), top + 14.0);
            self.picture.add(format_args!(
                "<text x=\"8\" y=\"{y:.1}\">{label}</text>"
            ));
        }
        top += panel.label_height();
        for worker in 0..panel.workers {
            let y = top + worker as f64 * (LANE + GAP);
            self.picture.add(format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" class=\"side\">worker {}\
                 </text>",
                LEFT - 6.0,
                y + LANE / 2.0 + 4.0,
                worker + 1,
            ));
            for job in &panel.run.records {
                if let (Some(started), true) =
                    (job.started, job.thread == worker)
                {
                    self.bar(job, started, y);
                }
            }
            for wait in &panel.run.waits {
                if wait.worker == worker {
                    self.wait(wait, y);
                }
            }
        }
        let bottom = top + panel.workers as f64 * (LANE + GAP);
        self.queue(bottom + 4.0);
        if let Some((at, label)) = panel.mark {
            let x = self.x(at);
            let bottom = bottom + QUEUE;
            self.picture.add(format_args!(
                "<path class=\"bound\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + 4.0,
                top - 6.0,
                escape(label),
            ));
        }
    }

    fn x(&self, time: Duration) -> f64 {
        self.axis.at(time.as_secs_f64())
    }

    fn bar(&mut self, job: &Record, started: Duration, y: f64) {
        // What a worker waits for within its job is drawn by itself.
        let stuck = self.panel.run.waits.iter().find(|wait| {
            wait.worker == job.thread
                && wait.from > started
                && wait.from < job.ended
        });
        let until = stuck.map_or(job.ended, |wait| wait.from);
        let (from, to) = (self.x(started), self.x(until));
        let wide = (to - from).max(0.5);
        let middle = from + wide / 2.0;
        let number = job.number.to_string();
        let fits = number.len() as f64 * LETTER + 4.0 < wide;
        let text = match fits {
            true => format!(
                "<text class=\"in\" x=\"{middle:.1}\" y=\"{:.1}\">{number}\
                 </text>",
                y + LANE / 2.0 + 4.0
            ),
            false => String::new(),
        };
        let ended = match job.how {
            Ended::Done => format!("to {}", span(job.ended)),
            _ => "for ever".into(),
        };
        self.picture.add(format_args!(
            "<g><title>job {number}: came at {}, ran from {} {ended}</title>\
             <rect class=\"{}\" x=\"{from:.1}\" y=\"{y:.1}\" \
             width=\"{wide:.1}\" height=\"{LANE}\"/>{text}</g>",
            span(job.made),
            span(started),
            job.how,
        ));
    }

    fn wait(&mut self, wait: &Wait, y: f64) {
        let until = wait.until.unwrap_or(self.panel.run.end);
        let (from, to) = (self.x(wait.from), self.x(until));
        let (wide, why) = ((to - from).max(0.5), escape(wait.why));
        let long = match wait.until {
            Some(until) => span(until.saturating_sub(wait.from)),
            None => "for ever".into(),
        };
        let fits = why.chars().count() as f64 * LETTER < wide;
        let text = match fits {
            true => format!(
                "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{why}</text>",
                from + 2.0,
                y + 10.0,
            ),
            false => String::new(),
        };
        self.picture.add(format_args!(
            "<g><title>{why}, {long}</title><rect class=\"waiting\" \
             x=\"{from:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"6\"/>\
             {text}</g>",
            y + LANE - 7.0,
        ));
    }

    /// How many jobs waited, as an area.
    fn queue(&mut self, top: f64) {
        let steps = self.panel.steps();
        let most = steps.iter().map(|step| step.waiting).max().unwrap_or(0);
        let high = QUEUE - 4.0;
        let bottom = top + high;
        let mut path = format!("M{LEFT} {bottom:.1}");
        for step in &steps {
            let part = step.waiting as f64 / most.max(1) as f64;
            let (x, y) = (self.x(step.at), bottom - part * high);
            // A `String` takes everything.
            let _ = write!(path, "H{x:.1}V{y:.1}");
        }
        let right = self.x(self.panel.run.end);
        let side = LEFT - 6.0;
        self.picture.add(format_args!(
            "<g><title>jobs waiting: at most {most}</title>\
             <path class=\"waiting\" d=\"{path}H{right:.1}V{bottom:.1}Z\"/>\
             </g>\n\
             <path class=\"base\" d=\"M{LEFT} {0:.1}H{1:.1}\"/>\n\
             <text x=\"{side:.1}\" y=\"{bottom:.1}\" class=\"side\">waiting\
             </text>\n\
             <text x=\"{side:.1}\" y=\"{2:.1}\" class=\"scale\">{most}</text>",
            bottom + 0.5,
            WIDTH - RIGHT,
            top + 9.0,
        ));
    }
}
