//! The laws of a sink, for queues and for pools.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::thread;

use manyhands_channel::ChannelPool;
use manyhands_core::{InlinePool, JobSink, PoolSink};
use manyhands_dispatcher::DispatcherPool;

use crate::lab::{Lab, Task, ends, eventually};
use crate::place::Place;

const JOBS: usize = 50;

/// Laws 1 to 6, each where it is seen.
fn laws<S>(sink: S, lab: Lab)
where
    S: JobSink<Task, Id: Hash + Eq + Debug + Send, Error: Debug> + 'static,
{
    let sink = Arc::new(sink);
    let lab = Arc::new(lab);
    let submits: Vec<_> = (0..2)
        .map(|thread| {
            let (sink, lab) = (Arc::clone(&sink), Arc::clone(&lab));
            thread::spawn(move || {
                let jobs = 0..JOBS;
                let submit = |job| {
                    // Law 6: what follows a panic runs.
                    let name = match job {
                        0 => "panics".into(),
                        job => format!("{thread}-{job}"),
                    };
                    sink.submit(lab.task(name)).unwrap()
                };
                jobs.map(submit).collect::<Vec<_>>()
            })
        })
        .collect();
    let ids: Vec<_> = submits
        .into_iter()
        .flat_map(|submit| ends("submitting", || submit.join().unwrap()))
        .collect();
    // Law 3.
    let distinct: HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 2 * JOBS);
    // Law 1; a store has what panicked run again meanwhile.
    let expected: HashSet<String> = (0..2)
        .flat_map(|thread| (1..JOBS).map(move |job| (thread, job)))
        .map(|(thread, job)| format!("{thread}-{job}"))
        .collect();
    eventually("all run", || {
        let run: HashSet<String> = lab.names().into_iter().collect();
        let left: Vec<_> = expected.difference(&run).cloned().collect();
        if left.is_empty() { Ok(()) } else { Err(left) }
    });

    // Law 4.
    let stops: Vec<_> = (0..4)
        .map(|_| {
            let sink = Arc::clone(&sink);
            thread::spawn(move || sink.stop())
        })
        .collect();
    for stop in stops {
        ends("a stop", move || stop.join().unwrap());
    }
    sink.stop();
    // Law 5.
    let before = lab.names();
    // Law 2.
    assert!(sink.submit(lab.task("late")).is_err());
    let sink = Arc::into_inner(sink).unwrap();
    ends("a drop", move || drop(sink));
    assert_eq!(lab.names(), before);
}

fn lab() -> Lab {
    Lab::new(|name, _| match name {
        "panics" => panic!("as it should"),
        _ => Ok(None),
    })
}

pub(crate) fn a_queue_is_a_sink(place: &Place) {
    laws(place.started(3), lab());
}

#[test]
fn pools_are_sinks() {
    laws(PoolSink(InlinePool::new()), lab());
    let channel = ChannelPool::builder().workers(3).queue(4).build();
    laws(PoolSink(channel.unwrap()), lab());
    let dispatcher = DispatcherPool::builder().workers(3).queue(4).build();
    laws(PoolSink(dispatcher.unwrap()), lab());
}
