//! What may be asked of a queue, and set right.

use std::time::Duration;

use manyhands_durable::{Failure, Filter, JobId, State, Submission};

use crate::lab::{Gate, Lab, eventually, reaches};
use crate::place::{Place, quick};

fn later() -> Submission {
    Submission::new().after(Duration::from_secs(3600))
}

fn failing() -> Lab {
    Lab::new(|name, _| match name {
        "dead" => Err(Failure::permanent("no")),
        _ => Ok(None),
    })
}

pub(crate) fn counts_say_what_is_where(place: &Place) {
    let gate = Gate::default();
    let opened = gate.clone();
    let lab = Lab::new(move |name, _| match name {
        "dead" => Err(Failure::permanent("no")),
        "long" => {
            opened.pass();
            Ok(None)
        }
        _ => Ok(None),
    });
    let queue = place.open(quick());
    let counts = queue.counts().unwrap();
    assert_eq!((counts.kind.as_str(), counts.unfinished()), ("task", 0));
    assert_eq!(counts.oldest_ready, Duration::ZERO);
    let first = ["done", "done", "dead", "long"];
    for name in first.into_iter().chain(["ready", "ready", "ready"]) {
        queue.submit(lab.task(name)).unwrap();
    }
    queue.submit_with(lab.task("later"), later()).unwrap();
    queue.start().unwrap();
    lab.wait_for(4);

    let of = |counts: &manyhands_durable::Counts| {
        State::ALL.map(|state| counts.of(state))
    };
    let counts = eventually("counts", || {
        let counts = queue.counts().unwrap();
        match of(&counts) {
            [1, 3, 1, 2, 1] => Ok(counts),
            _ => Err(counts),
        }
    });
    assert_eq!(counts.unfinished(), 5);
    assert!(counts.oldest_ready < Duration::from_secs(60));
    gate.open();
    eventually("the end", || match of(&queue.counts().unwrap()) {
        [1, 0, 0, 6, 1] => Ok(()),
        other => Err(other),
    });
}

pub(crate) fn a_list_has_what_was_asked_for_page_by_page(place: &Place) {
    let lab = failing();
    let queue = place.open(quick());
    let names = ["a", "dead", "b", "dead", "c"];
    let ids: Vec<JobId> = names
        .iter()
        .map(|name| queue.submit(lab.task(*name)).unwrap())
        .collect();
    let listed = |filter: Filter| -> Vec<JobId> {
        let jobs = queue.list(filter).unwrap();
        jobs.into_iter().map(|status| status.id).collect()
    };
    assert_eq!(listed(Filter::new()), ids);
    assert_eq!(listed(Filter::new().limit(2)), ids[..2]);
    assert_eq!(listed(Filter::new().after(ids[1]).limit(2)), ids[2..4]);
    assert!(listed(Filter::new().limit(0)).is_empty());
    assert_eq!(listed(Filter::new().kind("other")), ids);

    queue.start().unwrap();
    for (name, id) in names.iter().zip(&ids) {
        let dead = *name == "dead";
        let state = if dead { State::Dead } else { State::Done };
        let status = reaches(&queue, *id, state);
        assert_eq!(status.kind, "task");
    }
    let later = queue.submit_with(lab.task("d"), later()).unwrap();
    let dead = Filter::new().state(State::Dead);
    assert_eq!(listed(dead.clone()), [ids[1], ids[3]]);
    assert_eq!(listed(dead.clone().after(ids[1])), [ids[3]]);
    assert_eq!(listed(dead.ids([ids[0], ids[3]])), [ids[3]]);
    let done = Filter::new().state(State::Done);
    assert_eq!(listed(done), [ids[0], ids[2], ids[4]]);
    assert_eq!(listed(Filter::new().state(State::Scheduled)), [later]);
    assert!(listed(Filter::new().ids([])).is_empty());
    let old = Filter::new().older_than(Duration::from_secs(60));
    assert!(listed(old).is_empty());
    let over = Filter::new().older_than(Duration::ZERO);
    assert_eq!(listed(over), ids);
}

