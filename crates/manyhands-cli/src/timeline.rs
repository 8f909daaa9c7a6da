//! `run --timeline`: what each worker did, as a page, a picture or a trace.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use manyhands_trace::{Ended, Phase, Recorder, Trace, chrome, draw};
use maud::{PreEscaped, html};

use crate::args::Usage;
use crate::interrupt::Interrupt;
use crate::output::{Target, legible, plural};
use crate::page::{page, table};

/// Where a timeline goes, and what it will be made of.
#[derive(Debug)]
pub(crate) struct Timeline {
    target: Target,
    shape: Shape,
    pub(crate) recorder: Arc<Recorder>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Html,
    Svg,
    Json,
}

/// Most jobs that are recorded: they take some fifty megabytes.
const MOST_JOBS: usize = 1_000_000;

/// Most jobs that have a row of their own on a page.
const MOST_ROWS: usize = 500;

impl Timeline {
    /// Finds out whether the file can be written to, before there is anything
    /// to be written. `None` if Ctrl-C was pressed while a FIFO's reader was
    /// waited for.
    pub(crate) fn open(
        path: PathBuf,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Self>> {
        let shape = shape(&path).ok_or_else(|| {
            Usage(format!(
                "--timeline is {}, allowed is a file whose name ends in \
                 .html, .svg or .json",
                legible(&path.to_string_lossy())
            ))
        })?;
        let opened = interrupt.or(move || Target::open("--timeline", &path));
        let Some(target) = opened.transpose().map_err(Usage)? else {
            return Ok(None);
        };
        let recorder = Recorder::new(MOST_JOBS);
        Ok(Some(Self { target, shape, recorder }))
    }

    /// Writes what was recorded on so many workers. A word if that is not
    /// all.
    pub(crate) fn write(
        self,
        title: &str,
        workers: usize,
    ) -> anyhow::Result<Option<String>> {
        let trace = self.recorder.trace(workers);
        let content = match self.shape {
            Shape::Html => html_page(&trace, title),
            Shape::Svg => draw::timeline(&trace, title).alone(),
            Shape::Json => chrome(&trace, title),
        };
        self.target.fill(&content)?;
        Ok(trace.warning())
    }
}

fn shape(path: &Path) -> Option<Shape> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match &*extension {
        "html" | "htm" => Some(Shape::Html),
        "svg" => Some(Shape::Svg),
        "json" => Some(Shape::Json),
        _ => None,
    }
}

fn html_page(trace: &Trace, title: &str) -> String {
    let jobs = trace.records().len();
    let ends = Ended::ALL.into_iter().filter(|&how| trace.count(how) > 0);
    let workers = (0..trace.lanes()).map(|lane| {
        let here = trace.records().iter().filter(|it| it.lane == Some(lane));
        let ran = here.clone().filter_map(|it| it.ran()).sum();
        vec![
            (lane + 1).to_string(),
            here.count().to_string(),
            draw::span(ran),
            format!("{:.0} %", 100.0 * trace.busy(lane)),
        ]
    });
    let times = Phase::ALL.map(|phase| {
        let times = trace.times(phase);
        let at = |percent| draw::span(times.percentile(percent));
        let name = phase.name().to_owned();
        let (mean, max) = (draw::span(times.mean()), draw::span(times.max()));
        vec![name, mean, at(50.0), at(90.0), at(99.0), at(99.9), max]
    });
    let rows = trace.records().iter().take(MOST_ROWS).map(|job| {
        let since = |time| draw::span(trace.since_start(time));
        let or_none = |text: Option<String>| text.unwrap_or("–".into());
        vec![
            job.number.to_string(),
            or_none(job.lane.map(|lane| (lane + 1).to_string())),
            since(job.made),
            draw::span(job.waited()),
            or_none(job.started.map(since)),
            or_none(job.ran().map(draw::span)),
            since(job.ended),
            job.how.to_string(),
        ]
    });
    let content = html! {
        h1 { (title) }
        @if let Some(warning) = trace.warning() { p { strong { (warning) } } }
        figure {
            div.scroll tabindex="0" role="region" aria-label="Timeline" {
                (PreEscaped(draw::timeline(trace, title).in_page()))
            }
            figcaption {
                "A lane a worker, a bar a job; under them, how many jobs \
                 waited. A job before whose number is ✕ failed, before whose \
                 is ! panicked. Jobs that are too brief to be told apart are \
                 drawn together, the fuller the colour the busier. A pool does not say \
                 which worker runs a job: a lane is a thread, or where tasks \
                 share threads, room for one job at a time."
            }
        }
        p {
            (plural(jobs as u64, "job")) ": "
            @for (at, how) in ends.enumerate() {
                @if at > 0 { ", " }
                (trace.count(how)) " " (how.name())
            }
            "."
        }
        @if let Some(little) = trace.little() {
            p {
                "On the average " (format!("{:.3}", little.in_flight))
                " jobs were in flight, "
                (format!("{:.3}", little.per_second))
                " a second came, and each took "
                (draw::span(std::time::Duration::from_secs_f64(little.seconds)))
                ". By Little’s law the first is the product of the others."
            }
        }
        h2 { "Workers" }
        (table("Workers", &["worker", "jobs", "busy", "share"], workers))
        h2 { "Times" }
        (table(
            "How long jobs waited and ran",
            &["", "mean", "p50", "p90", "p99", "p99.9", "max"],
            times,
        ))
        h2 { "Jobs" }
        details {
            summary {
                @if jobs > MOST_ROWS { "The first " (MOST_ROWS) " of " }
                (plural(jobs as u64, "job"))
            }
            (table(
                "Jobs, in the order of their starts",
                &[
                    "job", "worker", "made", "waited", "started", "ran",
                    "ended", "how",
                ],
                rows,
            ))
        }
    };
    page(title, &content)
}
