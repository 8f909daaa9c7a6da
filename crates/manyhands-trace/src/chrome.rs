//! Chrome's trace events, which Perfetto and others open.

use std::time::Duration;

use serde::Serialize;

use crate::trace::{Record, Trace};

/// The trace in Chrome's trace event format, as JSON: a row a worker, a slice
/// a job with its number, and counters of the jobs that wait and run. For
/// runs with too many jobs for a picture.
///
/// Viewers such as Perfetto open it. Times are in microseconds from the start
/// of the trace, to the nanosecond.
///
/// # Panics
///
/// Never: all of it can be written as JSON.
pub fn chrome(trace: &Trace, title: &str) -> String {
    let start = trace.start();
    let at =
        |time: Duration| time.saturating_sub(start).as_nanos() as f64 / 1000.0;
    let mut events = vec![Event::name("process_name", PROCESS, 0, title)];
    for lane in 0..trace.lanes() {
        let name = format!("worker {}", lane + 1);
        events.push(Event::name("thread_name", PROCESS, tid(lane), &name));
    }
    for record in trace.records() {
        events.extend(slice(record, at));
    }
    for step in trace.steps() {
        let (waiting, running) = (step.waiting, step.running);
        let args = Args::Counter { waiting, running };
        events.push(Event {
            args,
            ..Event::new("jobs", "C", PROCESS, 0, at(step.at))
        });
    }
    let file = File {
        trace_events: events,
        display_time_unit: "ms",
        other_data: Other { title, dropped: trace.dropped() },
    };
    serde_json::to_string(&file).expect("it has no map with odd keys")
}

const PROCESS: u64 = 1;

/// Rows are numbered from 1: 0 is taken for the process.
fn tid(lane: usize) -> u64 {
    lane as u64 + 1
}

fn slice(record: &Record, at: impl Fn(Duration) -> f64) -> Option<Event> {
    let (lane, started) = (record.lane?, record.started?);
    let job = record.number;
    let micros = |time: Duration| time.as_nanos() as f64 / 1000.0;
    Some(Event {
        name: format!("job {job}"),
        dur: Some(micros(record.ended.saturating_sub(started))),
        cat: Some(record.how.name()),
        id: Some(job),
        args: Args::Job {
            job,
            outcome: record.how.name(),
            waited_us: micros(record.waited()),
        },
        ..Event::new("", "X", PROCESS, tid(lane), at(started))
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    trace_events: Vec<Event>,
    display_time_unit: &'static str,
    other_data: Other<'a>,
}

#[derive(Serialize)]
struct Other<'a> {
    title: &'a str,
    dropped: u64,
}

#[derive(Serialize)]
struct Event {
    name: String,
    ph: &'static str,
    pid: u64,
    tid: u64,
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    args: Args,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Args {
    Name { name: String },
    Job { job: u64, outcome: &'static str, waited_us: f64 },
    Counter { waiting: usize, running: usize },
}

impl Event {
    fn new(name: &str, ph: &'static str, pid: u64, tid: u64, ts: f64) -> Self {
        Self {
            name: name.to_owned(),
            ph,
            pid,
            tid,
            ts,
            dur: None,
            cat: None,
            id: None,
            args: Args::Name { name: String::new() },
        }
    }

    /// What a process or a row is called.
    fn name(kind: &str, pid: u64, tid: u64, name: &str) -> Self {
        let args = Args::Name { name: name.to_owned() };
        Self { args, ..Self::new(kind, "M", pid, tid, 0.0) }
    }
}
