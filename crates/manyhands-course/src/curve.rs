//! How long jobs wait, the busier the workers are: one curve for so many
//! workers. From the formula for exponential times.

use std::fmt::Write;

use manyhands_trace::draw::{Picture, Scale, escape};

use crate::queueing::mean_wait;

/// Workers, the class of their curve, and where its name stands.
const CURVES: [(u32, &str, f64); 3] =
    [(1, "line", 0.885), (2, "second", 0.938), (8, "third", 0.982)];

/// In the units of the picture.
const WIDTH: f64 = 480.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 66.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 250.0;
const HEIGHT: f64 = 284.0;

/// Service times, at the top.
const MOST: f64 = 20.0;

pub(crate) fn picture(title: &str, words: &str) -> Picture {
    let across = Scale::linear(0.0, 1.0).over(LEFT, WIDTH - RIGHT);
    let up = Scale::linear(0.0, MOST).over(BOTTOM, TOP);
    let mut picture = Picture::new(title, words, WIDTH, HEIGHT);
    let head = escape(title);
    picture.add(format_args!(
        "<text x=\"8\" y=\"17\" class=\"head\">{head}</text>\n\
         <text x=\"8\" y=\"34\" class=\"small\">mean wait, in service times\
         </text>"
    ));
    let marks = [0, 20, 40, 60, 80, 100].map(|percent| {
        (across.at(f64::from(percent) / 100.0), format!("{percent} %"))
    });
    picture.add_uprights(marks, TOP, BOTTOM);
    for wait in [0, 5, 10, 15, 20] {
        let y = up.at(f64::from(wait));
        picture.add(format_args!(
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{:.1}\"/>\
             <text class=\"scale\" x=\"{:.1}\" y=\"{:.1}\">{wait}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
        ));
    }
    for (workers, class, place) in CURVES {
        let mut path = String::new();
        // As close as they have to be, and closer where it is steep.
        let points = (0..5000)
            .filter(|point| point % 50 == 0 || *point >= 4500)
            .filter(|point| point % 5 == 0 || *point >= 4900)
            .map(|point| f64::from(point) / 5000.0)
            .map(|busy| (busy, mean_wait(workers, busy)));
        // A picture has no more room than this.
        let seen = points.take_while(|(_, wait)| *wait <= MOST);
        for (place, (busy, wait)) in seen.enumerate() {
            let (x, y) = (across.at(busy), up.at(wait));
            let command = if place == 0 { 'M' } else { 'L' };
            // A `String` takes everything.
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        let name = match workers {
            1 => "1 worker".to_owned(),
            more => more.to_string(),
        };
        let (x, y) = (across.at(place), up.at(mean_wait(workers, place)));
        picture.add(format_args!(
            "<path class=\"{class}\" d=\"{path}\"/>\
             <text class=\"side\" x=\"{:.1}\" y=\"{y:.1}\">{name}</text>",
            x - 6.0,
        ));
    }
    picture.add(format_args!(
        "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">busy</text>",
        WIDTH - RIGHT + 24.0,
        BOTTOM + 14.0,
    ));
    picture
}

/// What is to be seen, in words.
pub(crate) fn words() -> String {
    let waits = CURVES.map(|(workers, ..)| {
        let word = if workers == 1 { "worker" } else { "workers" };
        let [half, most] = [0.5, 0.95].map(|it| mean_wait(workers, it));
        format!(
            "{workers} {word}: {half:.2} service times at 50 %, {most:.1} at \
             95 %"
        )
    });
    format!("The curves rise slowly, then steeply. {}.", waits.join("; "))
}
