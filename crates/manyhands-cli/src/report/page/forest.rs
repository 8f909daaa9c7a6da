//! Ratios to the baseline, with their intervals.

use manyhands_measure::Verdict;
use manyhands_trace::draw::{Picture, Scale, escape, seconds, short};
use maud::{Markup, html};

use super::panel::wide;
use super::{Report, figure as with_table};
use crate::output::ratio;
use crate::page::table;
use crate::report::{Row, range};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 220.0;
const TOP: f64 = 12.0;
const ROW: f64 = 24.0;
const AXIS: f64 = 40.0;

pub(super) fn figure(report: &Report<'_>) -> Markup {
    let name = "ratios and intervals";
    let baseline = report.record.runs.baseline();
    let caption = html! {
        "How many times as fast as " (baseline) " each was in the same round, "
        "with the 95 % interval. The shaded band is " (baseline)
        " against itself: what is within it is noise. Grey and hollow is what "
        "cannot be told, or is not ranked."
    };
    let picture = wide(name, &picture(report));
    with_table(&picture, &caption, name, &figures(report))
}

fn picture(report: &Report<'_>) -> Picture {
    let rows: Vec<Row<'_>> = report
        .rows()
        .filter(|row| row.judged.verdict != Verdict::Baseline)
        .filter(|row| row.judged.speed.is_some())
        .collect();
    let ends = rows.iter().filter_map(|row| {
        let speed = row.judged.speed?;
        Some(speed.interval.unwrap_or((speed.estimate, speed.estimate)))
    });
    let (low, high) = ends.fold((1.0_f64, 1.0_f64), |(low, high), it| {
        (low.min(it.0), high.max(it.1))
    });
    let scale = Scale::log(low / 1.1, high * 1.1).over(LEFT, WIDTH - RIGHT);
    let bottom = TOP + rows.len() as f64 * ROW;
    let words: Vec<String> = rows.iter().map(in_words).collect();
    let baseline = report.record.runs.baseline();
    let mut picture = Picture::new(
        &format!("Times as fast as {baseline}"),
        &words.join("; "),
        WIDTH,
        bottom + AXIS,
    );
    let ticks = scale.ticks(7).into_iter();
    let ticks = ticks.map(|tick| (scale.at(tick), short(tick)));
    picture.add_uprights(ticks, TOP, bottom);
    let noise = report.judgement.noise.and_then(|noise| noise.interval);
    if let Some((low, high)) = noise {
        let (from, to) = (scale.at(low), scale.at(high));
        picture.add(format_args!(
            "<rect class=\"band\" x=\"{from:.1}\" y=\"{TOP}\" \
             width=\"{:.1}\" height=\"{:.0}\"/>",
            (to - from).max(1.0),
            bottom - TOP,
        ));
    }
    picture.add(format_args!(
        "<path class=\"base\" d=\"M{:.1} {TOP}V{bottom}\"/>\
         <text x=\"{:.0}\" y=\"{:.0}\" class=\"tick\">slower ← times as fast \
         as {} → faster</text>",
        scale.at(1.0),
        (LEFT + WIDTH - RIGHT) / 2.0,
        bottom + 34.0,
        escape(baseline),
    ));
    for (place, row) in rows.iter().enumerate() {
        let y = TOP + (place as f64 + 0.5) * ROW;
        draw(&mut picture, row, &scale, y);
    }
    picture
}

fn draw(picture: &mut Picture, row: &Row<'_>, scale: &Scale, y: f64) {
    let Some(speed) = row.judged.speed else { return };
    let is_told =
        matches!(row.judged.verdict, Verdict::Faster | Verdict::Slower);
    let (line, dot) = match is_told {
        true => ("range", "dot"),
        false => ("untold", "ring"),
    };
    let name = escape(&row.entrant.name);
    let (at, beside) = (scale.at(speed.estimate), y + 4.0);
    let mut text = ratio(speed.estimate);
    if let Some(interval) = speed.interval {
        text += &format!(" ({})", range(interval));
    }
    let verdict = row.judged.verdict.word();
    let (low, high) =
        speed.interval.unwrap_or((speed.estimate, speed.estimate));
    picture.add(format_args!(
        "<text x=\"{:.0}\" y=\"{beside:.0}\" class=\"side\">{name}</text>\
         <path class=\"{line}\" d=\"M{:.1} {y}H{:.1}\"/>\
         <circle class=\"{dot}\" cx=\"{at:.1}\" cy=\"{y}\" r=\"4\"/>\
         <text x=\"{:.0}\" y=\"{beside:.0}\">{text}</text>\
         <text x=\"{:.0}\" y=\"{beside:.0}\" class=\"small\">{verdict}</text>",
        LEFT - 8.0,
        scale.at(low),
        scale.at(high),
        WIDTH - RIGHT + 12.0,
        WIDTH - 70.0,
    ));
}

fn in_words(row: &Row<'_>) -> String {
    let name = &row.entrant.name;
    let verdict = row.judged.verdict.word();
    let Some(speed) = row.judged.speed else {
        return format!("{name}: {verdict}");
    };
    let estimate = ratio(speed.estimate);
    match speed.interval {
        Some(it) => format!("{name} {estimate} ({}), {verdict}", range(it)),
        None => format!("{name} {estimate}, {verdict}"),
    }
}

fn figures(report: &Report<'_>) -> Markup {
    let shown = |value: Option<f64>, how: fn(f64) -> String| {
        value.map_or_else(|| "–".to_owned(), how)
    };
    let jobs = report.record.runs.jobs as f64;
    let a_job = |value: f64| short(value / jobs);
    let rows = report.rows().map(|row| {
        let judged = row.judged;
        let switches = judged.switches.map(|it| a_job(it.0 + it.1));
        vec![
            row.entrant.name.clone(),
            shown(judged.wall, nanos),
            shown(row.jobs_per_second, |it| format!("{it:.0}")),
            shown(row.cpu_per_job, nanos),
            shown(judged.cores_got, ratio),
            switches.unwrap_or_else(|| "–".to_owned()),
            shown(judged.speed.map(|speed| speed.estimate), ratio),
            judged
                .speed
                .and_then(|speed| speed.interval)
                .map_or_else(|| "–".to_owned(), range),
            judged.verdict.word().to_owned(),
        ]
    });
    table(
        "All rounds",
        &[
            "variant",
            "wall, median",
            "jobs a second",
            "CPU a job",
            "cores got",
            "switches a job",
            "times as fast",
            "95 % interval",
            "verdict",
        ],
        rows,
    )
}

fn nanos(nanos: f64) -> String {
    seconds(nanos / 1e9)
}
