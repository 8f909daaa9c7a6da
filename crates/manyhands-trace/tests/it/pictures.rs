//! What is drawn, and what other programs are to read.

use std::collections::{BTreeMap, BTreeSet};

use manyhands_trace::{Ended, Record, Trace, chrome, draw};
use serde_json::Value;

use crate::support::{done, five_jobs, millis};

fn picture(trace: &Trace, title: &str) -> String {
    draw::timeline(trace, title).alone()
}

fn parsed(svg: &str) -> roxmltree::Document<'_> {
    roxmltree::Document::parse(svg).unwrap()
}

/// The bars of jobs, with what is said of each.
fn tooltips(svg: &str) -> Vec<String> {
    parsed(svg)
        .descendants()
        .filter(|node| node.has_tag_name("title"))
        .filter(|node| node.parent().unwrap().has_tag_name("g"))
        .map(|node| node.text().unwrap().to_owned())
        .collect()
}

#[test]
fn each_job_has_its_bar_with_its_number_and_its_times() {
    let svg = picture(&Trace::new(five_jobs(), 3, 0), "five jobs");
    let said = tooltips(&svg);
    assert_eq!(
        said[1],
        "job 4: done; waited 1 s from 0, ran 1 s from 1 s to 2 s"
    );
    assert_eq!(said.len(), 6, "five jobs and the queue: {said:?}");
    assert_eq!(said[5], "jobs waiting: at most 2");
    for number in 1..=5 {
        let label = format!(">{number}</text>");
        assert!(svg.contains(&label), "{label}");
    }
    let document = parsed(&svg);
    let bars: Vec<_> = document
        .descendants()
        .filter(|node| node.attribute("class") == Some("done"))
        .collect();
    let number = |node: &roxmltree::Node<'_, '_>, name| {
        node.attribute(name).unwrap().parse::<f64>().unwrap()
    };
    // As long as each other, and in three rows.
    let widths: BTreeSet<_> =
        bars.iter().map(|bar| number(bar, "width") as u64).collect();
    let rows: BTreeSet<_> =
        bars.iter().map(|bar| number(bar, "y") as u64).collect();
    assert_eq!((widths.len(), rows.len()), (1, 3));
}

#[test]
fn it_can_be_read_by_those_who_do_not_see_it() {
    let svg = picture(&Trace::new(five_jobs(), 3, 0), "five jobs");
    let document = parsed(&svg);
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let label = root.attribute("aria-label").unwrap();
    assert_eq!(
        label,
        "five jobs. 5 jobs on 3 workers in 2 s; at most 2 waiting"
    );
}

#[test]
fn nothing_in_a_picture_is_taken_for_markup_or_fetched() {
    let title = "<script>&\"'</script>";
    let svg = picture(&Trace::new(five_jobs(), 3, 0), title);
    let document = parsed(&svg);
    let said = document
        .descendants()
        .find(|node| node.has_tag_name("title"))
        .unwrap();
    assert_eq!(said.text(), Some(title));
    assert!(!svg.contains("<script"));
    assert_eq!(svg.matches("http").count(), 1, "only the name of SVG itself");
}

#[test]
fn how_a_job_ended_is_said_by_more_than_a_colour() {
    let ended = |number, how| Record { how, ..done(number, 1, [0, 0, 1]) };
    let at = |record: Record, start: u64| Record {
        started: Some(millis(start)),
        ended: millis(start + 10),
        ..record
    };
    let trace = Trace::new(
        vec![
            at(ended(1, Ended::Failed), 0),
            at(ended(2, Ended::Panicked), 10),
            at(ended(3, Ended::Abandoned), 20),
        ],
        1,
        0,
    );
    let svg = picture(&trace, "ends");
    for label in [">✕ 1<", ">! 2<", ">… 3<"] {
        assert!(svg.contains(label), "{label}");
    }
    assert!(svg.contains("1 failed, 1 panicked, 1 abandoned"));
}

