//! What becomes of a job.

use std::time::Duration;

use manyhands_durable::{
    Attempt, DurableJob, Failure, Filter, State, Submission,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::lab::{Lab, reaches};
use crate::place::{Place, quick_of};

pub(crate) fn a_job_runs_and_its_output_is_kept(place: &Place) {
    let lab = Lab::new(|name, _| Ok(Some(format!("{name} \"done\" 💡"))));
    let queue = place.open(crate::place::quick());
    let id = queue.submit(lab.task("a")).unwrap();
    assert_eq!(queue.status(id).unwrap().unwrap().state, State::Ready);
    assert!(queue.output::<String>(id).unwrap().is_none());

    queue.start().unwrap();
    queue.start().unwrap();
    let status = reaches(&queue, id, State::Done);

    assert_eq!(status.attempts, 1);
    assert_eq!(status.last_error, None);
    assert_eq!(status.job, None);
    assert!(status.finished_at.is_some());
    let output: Option<String> = queue.output(id).unwrap();
    assert_eq!(output.as_deref(), Some("a \"done\" 💡"));
    assert_eq!(lab.names(), ["a"]);
}

pub(crate) fn a_failure_is_tried_again(place: &Place) {
    let lab = Lab::new(|_, attempt| match attempt.number() {
        1 | 2 => Err(Failure::retry(format!("no {}", attempt.number()))),
        _ => Ok(None),
    });
    let queue = place.started(1);
    let id = queue.submit(lab.task("a")).unwrap();

    let status = reaches(&queue, id, State::Done);

    assert_eq!(status.attempts, 3);
    let attempts: Vec<_> =
        lab.begun().iter().map(|begun| begun.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
}

pub(crate) fn a_failure_waits_as_long_as_it_says(place: &Place) {
    const WAIT: Duration = Duration::from_secs(1);
    let lab = Lab::new(|_, attempt| match attempt.number() {
        1 => Err(Failure::retry("later").after(WAIT)),
        _ => Ok(None),
    });
    let queue = place.started(1);
    let id = queue.submit(lab.task("a")).unwrap();

    let status = reaches(&queue, id, State::Scheduled);
    assert_eq!(status.last_error.as_deref(), Some("later"));
    let begun = lab.wait_for(2);

    let waited = begun[1].at - begun[0].at;
    assert!(waited >= WAIT, "only {waited:?}");
}

pub(crate) fn without_an_attempt_left_a_job_is_dead(place: &Place) {
    let lab = Lab::new(|_, attempt| {
        assert_eq!(attempt.is_last(), attempt.number() == 2);
        Err(Failure::retry(format!("no {}", attempt.number())))
    });
    let queue = place.started(1);
    let how = Submission::new().max_attempts(2);
    let id = queue.submit_with(lab.task("a"), how).unwrap();

    let status = reaches(&queue, id, State::Dead);

    assert_eq!((status.attempts, status.max_attempts), (2, 2));
    assert_eq!(status.last_error.as_deref(), Some("no 2"));
    assert!(status.job.unwrap().contains("\"name\":\"a\""));
    assert_eq!(lab.begun().len(), 2);
}

pub(crate) fn a_permanent_failure_is_dead_at_once(place: &Place) {
    let lab = Lab::new(|_, _| Err(Failure::permanent("never")));
    let queue = place.started(1);
    let id = queue.submit(lab.task("a")).unwrap();

    let status = reaches(&queue, id, State::Dead);

    assert_eq!((status.attempts, status.max_attempts), (1, 5));
    assert_eq!(status.last_error.as_deref(), Some("never"));
}

pub(crate) fn a_panic_is_a_failure_and_the_worker_goes_on(place: &Place) {
    let lab = Lab::new(|name, _| match name {
        "panics" => panic!("as it should"),
        _ => Ok(None),
    });
    let queue = place.started(1);
    let how = Submission::new().max_attempts(2);
    let bad = queue.submit_with(lab.task("panics"), how).unwrap();
    let good = queue.submit(lab.task("good")).unwrap();

    reaches(&queue, good, State::Done);
    let status = reaches(&queue, bad, State::Dead);

    let error = status.last_error.unwrap();
    assert_eq!(error, "panicked: as it should");
}

pub(crate) fn a_dead_letter_is_driven_again_once_under_its_id(place: &Place) {
    let lab = Lab::new(|name, _| match name {
        "dead" => Err(Failure::permanent("no")),
        _ => Ok(None),
    });
    let queue = place.started(1);
    let id = queue
        .submit_with(lab.task("dead"), Submission::new().key("k"))
        .unwrap();
    let good = queue.submit(lab.task("good")).unwrap();
    reaches(&queue, id, State::Dead);
    reaches(&queue, good, State::Done);
    queue.pause().unwrap();
    // It is known everywhere within a second.
    std::thread::sleep(Duration::from_secs(1));

    let dead = Filter::new().state(State::Dead);
    assert_eq!(queue.retry(Filter::new().ids([good])).unwrap(), 0);
    assert_eq!(queue.retry(dead.clone()).unwrap(), 1);
    assert_eq!(queue.retry(dead).unwrap(), 0);
    let status = queue.status(id).unwrap().unwrap();
    assert_eq!((status.state, status.attempts), (State::Ready, 0));
    assert_eq!(status.key.as_deref(), Some("k"));
    queue.resume().unwrap();

    let status = reaches(&queue, id, State::Dead);
    assert_eq!(status.attempts, 1);
    let dead = lab.begun().into_iter().filter(|it| it.name == "dead");
    let attempts: Vec<_> = dead.map(|it| it.attempt).collect();
    assert_eq!(attempts, [1, 1]);
}

/// Written as something that it cannot be read from: as when a newer program
/// wrote it.
#[derive(Deserialize)]
struct Odd {
    #[expect(dead_code, reason = "read, never written")]
    number: u32,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("'; DROP TABLE jobs; --")
    }
}

impl DurableJob for Odd {
    const KIND: &'static str = "odd";
    type Output = ();

    fn run(self, _: &Attempt) -> Result<(), Failure> {
        panic!("it cannot be read")
    }
}

pub(crate) fn what_cannot_be_read_is_dead_with_a_reason(place: &Place) {
    let queue = place.open(quick_of::<Odd>());
    queue.start().unwrap();
    let id = queue.submit(Odd { number: 1 }).unwrap();

    let status = reaches(&queue, id, State::Dead);

    assert_eq!(status.attempts, 1);
    let error = status.last_error.unwrap();
    assert!(error.contains("not a job of kind odd"), "{error}");
    assert_eq!(status.job.unwrap(), "\"'; DROP TABLE jobs; --\"");
}

pub(crate) fn output_that_is_too_long_is_dead(place: &Place) {
    let lab = Lab::new(|_, _| Ok(Some("x".repeat(1 << 20))));
    let queue = place.started(1);
    let id = queue.submit(lab.task("a")).unwrap();

    let status = reaches(&queue, id, State::Dead);

    let error = status.last_error.unwrap();
    assert!(error.contains("bytes of output"), "{error}");
}

pub(crate) fn a_job_is_told_of_its_attempt(place: &Place) {
    const TRACE: &str =
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let lab = Lab::new(|_, attempt| {
        Ok(Some(format!(
            "{} {} {} {:?} {:?} {:?}",
            attempt.id(),
            attempt.number(),
            attempt.max(),
            attempt.key(),
            attempt.serial(),
            attempt.trace_parent(),
        )))
    });
    let queue = place.started(1);
    let how = Submission::new()
        .key("k'1")
        .serial("s\"1")
        .max_attempts(7)
        .trace_parent(TRACE);
    let id = queue.submit_with(lab.task("a"), how).unwrap();

    let status = reaches(&queue, id, State::Done);

    let told: Option<String> = queue.output(id).unwrap();
    let expected =
        format!("{id} 1 7 Some(\"k'1\") Some(\"s\\\"1\") Some({TRACE:?})");
    assert_eq!(told.unwrap(), expected);
    assert_eq!(status.key.as_deref(), Some("k'1"));
    assert_eq!(status.serial.as_deref(), Some("s\"1"));
    assert_eq!(status.trace_parent.as_deref(), Some(TRACE));
}
