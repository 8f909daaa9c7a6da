//! How many jobs waited and ran, beside how many may.

use std::fmt::Write;

use crate::draw::columns::columns;
use crate::draw::picture::Picture;
use crate::draw::scale::{Scale, seconds};
use crate::flow::Step;
use crate::trace::Trace;

/// What several pictures of depths have in common, so that they can be
/// compared: how far their axes reach, and how many jobs there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Seconds.
    pub longest: f64,
    /// Jobs in flight.
    pub most: usize,
    /// How many jobs a pool takes in: those that wait in its queue, and those
    /// that run. `None` if it has no bound.
    pub bound: Option<usize>,
}

impl Bounds {
    /// Those of these traces.
    pub fn of<'a>(
        traces: impl IntoIterator<Item = &'a Trace>,
        bound: Option<usize>,
    ) -> Self {
        let mut bounds = Self { longest: 0.0, most: 1, bound };
        for trace in traces {
            let took = trace.since_start(trace.end()).as_secs_f64();
            bounds.longest = bounds.longest.max(took);
            let flight = trace.steps().iter().map(Step::in_flight).max();
            bounds.most = bounds.most.max(flight.unwrap_or(0));
        }
        bounds
    }
}

impl Bounds {
    /// How many jobs the axis reaches to, and the bound if it is near enough
    /// to be seen with the rest.
    fn top(&self) -> (usize, Option<usize>) {
        let bound = self.bound.filter(|bound| *bound <= 2 * self.most);
        (self.most.max(bound.unwrap_or(0)), bound)
    }

    fn x(&self) -> Scale {
        Scale::linear(0.0, self.longest).over(LEFT, WIDTH - RIGHT)
    }

    fn y(&self) -> Scale {
        Scale::linear(0.0, self.top().0 as f64).over(BOTTOM, TOP)
    }
}

/// What all pictures with these bounds have in common: axes, and dotted how
/// many jobs a pool takes in.
pub fn depth_frame(bounds: &Bounds) -> Picture {
    let (top, bound) = bounds.top();
    let (x, y) = (bounds.x(), bounds.y());
    let mut picture = Picture::new("", "", WIDTH, HEIGHT);
    let ticks = x.ticks(3).into_iter();
    picture.add_uprights(
        ticks.map(|tick| (x.at(tick), seconds(tick))),
        TOP,
        BOTTOM,
    );
    picture.add(format_args!(
        "<path class=\"base\" d=\"M{LEFT} {BOTTOM}H{:.0}\"/>\
         <text x=\"{side:.0}\" y=\"{:.0}\" class=\"scale\">{top}</text>\
         <text x=\"{side:.0}\" y=\"{BOTTOM}\" class=\"scale\">0</text>",
        WIDTH - RIGHT,
        TOP + 8.0,
        side = LEFT - 5.0,
    ));
    if let Some(bound) = bound {
        picture.add(format_args!(
            "<path class=\"bound\" d=\"M{LEFT} {:.1}H{:.0}\"/>",
            y.at(bound as f64),
            WIDTH - RIGHT,
        ));
    }
    picture
}

/// The jobs of a run as time goes on: as an area those that waited, with a
/// line above it those in flight, which are these and those that ran. One job
/// more than a pool takes in may be in flight: it is in its submitter's hands,
/// who waits for room.
///
/// Without its [frame](depth_frame), which stands once on a page.
pub fn depth(trace: &Trace, title: &str, bounds: &Bounds) -> Picture {
    let steps = trace.steps();
    let most = |of: fn(&Step) -> usize| steps.iter().map(of).max();
    let flight = most(Step::in_flight).unwrap_or(0);
    let waiting = most(|step| step.waiting).unwrap_or(0);
    let mut words =
        format!("at most {waiting} waiting and {flight} in flight");
    if let Some(bound) = bounds.bound {
        // A `String` takes everything.
        let _ = write!(words, ", {bound} allowed");
    }
    let mut picture = Picture::new(title, &words, WIDTH, HEIGHT);
    let (x, y) = (bounds.x(), bounds.y());
    let at = |step: &Step| x.at(trace.since_start(step.at).as_secs_f64());
    let columns = columns(&steps, at, Step::in_flight, COLUMN);
    // In steps from the place before, which are shorter to write.
    let line = |of: fn(&Step) -> usize| {
        let mut path = String::new();
        let (mut left, mut low) = (LEFT, BOTTOM);
        for (at, step) in &columns {
            let high = y.at(of(step) as f64).round();
            if high != low {
                let _ = write!(path, "h{:.0}v{:.0}", at - left, high - low);
                (left, low) = (*at, high);
            }
        }
        path
    };
    let end = x.at(trace.since_start(trace.end()).as_secs_f64());
    let waits = line(|step| step.waiting);
    let flies = line(Step::in_flight);
    picture.add(format_args!(
        "<path class=\"waiting\" \
         d=\"M{LEFT} {BOTTOM}{waits}H{end:.0}V{BOTTOM}Z\"/>\
         <path class=\"line\" d=\"M{LEFT} {BOTTOM}{flies}H{end:.0}\"/>",
    ));
    picture
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 120.0;
const LEFT: f64 = 42.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = HEIGHT - 22.0;

/// How wide a column is.
const COLUMN: f64 = 6.0;
