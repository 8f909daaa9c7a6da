//! On what it was measured, with which command, how, and what that does not
//! tell.

use manyhands_measure::record::Runs;
use maud::{Markup, html};

use super::super::text;
use super::Report;
use crate::page::table;

pub(super) fn about(reports: &[Report<'_>]) -> Markup {
    html! {
        h2 { "How this was made" }
        (commands(reports))
        (machines(reports))
        ul {
            li {
                "Round after round, each variant runs the same jobs on a \
                 fresh pool, in random order, in several processes by turns. \
                 Only runs of one round are compared with each other."
            }
            li {
                "The baseline runs twice in each round. What it shows against \
                 itself is noise, and where that is more than 3 % nobody is \
                 ranked. Intervals are a two-level bootstrap over processes \
                 and rounds; who is the fastest is said after Holm's \
                 correction for as many comparisons as there are."
            }
            li {
                "Every answer of every job was checked, in each round. A wrong \
                 one would have ended the comparison."
            }
            li {
                "The pictures of workers, queues, slowest jobs and pools of \
                 other sizes were looked at afterwards, once or a few times, \
                 in one process. Nothing is concluded from them."
            }
        }
        h3 { "What it does not tell" }
        ul {
            li {
                "It holds for these jobs, this machine and these sizes. More \
                 cores, another system or longer queues may turn it around."
            }
            li {
                "One thread submits and reads. Pools that many threads share \
                 have other costs."
            }
            li {
                "A closed loop hides how long jobs would have waited at a \
                 given rate: for that there are the lines of the open loop. \
                 A thread that waits for a time may wake a tenth of a \
                 millisecond late; that is counted as the pool's."
            }
            li {
                "To look at a run job by job costs about a tenth of a \
                 microsecond a job, which short jobs show."
            }
        }
    }
}

fn commands(reports: &[Report<'_>]) -> Markup {
    let abouts = reports.iter().filter_map(|it| it.record.about.as_ref());
    let mut commands: Vec<&str> =
        abouts.filter_map(|about| about.command.as_deref()).collect();
    commands.dedup();
    html! {
        @for command in commands {
            p { "Measured by " code { (command) } }
        }
    }
}

fn machines(reports: &[Report<'_>]) -> Markup {
    let rows = reports.iter().map(|report| {
        let Runs { work, machine, .. } = &report.record.runs;
        let about = report.record.about.as_ref();
        let state = report.judgement.state;
        let load = report.record.runs.load();
        let or_none = |text: Option<String>| text.unwrap_or("–".into());
        vec![
            work.clone(),
            machine.cores.to_string(),
            text::program(machine),
            or_none(load.map(|(a, b)| format!("{a:.1}–{b:.1}"))),
            or_none(state.cache_line.map(|(a, b)| format!("{a:.0}–{b:.0}"))),
            format!("{}", state.used),
            state.left_out.to_string(),
            or_none(about.map(|about| about.answers.to_string())),
        ]
    });
    table(
        "The machine, and how it was",
        &[
            "work",
            "cores",
            "program and system",
            "load",
            "cache line, ns",
            "rounds used",
            "left out",
            "answers checked",
        ],
        rows,
    )
}