#[test]
fn a_hundred_thousand_jobs_are_drawn_together_and_all_counted() {
    let records: Vec<_> = (0..100_000)
        .map(|n| done(n, n as usize % 4, [0, n / 4, n / 4 + 1]))
        .collect();
    let svg = picture(&Trace::new(records, 4, 0), "many");
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
    let counted: u64 = tooltips(&svg)
        .iter()
        .map(|said| match said.split_once(" jobs within") {
            Some((jobs, _)) => jobs.parse().unwrap(),
            None => u64::from(said.starts_with("job ")),
        })
        .sum();
    assert_eq!(counted, 100_000);
}

#[test]
fn a_queue_that_was_long_for_a_moment_is_drawn_as_long_as_it_was() {
    // Three wait for a moment, then one for a second.
    let records = vec![
        done(1, 1, [0, 0, 1000]),
        done(2, 2, [0, 1, 1000]),
        done(3, 3, [0, 1, 1000]),
        done(4, 1, [0, 1000, 2000]),
    ];
    let svg = picture(&Trace::new(records, 3, 0), "a moment");
    let document = parsed(&svg);
    let area = document
        .descendants()
        .find(|node| node.attribute("class") == Some("waiting"))
        .unwrap();
    let path = area.attribute("d").unwrap();
    let heights: Vec<_> = path
        .split('H')
        .skip(1)
        .map(|column| column.split('V').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let (three, one) = (&heights[0], &heights[1]);
    assert_eq!(three[0], "84.0", "{path}");
    assert_eq!(one[0], "84.5", "{path}");
    assert_ne!(three[1], one[1], "{path}");
}

#[test]
fn an_empty_run_and_one_that_took_no_time_are_drawn() {
    parsed(&picture(&Trace::new(Vec::new(), 2, 0), "none"));
    let at_once = vec![done(1, 1, [5, 5, 5]), done(2, 2, [5, 5, 5])];
    parsed(&picture(&Trace::new(at_once, 2, 0), "at once"));
}

#[test]
fn trace_events_are_a_row_a_worker_and_a_slice_a_job() {
    let text = chrome(&Trace::new(five_jobs(), 3, 7), "five jobs");
    let file: Value = serde_json::from_str(&text).unwrap();
    let events = file["traceEvents"].as_array().unwrap();
    let of = |ph: &str| {
        let is = |event: &&Value| event["ph"] == ph;
        events.iter().filter(is).collect::<Vec<_>>()
    };
    let rows: BTreeMap<u64, String> = of("M")
        .into_iter()
        .filter(|event| event["name"] == "thread_name")
        .map(|event| {
            let name = event["args"]["name"].as_str().unwrap();
            (event["tid"].as_u64().unwrap(), name.to_owned())
        })
        .collect();
    assert_eq!(
        rows.into_iter()
            .map(|(tid, name)| format!("{tid} {name}"))
            .collect::<Vec<_>>(),
        ["1 worker 1", "2 worker 2", "3 worker 3"],
    );
    let slices: Vec<_> = of("X")
        .into_iter()
        .map(|event| {
            let number = |name: &str| event[name].as_f64().unwrap() as u64;
            (number("id"), number("tid"), number("ts"), number("dur"))
        })
        .collect();
    assert_eq!(
        slices,
        [
            (1, 1, 0, 1_000_000),
            (2, 2, 0, 1_000_000),
            (3, 3, 0, 1_000_000),
            (4, 1, 1_000_000, 1_000_000),
            (5, 2, 1_000_000, 1_000_000),
        ]
    );
    let counters: Vec<_> = of("C")
        .into_iter()
        .map(|event| {
            let args = &event["args"];
            (args["waiting"].as_u64(), args["running"].as_u64())
        })
        .collect();
    let expected = [(2, 3), (0, 2), (0, 0)];
    assert_eq!(counters, expected.map(|(w, r)| (Some(w), Some(r))));
    assert_eq!(file["otherData"]["dropped"], 7);
    // Each event has what every viewer wants.
    for event in events {
        for field in ["name", "ph", "pid", "tid", "ts"] {
            assert!(!event[field].is_null(), "{field}: {event}");
        }
    }
}

#[test]
fn times_are_written_to_the_nanosecond() {
    let mut record = done(1, 0, [0, 0, 0]);
    record.started = Some(std::time::Duration::from_nanos(1_234_567));
    record.ended = std::time::Duration::from_nanos(1_234_568);
    let text = chrome(&Trace::new(vec![record], 1, 0), "");
    assert!(text.contains("\"ts\":1234.567"), "{text}");
    assert!(text.contains("\"dur\":0.001"), "{text}");
}

/// How far right something ends, by the paths of a class, per row.
fn ends(svg: &str, class: &str) -> Vec<f64> {
    let document = parsed(svg);
    let paths = document
        .descendants()
        .filter(|node| node.attribute("class") == Some(class));
    paths
        .flat_map(|node| {
            let path = node.attribute("d").unwrap();
            let dashes = path.split('m').skip(1);
            // Each begins at so far from where the one before it ended.
            let end = dashes.scan(0.0, |end, dash| {
                let (from, wide) = dash.split_once('h').unwrap();
                let from = from.split(' ').next().unwrap();
                for step in [from, wide] {
                    *end += step.parse::<f64>().unwrap();
                }
                Some(*end)
            });
            end.collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn runs_on_one_axis_end_where_they_ended() {
    let fast = Trace::new(five_jobs(), 3, 0);
    let slow = Trace::new(
        (0..5).map(|n| done(n, 1, [0, n * 1000, n * 1000 + 1000])).collect(),
        1,
        0,
    );
    let runs = [("fast", &fast), ("slow", &slow)];
    let svg = draw::strips(runs, "two runs").alone();
    let document = parsed(&svg);
    let label = document.root_element().attribute("aria-label").unwrap();
    assert_eq!(label, "two runs. fast 2 s, slow 5 s");
    let bars = ends(&svg, "row");
    assert_eq!(bars.len(), 10, "a bar a job");
    let last = bars.iter().copied().fold(0.0, f64::max);
    // Both begin at 104, and the longer run ends at 888.
    assert!((last - 888.0).abs() < 2.0, "{last}");
    let of_fast = bars[..5].iter().copied().fold(0.0, f64::max);
    let two_fifths = 104.0 + 784.0 * 0.4;
    assert!((of_fast - two_fifths).abs() < 2.0, "{of_fast}");
}

#[test]
fn brief_jobs_are_as_dark_as_they_were_busy_and_the_bad_are_seen() {
    // One lane that works a quarter of the time, one that always does.
    let mut records: Vec<_> = (0..10_000)
        .flat_map(|n| {
            [
                done(n, 1, [0, 4 * n, 4 * n + 1]),
                done(n, 2, [0, 4 * n, 4 * n + 4]),
            ]
        })
        .collect();
    records[4000].how = Ended::Panicked;
    let trace = Trace::new(records, 2, 0);
    let svg = draw::strips([("a", &trace)], "shades").alone();
    let document = parsed(&svg);
    let shades: Vec<_> = document
        .descendants()
        .filter(|node| node.attribute("class") == Some("row"))
        .map(|node| node.attribute("stroke-opacity").unwrap())
        .collect();
    assert_eq!(shades, ["0.33", "1.00"]);
    assert_eq!(ends(&svg, "bad").len(), 1);
    assert!(svg.len() < 10_000, "{} bytes", svg.len());
}

#[test]
fn a_depth_is_drawn_beside_its_bound() {
    let trace = Trace::new(five_jobs(), 3, 0);
    let bounds = draw::Bounds::of([&trace], Some(6));
    let svg = draw::depth(&trace, "depth", &bounds).alone();
    let document = parsed(&svg);
    let label = document.root_element().attribute("aria-label").unwrap();
    assert_eq!(label, "depth. at most 2 waiting and 5 in flight, 6 allowed");
    let has = |class| {
        document.descendants().any(|it| it.attribute("class") == Some(class))
    };
    assert!(has("waiting") && has("line"));
    assert!(draw::depth_frame(&bounds).content().contains("\"bound\""));
    // One that is far beyond all that there was would flatten the rest.
    let bounds = draw::Bounds::of([&trace], Some(1000));
    let svg = draw::depth(&trace, "depth", &bounds).alone();
    assert!(!draw::depth_frame(&bounds).content().contains("\"bound\""));
    assert!(svg.contains("1000 allowed"));
}
