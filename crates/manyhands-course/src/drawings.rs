//! The pictures of the course.

use std::time::Duration;

use crate::drawing::{Drawing, Panel, Shows};
use crate::sim::{Pool, Queue, Stop, Work, jobs};

/// All of them. Whoever adds one names it in the crate's README.
pub(crate) fn drawings() -> Vec<Drawing> {
    vec![
        Drawing {
            name: "curve-utilisation",
            title: "The busier the workers, the longer a job waits",
            shows: Shows::Curves,
        },
        one(
            "timeline-five-jobs-three-workers",
            "Five jobs of a second on three workers",
            panel("", Pool::new(3, Queue::Shared), [1000; 5]),
        ),
        Drawing {
            name: "timeline-five-jobs",
            title: "Five jobs of a second",
            shows: Shows::Runs(vec![
                panel("one worker", Pool::new(1, Queue::Shared), [1000; 5]),
                panel("three workers", Pool::new(3, Queue::Shared), [1000; 5]),
            ]),
        },
        Drawing {
            name: "timeline-while-let-lock",
            title: "Twelve jobs on three workers, and a lock",
            shows: Shows::Runs(vec![
                panel(
                    "the lock is held while the job runs",
                    Pool::new(3, Queue::Locked),
                    [100; 12],
                ),
                panel(
                    "the lock is held while a job is taken",
                    Pool::new(3, Queue::Shared),
                    [100; 12],
                ),
            ]),
        },
        one(
            "timeline-results-buffer",
            "Results are read after the last job is submitted",
            panel(
                "",
                Pool { bounds: Some((2, 2)), ..Pool::new(2, Queue::Shared) },
                [100; 8],
            ),
        ),
        one(
            "timeline-skew-static",
            "Jobs dealt in turn, two of them long",
            panel("", Pool::new(4, Queue::Dealt), SKEW),
        ),
        one(
            "timeline-skew-shared",
            "The same jobs from one queue",
            panel("", Pool::new(4, Queue::Shared), SKEW),
        ),
        Drawing {
            name: "timeline-skew",
            title: "Sixteen jobs, two of them long",
            shows: Shows::Runs(vec![
                panel("dealt in turn", Pool::new(4, Queue::Dealt), SKEW),
                panel("one queue", Pool::new(4, Queue::Shared), SKEW),
                panel(
                    "dealt in turn, and stolen",
                    Pool::new(4, Queue::Stealing),
                    SKEW,
                ),
            ]),
        },
        one("timeline-self-submit", "Jobs that wait for their own pool", {
            let pool = Pool::new(2, Queue::Shared);
            let run = pool.run(that_submit(2));
            Panel { label: "", workers: 2, run, mark: None }
        }),
        one("timeline-drain", "Drained", stopped("", Stop::Drain(STOP))),
        one("timeline-abort", "Aborted", stopped("", Stop::Abort(STOP))),
        Drawing {
            name: "timeline-shutdown",
            title: "Two ends of the same run",
            shows: Shows::Runs(vec![
                stopped("drained", Stop::Drain(STOP)),
                stopped("aborted", Stop::Abort(STOP)),
            ]),
        },
    ]
}

/// Of sixteen jobs the two long ones, the first and the fifth, fall to the
/// first of four workers.
const SKEW: [u64; 16] = [
    500, 100, 100, 100, 500, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100,
    100,
];

const STOP: Duration = Duration::from_millis(220);

fn one(name: &'static str, title: &'static str, panel: Panel) -> Drawing {
    Drawing { name, title, shows: Shows::Runs(vec![panel]) }
}

fn panel<const N: usize>(
    label: &'static str,
    pool: Pool,
    millis: [u64; N],
) -> Panel {
    let run = pool.run(jobs(millis).collect());
    Panel { label, workers: pool.workers, run, mark: None }
}

/// Ten jobs on two workers: seven at once, and three later, of which the last
/// two are too late.
fn stopped(label: &'static str, stop: Stop) -> Panel {
    let pool = Pool { stop: Some(stop), ..Pool::new(2, Queue::Shared) };
    let mut all: Vec<Work> = jobs([100; 10]).collect();
    for (job, millis) in all.iter_mut().skip(7).zip([200, 260, 280]) {
        job.at = Duration::from_millis(millis);
    }
    let word = match stop {
        Stop::Drain(_) => "drain",
        Stop::Abort(_) => "abort",
    };
    let mark = Some((STOP, word));
    Panel { label, workers: pool.workers, run: pool.run(all), mark }
}

/// Each of these submits another at its end, and waits for it.
fn that_submit(count: u64) -> Vec<Work> {
    let millis = (0..count).map(|_| 100);
    let outer = jobs(millis).map(|job| {
        let then = jobs([100]).next();
        let number = job.number + count;
        let then = then.map(|inner| Box::new(Work { number, ..inner }));
        Work { then, ..job }
    });
    outer.collect()
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;

    #[test]
    fn a_drawing_has_a_bar_for_each_job_that_ran_and_stands_alone() {
        for drawing in drawings() {
            let svg = drawing.svg();
            let xml = Document::parse(&svg).unwrap();
            let root = xml.root_element();
            assert_eq!(root.attribute("role"), Some("img"));
            let label = root.attribute("aria-label").unwrap();
            assert!(label.ends_with(&drawing.words()), "{label}");
            let addresses = svg.matches("://").count();
            assert_eq!(addresses, 1, "{}: the namespace", drawing.name);
            assert!(svg.contains("prefers-color-scheme:dark"));
            assert!(!svg.contains("<script"));

            let Shows::Runs(panels) = &drawing.shows else { continue };
            let records = panels.iter().flat_map(|it| &it.run.records);
            let started = records.filter(|it| it.started.is_some()).count();
            let classes = ["done", "abandoned"];
            let bars = xml.descendants().filter(|node| {
                node.has_tag_name("rect")
                    && node
                        .attribute("class")
                        .is_some_and(|it| classes.contains(&it))
            });
            assert_eq!(bars.count(), started, "{}", drawing.name);
        }
    }

    #[test]
    fn nothing_is_drawn_beside_the_picture() {
        for drawing in drawings() {
            let svg = drawing.svg();
            let xml = Document::parse(&svg).unwrap();
            for node in xml.descendants() {
                let of = |name| -> Option<f64> {
                    node.attribute(name).and_then(|it| it.parse().ok())
                };
                let Some(x) = of("x") else { continue };
                let wide = of("width").unwrap_or_default();
                assert!((0.0..=480.0).contains(&(x + wide)), "{node:?}");
                // Text from here to the right, at its widest.
                let text = node.text().unwrap_or_default().chars().count();
                if node.attribute("class") == Some("head") {
                    assert!(x + text as f64 * 7.4 < 480.0, "{node:?}");
                }
            }
        }
    }

    #[test]
    fn the_words_say_how_each_run_ended() {
        let all = drawings();
        let words = |name: &str| {
            all.iter().find(|it| it.name == name).unwrap().words()
        };
        for (name, said) in [
            (
                "timeline-five-jobs",
                "one worker: 5 jobs on 1 worker are done after 5 s. \
                 three workers: 5 jobs on 3 workers are done after 2 s.",
            ),
            (
                "timeline-self-submit",
                "0 of 4 jobs on 2 workers end, then nobody moves any more.",
            ),
            (
                "timeline-shutdown",
                "drained: 8 jobs on 2 workers are done after 400 ms, 2 are \
                 not started. aborted: 6 jobs on 2 workers are done after \
                 300 ms, 4 are not started.",
            ),
        ] {
            assert_eq!(words(name), said);
        }
    }
}
