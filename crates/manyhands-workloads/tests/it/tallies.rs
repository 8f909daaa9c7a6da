//! The tally finds what is wrong with a run, and nothing in a right one.

use manyhands_core::{Job, JobId, Panic};
use manyhands_workloads::{Answer, Checked, Seen, Tally, Workload};

use super::jobs;

/// The answers of a right run.
fn right(workload: &Workload) -> Vec<Answer> {
    workload.jobs().map(|job| job.run().unwrap()).collect()
}

fn fill(tally: &mut Tally<'_>, answers: &[Answer], places: &[u64]) {
    for &place in places {
        let answer = Seen::Answer(answers[place as usize]);
        tally.add(JobId::new(place), answer);
    }
}

fn wrong(tally: &Tally<'_>, stops_on_error: bool) -> String {
    tally.check(stops_on_error).unwrap_err().to_string()
}

#[test]
fn a_right_run_is_right_in_any_order() {
    let workload = jobs("noop", 4);
    let answers = right(&workload);
    for places in [[0, 1, 2, 3], [3, 1, 0, 2]] {
        let mut tally = workload.tally();
        fill(&mut tally, &answers, &places);
        let sums = Checked { done: 4, ..Checked::default() };
        assert_eq!(tally.check(false), Ok(sums));
        assert_eq!(tally.check(true), Ok(sums));
    }
}

#[test]
fn a_lost_job_is_found() {
    let workload = jobs("noop", 200);
    let answers = right(&workload);
    let mut tally = workload.tally();
    assert_eq!(
        wrong(&tally, true),
        "200 jobs never came back, the first is job 0"
    );
    let but_two: Vec<_> = (0..200).filter(|&n| n != 130 && n != 199).collect();
    fill(&mut tally, &answers, &but_two);
    assert_eq!(
        wrong(&tally, true),
        "2 jobs never came back, the first is job 130"
    );
    fill(&mut tally, &answers, &[199]);
    assert_eq!(
        wrong(&tally, false),
        "1 job never came back, the first is job 130"
    );
    fill(&mut tally, &answers, &[130]);
    assert!(tally.check(false).is_ok());
}

#[test]
fn a_doubled_job_is_found() {
    let workload = jobs("noop", 3);
    let answers = right(&workload);
    let mut tally = workload.tally();
    fill(&mut tally, &answers, &[0, 1, 1, 2]);
    assert_eq!(wrong(&tally, false), "job 1 came back twice");
}

#[test]
fn a_job_that_was_never_submitted_is_found() {
    let workload = jobs("noop", 3);
    let mut tally = workload.tally();
    for id in [3, u64::MAX] {
        tally.add(JobId::new(id), Seen::Cancelled);
    }
    assert_eq!(
        wrong(&tally, false),
        "job 3 came back, but there are only 3 jobs"
    );
}

#[test]
fn a_wrong_answer_is_found() {
    let workload = jobs("spin:1us", 3);
    let mut answers = right(&workload);
    answers.swap(1, 2);
    let mut tally = workload.tally();
    fill(&mut tally, &answers, &[2, 1, 0]);
    assert_eq!(
        wrong(&tally, false),
        format!(
            "job 2 answered {:016x}, expected was the answer {:016x}",
            answers[2].digest, answers[1].digest
        )
    );
    let mut tally = workload.tally();
    let answer = right(&workload)[0];
    let bytes = Answer { bytes: 1, ..answer };
    tally.add(JobId::new(0), Seen::Answer(bytes));
    assert!(wrong(&tally, false).contains(" from 1 byte, expected was "));
}

#[test]
fn an_outcome_of_another_kind_is_found() {
    let fails = jobs("fail:2", 4);
    let panics = jobs("panic:2", 4);
    let answer = Seen::Answer;
    let plain = right(&jobs("noop", 4));
    let error = || fails.jobs().nth(1).unwrap().run().unwrap_err();
    let panic = || Seen::Panicked(Panic::new(Box::new("out of\nmemory")));
    let found = |workload: &Workload, place, seen| {
        let mut tally = workload.tally();
        tally.add(JobId::new(place), seen);
        wrong(&tally, false)
    };
    assert_eq!(
        found(&fails, 1, answer(plain[1])),
        format!(
            "job 1 answered {:016x}, expected was the error \
             (job 1 fails, as `fail:2` asks)",
            plain[1].digest
        )
    );
    assert_eq!(
        found(&fails, 3, Seen::Error(error())),
        "job 3 answered with an error (job 1 fails, as `fail:2` asks), \
         expected was the error (job 3 fails, as `fail:2` asks)"
    );
    assert_eq!(
        found(&panics, 1, answer(plain[1])),
        format!(
            "job 1 answered {:016x}, expected was a panic",
            plain[1].digest
        )
    );
    assert_eq!(
        found(&panics, 0, panic()),
        format!(
            r"job 0 panicked (out of\nmemory), expected was the answer {:016x}",
            plain[0].digest
        )
    );
}

#[test]
fn jobs_may_be_left_undone_after_an_error_if_the_pool_stops_there() {
    let workload = jobs("fail:2", 6);
    let tally = |errors: bool, cancelled: bool, refused: u64| {
        let mut tally = workload.tally();
        let mut jobs: Vec<_> = (0..).zip(workload.jobs()).collect();
        jobs.truncate(6 - refused as usize);
        for (place, job) in jobs {
            let seen = match job.run() {
                _ if cancelled && place >= 2 => Seen::Cancelled,
                Ok(answer) => Seen::Answer(answer),
                Err(_) if !errors => Seen::Cancelled,
                Err(error) => Seen::Error(error),
            };
            tally.add(JobId::new(place), seen);
        }
        tally.refused(refused);
        tally
    };
    let sums = tally(true, true, 2).check(true).unwrap();
    assert_eq!((sums.done, sums.errors), (1, 1));
    assert_eq!((sums.cancelled, sums.refused), (2, 2));
    // The same of a pool that should have gone on.
    assert_eq!(
        wrong(&tally(true, true, 2), false),
        "4 jobs were not run, though nothing had stopped the pool"
    );
    assert_eq!(
        wrong(&tally(true, false, 1), false),
        "1 job was not run, though nothing had stopped the pool"
    );
    // No error, no reason to stop.
    assert_eq!(
        wrong(&tally(false, true, 0), true),
        "5 jobs were not run, though nothing had stopped the pool"
    );
}

#[test]
fn refused_jobs_are_the_last_ones_and_no_more_than_there_are() {
    let workload = jobs("noop", 3);
    let answers = right(&workload);
    let mut tally = workload.tally();
    fill(&mut tally, &answers, &[0, 1, 2]);
    tally.refused(1);
    assert_eq!(
        wrong(&tally, true),
        "job 2 came back, but only 2 were accepted"
    );
    tally.refused(4);
    assert_eq!(
        wrong(&tally, true),
        "5 jobs were refused, but there are only 3"
    );
}

#[test]
fn the_first_fault_is_the_one_that_is_told() {
    let workload = jobs("noop", 3);
    let answers = right(&workload);
    let mut tally = workload.tally();
    tally.add(JobId::new(2), Seen::Answer(answers[0]));
    fill(&mut tally, &answers, &[0, 0]);
    assert!(wrong(&tally, true).starts_with("job 2 answered "));
}
