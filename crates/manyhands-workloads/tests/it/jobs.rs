//! What the jobs of each kind do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use manyhands_core::Job;
use manyhands_workloads::{Settings, Workload, all};

use super::{jobs, parse, run};

#[test]
fn every_kind_runs_on_the_inline_pool_with_right_answers() {
    for kind in all() {
        let settings = Settings {
            jobs: Some(100),
            input: (kind.name == "files").then(|| "src".into()),
            seed: 9,
        };
        let workload = Workload::parse(kind.name, &settings).unwrap();
        let checked = run(&workload).unwrap();
        let jobs = workload.len() as u64;
        let tenth = jobs / 10;
        let (errors, panicked) = match kind.name {
            "fail" => (tenth, 0),
            "panic" => (0, tenth),
            _ => (0, 0),
        };
        assert_eq!((checked.errors, checked.panicked), (errors, panicked));
        assert_eq!(checked.done, jobs - errors - panicked);
        assert_eq!((checked.cancelled, checked.refused), (0, 0));
        assert_eq!(checked.bytes > 0, kind.has_input);
    }
}

#[test]
fn jobs_are_the_same_each_time_and_differ_among_themselves() {
    for kind in ["noop", "spin:1us", "skew:1us", "sleep:1us"] {
        let workload = jobs(kind, 50);
        let answers = || -> Vec<_> {
            workload.jobs().map(|job| job.run().unwrap().digest).collect()
        };
        let first = answers();
        assert_eq!(first, answers());
        let mut different = first.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 50, "{kind}");
    }
}

#[test]
fn the_seed_decides_the_sizes_of_skewed_jobs() {
    let answers = |seed| -> Vec<_> {
        let settings =
            Settings { jobs: Some(20), seed, ..Settings::default() };
        let workload = Workload::parse("skew:5us", &settings).unwrap();
        workload.jobs().map(|job| job.run().unwrap()).collect()
    };
    assert_eq!(answers(1), answers(1));
    assert_ne!(answers(1), answers(2));
}

#[test]
fn every_nth_job_fails_or_panics_and_says_that_it_was_asked_to() {
    let fails = jobs("fail:3", 7);
    let failing: Vec<_> = fails.jobs().map(|job| job.run().is_err()).collect();
    assert_eq!(failing, [false, false, true, false, false, true, false]);
    let error = fails.jobs().nth(2).unwrap().run().unwrap_err();
    assert_eq!(error.to_string(), "job 2 fails, as `fail:3` asks");

    let panics = jobs("panic:2", 2);
    let job = panics.jobs().nth(1).unwrap();
    let payload = catch_unwind(AssertUnwindSafe(|| job.run())).unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert_eq!(message, "job 1 panics, as `panic:2` asks");
}

#[test]
fn a_panic_that_was_asked_for_prints_nothing() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PRINTED: AtomicUsize = AtomicUsize::new(0);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>();
        if message.is_some_and(|text| text.contains("`panic:1`")) {
            PRINTED.fetch_add(1, Ordering::SeqCst);
        }
        before(info);
    }));
    assert_eq!(run(&jobs("panic:1", 10)).unwrap().panicked, 10);
    assert_eq!(PRINTED.load(Ordering::SeqCst), 0);
}

#[test]
fn the_reference_run_can_be_watched_and_stopped() {
    let workload = parse("files", Path::new("src")).unwrap();
    let mut seen = Vec::new();
    assert!(!workload.prepare_while(|done| {
        seen.push(done);
        done < 2
    }));
    assert_eq!(seen, [0, 1, 2]);
    assert!(!workload.summary().contains("bytes under"));
    assert!(workload.prepare_while(|_| true));
    assert!(workload.summary().contains("B under src"));
    // Done is done, and some need none.
    assert!(workload.prepare_while(|_| false));
    assert!(jobs("noop", 5).prepare_while(|_| false));
}