pub(crate) fn only_what_waits_or_is_dead_is_cancelled(place: &Place) {
    let gate = Gate::default();
    let opened = gate.clone();
    let lab = Lab::new(move |name, _| match name {
        "dead" => Err(Failure::permanent("no")),
        "long" => {
            opened.pass();
            Ok(None)
        }
        _ => Ok(None),
    });
    let queue = place.started(1);
    let [done, dead, long] = ["done", "dead", "long"]
        .map(|name| queue.submit(lab.task(name)).unwrap());
    lab.wait_for(3);
    let ready = queue.submit(lab.task("ready")).unwrap();
    let scheduled = queue.submit_with(lab.task("later"), later()).unwrap();
    reaches(&queue, done, State::Done);
    reaches(&queue, dead, State::Dead);
    // A process may hold what it is about to begin, for a moment.
    eventually("cancelled", || match queue.cancel(ready).unwrap() {
        true => Ok(()),
        false => Err(queue.status(ready)),
    });

    for (id, is_cancelled) in [
        (done, false),
        (long, false),
        (dead, true),
        (ready, false),
        (scheduled, true),
        (scheduled, false),
    ] {
        assert_eq!(queue.cancel(id).unwrap(), is_cancelled, "{id}");
    }
    gate.open();
    reaches(&queue, long, State::Done);
    assert_eq!(queue.status(ready).unwrap(), None);
    assert_eq!(queue.list(Filter::new()).unwrap().len(), 2);
    let last = queue.submit(lab.task("last")).unwrap();
    reaches(&queue, last, State::Done);
    assert_eq!(lab.names(), ["done", "dead", "long", "last"]);
}

pub(crate) fn a_purge_forgets_what_is_over_and_nothing_else(place: &Place) {
    let lab = failing();
    let queue = place.started(1);
    let submit =
        |name: &str, how| queue.submit_with(lab.task(name), how).unwrap();
    let done = submit("done", Submission::new());
    let dead = submit("dead", Submission::new());
    let waits = submit("later", later());
    reaches(&queue, done, State::Done);
    reaches(&queue, dead, State::Dead);
    let purge = |filter: Filter| queue.purge(filter).unwrap();

    let old = Filter::new().older_than(Duration::from_secs(60));
    assert_eq!(purge(old), 0);
    assert_eq!(purge(Filter::new().state(State::Scheduled)), 0);
    assert_eq!(purge(Filter::new().ids([waits])), 0);
    assert_eq!(purge(Filter::new().state(State::Dead)), 1);
    assert_eq!(queue.status(dead).unwrap(), None);
    assert_eq!(purge(Filter::new()), 1);
    assert_eq!(queue.status(done).unwrap(), None);
    assert!(queue.status(waits).unwrap().is_some());
}

pub(crate) fn what_is_done_is_forgotten_after_its_retention(place: &Place) {
    let lab = failing();
    let keep = Duration::from_millis(500);
    let queue = place.open(quick().retention(keep));
    queue.start().unwrap();
    let key = || Submission::new().key("k");
    let id = queue.submit_with(lab.task("a"), key()).unwrap();
    let dead = queue.submit(lab.task("dead")).unwrap();
    reaches(&queue, id, State::Done);
    eventually("forgotten", || match queue.status(id).unwrap() {
        None => Ok(()),
        Some(status) => {
            // A queue at work finds time for it.
            queue.submit(lab.task("b")).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            Err(status)
        }
    });
    assert_ne!(queue.submit_with(lab.task("a"), key()).unwrap(), id);
    reaches(&queue, dead, State::Dead);
}

pub(crate) fn of_an_id_that_never_was_there_is_nothing(place: &Place) {
    let queue = place.open(quick());
    for id in [0, -1, 1, i64::MAX, i64::MIN].map(JobId::new) {
        assert_eq!(queue.status(id).unwrap(), None);
        assert_eq!(queue.output::<()>(id).unwrap(), None);
        assert!(!queue.cancel(id).unwrap());
        let this = || Filter::new().ids([id]);
        assert_eq!(queue.retry(this()).unwrap(), 0);
        assert_eq!(queue.purge(this()).unwrap(), 0);
    }
}
