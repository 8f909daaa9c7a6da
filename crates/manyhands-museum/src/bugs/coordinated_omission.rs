//! A measurement that waits together with what it measures.

use crate::bug::{Act, Bug, Ends};
use crate::stage::Stage;

pub(super) const BUG: Bug = Bug {
    name: "coordinated-omission",
    title: "Latencies without those who waited",
    story: "A server answers in 1 tick, and once it stands still for 1000. A \
            client asks it a thousand times: a request is due every 10 \
            ticks, and is sent when the one before has been answered. It \
            measures how long each answer takes.",
    question: "The server stood still for a tenth of the time. Measured from \
               when a request was sent, what is the 99th percentile of all \
               answers?",
    answers: &["1 tick.", "About 100 ticks.", "About 900 ticks."],
    right: 0,
    broken: Act {
        source: include_str!("coordinated_omission.rs"),
        anchor: "broken",
        schedule: &[],
        run: broken,
        ends: Ends::Returns,
    },
    fixed: Act {
        source: include_str!("coordinated_omission.rs"),
        anchor: "fixed",
        schedule: &[],
        run: fixed,
        ends: Ends::Returns,
    },
    why: "While the server stands still, the client waits and asks nothing: \
          of the 100 requests that were due in that time, one is measured. \
          The others are sent late, one after the other, and each looks \
          quick, for its clock is started when it is sent. Users do not \
          wait for each other in this way.",
    found: "The 99th percentile is splendid and the maximum is not; and the \
            load generator has sent fewer requests in some second than it \
            was told to. Stop the server for a second (`kill -STOP`): a \
            latency that does not see it measures something else.",
    mend: "Measure from when the request was due. What is late because \
           another one was slow then counts as late, as it would for a user. \
           Better still: send on time whatever is unanswered (an open loop), \
           and measure from there.",
};

// ANCHOR: broken
fn broken(stage: &Stage) {
    let mut now = 0;
    let mut took: Vec<u32> = Vec::new();
    for n in 0..1000 {
        let due = n * 10;
        now = now.max(due); // not before the last answer has come
        let from = now;
        now += if n == 500 { 1000 } else { 1 };
        took.push(now - from);
    }
    took.sort_unstable();
    stage.say("ticks until the answer, from when a request was sent");
    for percent in [50, 90, 95, 99, 100] {
        let at = took[took.len() * percent / 100 - 1];
        stage.say(format!("{percent:>3} % of them: at most {at:>4}"));
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn fixed(stage: &Stage) {
    let mut now = 0;
    let mut took: Vec<u32> = Vec::new();
    for n in 0..1000 {
        let due = n * 10;
        now = now.max(due); // not before the last answer has come
        let from = due;
        now += if n == 500 { 1000 } else { 1 };
        took.push(now - from);
    }
    took.sort_unstable();
    stage.say("ticks until the answer, from when a request was due");
    for percent in [50, 90, 95, 99, 100] {
        let at = took[took.len() * percent / 100 - 1];
        stage.say(format!("{percent:>3} % of them: at most {at:>4}"));
    }
}
// ANCHOR_END: fixed
