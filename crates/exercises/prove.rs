//! That the checks can fail, and where: on what the reader begins with each of
//! them does, on each wrong answer in `eNN/wrong` those that are named here do,
//! and on the solution none does. And each says the same when it runs again.
//!
//! It is about this repository as it is: where an `answer.rs` has been written,
//! the first of these is no longer so.

#![allow(
    clippy::duplicate_mod,
    reason = "the same checks on many answers: that is the point"
)]

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use exercises::Check;

/// A check takes a second or two.
const WATCHDOG: Duration = Duration::from_secs(60);

/// Runs all checks, each under a watchdog; returns those that failed.
fn faults(checks: &[Check]) -> Vec<(&'static str, String)> {
    let fault = |check: &Check| {
        let (sender, fault) = channel();
        let same = *check;
        thread::spawn(move || sender.send(same.fault()));
        let fault = fault.recv_timeout(WATCHDOG);
        let fault = fault
            .unwrap_or_else(|_| Some("the watchdog had to end it".into()));
        fault.map(|saw| (check.name, saw))
    };
    checks.iter().filter_map(fault).collect()
}

/// The same, twice.
fn faults_twice(checks: &[Check]) -> Vec<(&'static str, String)> {
    let (first, second) = (faults(checks), faults(checks));
    assert_eq!(first, second, "two runs saw different things");
    first
}

fn assert_todo(checks: &[Check]) {
    let faults = faults(checks);
    for check in checks {
        let fault = faults.iter().find(|(name, _)| *name == check.name);
        assert!(
            fault.is_some_and(|(_, saw)| saw.contains("`todo!`")),
            "{}: on what the reader begins with it sees {fault:?}",
            check.name
        );
    }
}

fn assert_solved(checks: &[Check]) {
    assert_eq!(faults_twice(checks), [], "the solution fails");
}

/// `because` is what the first of these checks says that it saw.
fn assert_wrong(checks: &[Check], expected: &[&str], because: &str) {
    let faults = faults_twice(checks);
    let failed: Vec<_> = faults.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        failed, expected,
        "the checks that fail on the left, those named on the right: \
         {faults:#?}"
    );
    let saw = &faults[0].1;
    assert!(saw.contains(because), "{saw:?} does not say {because:?}");
}

/// The modules and tests of an exercise.
macro_rules! exercise {
    (
        $name:ident in $folder:literal;
        $($wrong:ident in $file:literal: $expected:expr, $because:literal;)+
    ) => {
        #[path = $folder]
        mod $name {
            #[path = "."]
            mod stub {
                #[path = "answer.rs"]
                #[allow(unused, unreachable_pub, reason = "not written yet")]
                #[allow(clippy::todo, reason = "not written yet")]
                mod answer;
                #[path = "checks.rs"]
                #[allow(unreachable_pub, reason = "a module of many")]
                pub(super) mod checks;
            }

            #[path = "."]
            mod solution {
                #[path = "solution.rs"]
                #[allow(unreachable_pub, reason = "as an answer has it")]
                #[allow(clippy::unwrap_used, reason = "as an answer may")]
                #[allow(dead_code, reason = "not all is looked at")]
                mod answer;
                #[path = "checks.rs"]
                #[allow(unreachable_pub, reason = "a module of many")]
                pub(super) mod checks;
            }

            #[test]
            fn what_the_reader_begins_with_passes_no_check() {
                crate::assert_todo(&stub::checks::checks());
            }

            #[test]
            fn the_solution_passes_all() {
                crate::assert_solved(&solution::checks::checks());
            }

            $(
                #[path = "."]
                mod $wrong {
                    #[path = $file]
                    #[allow(unused, unreachable_pub, reason = "it is wrong")]
                    #[allow(clippy::all, clippy::unwrap_used, reason = "so")]
                    mod answer;
                    #[path = "checks.rs"]
                    #[allow(unreachable_pub, reason = "a module of many")]
                    mod checks;

                    #[test]
                    fn is_caught() {
                        let checks = checks::checks();
                        crate::assert_wrong(&checks, &$expected, $because);
                    }
                }
            )+
        }
    };
}

exercise! {
    e01 in "e01";
    dealt_out in "wrong/dealt_out.rs": [
        "a_long_job_holds_up_one_thread",
    ], "a job waited for the one thread that had a long job,";
    early_exit in "wrong/early_exit.rs": [
        "returns_when_all_is_done",
    ], "`share` returned when 0 of 5 jobs were done";
    thread_a_job in "wrong/thread_a_job.rs": [
        "so_many_threads",
    ], "5 threads ran jobs, and 3 were asked for";
    two_steps in "wrong/two_steps.rs": [
        "each_job_once",
        "a_long_job_holds_up_one_thread",
    ], "job 0 ran twice";
}

exercise! {
    e02 in "e02";
    joins_first in "wrong/joins_first.rs": [
        "every_job_runs_once",
        "finish_waits_for_the_last_job",
        "a_pool_without_jobs_ends",
    ], "`finish` waits for workers, and they wait for jobs";
    named_guard in "wrong/named_guard.rs": [
        "the_lock_is_free_while_a_job_runs",
    ], "three jobs wait for each other, and not all of them began";
    try_recv in "wrong/try_recv.rs": [
        "every_job_runs_once",
        "the_lock_is_free_while_a_job_runs",
        "finish_waits_for_the_last_job",
    ], "job 0 never ran";
    while_let in "wrong/while_let.rs": [
        "the_lock_is_free_while_a_job_runs",
    ], "three jobs wait for each other, and not all of them began";
}

exercise! {
    e03 in "e03";
    forgotten_sender in "wrong/forgotten_sender.rs": [
        "each_result_once",
        "the_results_end",
        "the_group_waits_for_the_workers",
        "the_workers_share_the_jobs",
        "start_does_not_wait",
    ], "the results do not come";
    joins_in_start in "wrong/joins_in_start.rs": [
        "start_does_not_wait",
    ], "`start` waits for its workers, and they are at work";
    underscore in "wrong/underscore.rs": [
        "the_group_waits_for_the_workers",
    ], "`wait` returned when 0 of 3 jobs were done";
    waits_for_itself in "wrong/waits_for_itself.rs": [
        "nobody_to_wait_for",
        "wait_ends_with_the_last_token",
        "the_group_waits_for_the_workers",
    ], "`wait` waits though there is no token: for a sender of";
}

exercise! {
    e04 in "e04";
    counts_the_refused in "wrong/counts_the_refused.rs": [
        "room_comes_back",
    ], "job 1 was taken out, and there is no room for job 3";
    looks_then_pushes in "wrong/looks_then_pushes.rs": [
        "exact_when_all_push_at_once",
    ], "3 jobs waited in a queue of 2";
    one_too_many in "wrong/one_too_many.rs": [
        "as_many_as_the_bound",
        "a_refused_job_comes_back",
        "exact_when_all_push_at_once",
    ], "a queue of 2 took a third job";
    room_in_two_steps in "wrong/room_in_two_steps.rs": [
        "exact_when_the_newest_push_at_once",
    ], "2 jobs stayed in a queue of 1";
    sheds_the_new in "wrong/sheds_the_new.rs": [
        "the_newest_stays",
    ], "with 1 and 2 in a queue of 2, job 3 came, and Some(3)";
}

exercise! {
    e05 in "e05";
    if_for_while in "wrong/if_for_while.rs": [
        "no_job_for_two_who_wait",
        "many_of_both_kinds",
    ], "`pop` returned `None`, and nobody has closed";
    if_in_push in "wrong/if_in_push.rs": [
        "push_waits_for_room",
    ], "3 jobs were pushed into a queue of 1, and 1 taken";
    lost_wakeup in "wrong/lost_wakeup.rs": [
        "pop_waits_for_a_job",
        "push_waits_for_room",
        "no_job_for_two_who_wait",
        "many_of_both_kinds",
        "close_wakes_all",
    ], "the job is in the queue, and `pop` sleeps: it was";
    one_for_both in "wrong/one_for_both.rs": [
        "push_waits_for_room",
        "many_of_both_kinds",
    ], "there is room in the queue, and `push` sleeps";
    tells_one in "wrong/tells_one.rs": [
        "close_wakes_all",
        "close_gives_jobs_back",
    ], "the queue is closed, and a `pop` sleeps on: it was not";
}

exercise! {
    e06 in "e06";
    drains_by_asking in "wrong/drains_by_asking.rs": [
        "a_drain_accepts_nothing_more",
    ], "it goes on for ever";
    flag_beside_the_lock in "wrong/flag_beside_the_lock.rs": [
        "abort_gives_back_what_waited",
        "a_submit_races_an_abort",
        "a_submit_races_a_drain",
    ], "job 3 ran after `abort` had given back what waited";
    if_for_while in "wrong/if_for_while.rs": [
        "no_worker_leaves_early",
    ], "did not both begin: a worker left the open pool";
    leaves_early in "wrong/leaves_early.rs": [
        "drain_runs_all_that_was_accepted",
        "a_drain_accepts_nothing_more",
        "a_submit_races_a_drain",
    ], "job 3 never ran before `drain` returned";
    stops_at_once in "wrong/stops_at_once.rs": [
        "drain_runs_all_that_was_accepted",
        "a_drain_accepts_nothing_more",
        "a_submit_races_a_drain",
    ], "job 3 never ran before `drain` returned";
    throws_away in "wrong/throws_away.rs": [
        "abort_gives_back_what_waited",
        "a_submit_races_an_abort",
    ], "job 1 never came back";
}

exercise! {
    e07 in "e07";
    caught_too_far_out in "wrong/caught_too_far_out.rs": [
        "the_workers_live_on",
    ], "the outcome of job 0 should be Panicked, and it is Skipped";
    goes_on in "wrong/goes_on.rs": [
        "an_error_stops_the_rest",
    ], "the outcome of job 2 should be Skipped, and it is Done(2)";
    keeps_the_last in "wrong/keeps_the_last.rs": [
        "the_first_error_is_kept",
        "the_first_error_stays",
    ], "\"first\" came, then \"second\": kept Some(\"second\")";
    looks_then_keeps in "wrong/looks_then_keeps.rs": [
        "the_first_error_stays",
    ], "the first error was Some(\"";
    no_catch in "wrong/no_catch.rs": [
        "a_panic_is_an_outcome",
        "the_workers_live_on",
    ], "a job's panic got out and ended its worker";
    poisons_the_lock in "wrong/poisons_the_lock.rs": [
        "no_lock_is_held_while_a_job_runs",
        "two_errors_at_once",
    ], "the second job never began: a worker held a lock while";
}

exercise! {
    e08 in "e08";
    by_hand in "wrong/by_hand.rs": [
        "a_panic_gives_the_permit_back",
    ], "a panic inside `with` has kept the permit";
    if_for_while in "wrong/if_for_while.rs": [
        "one_permit_is_for_one",
    ], "2 threads were inside, with 1 permit";
    no_drop in "wrong/no_drop.rs": [
        "so_many_and_no_more",
        "one_permit_is_for_one",
        "a_permit_comes_back",
        "whoever_waits_is_told",
        "try_acquire_does_not_wait",
        "a_panic_gives_the_permit_back",
        "with_returns_what_the_work_returns",
    ], "permits are free, and a thread waits for one";
    tells_first in "wrong/tells_first.rs": [
        "so_many_and_no_more",
        "one_permit_is_for_one",
        "whoever_waits_is_told",
    ], "permits are free, and a thread waits for one";
}

exercise! {
    e09 in "e09";
    factorials in "wrong/factorials.rs": [
        "two_hundred_workers",
        "mean_waits",
    ], "200 workers, a load of 190: NaN, and it is";
    no_overload in "wrong/no_overload.rs": [
        "too_much_has_no_mean",
        "fewest_workers",
    ], "1/s of 1 s, 1 worker: the queue grows without end, and";
    one_fast_worker in "wrong/one_fast_worker.rs": [
        "several_workers",
        "two_hundred_workers",
        "mean_waits",
        "fewest_workers",
    ], "2 workers, a load of 1: 0.5, and it is 0.3333333333333333";
    turned_away in "wrong/turned_away.rs": [
        "one_worker",
        "several_workers",
        "two_hundred_workers",
        "mean_waits",
        "fewest_workers",
    ], "1 worker, utilisation 0.1: 0.09090909090909091, and it is";
}

exercise! {
    e10 in "e10";
    as_they_come in "wrong/as_they_come.rs": [
        "in_the_order_of_the_items",
        "the_rest_too",
    ], "the doubles of 0 to 5 came out as 4, 6, 0, 2, 8, 10";
    cut_in_advance in "wrong/cut_in_advance.rs": [
        "a_slow_item_holds_up_its_own_claim",
    ], "items beside the slow one, which nobody had claimed,";
    drops_the_rest in "wrong/drops_the_rest.rs": [
        "the_rest_too",
    ], "the doubles of 0 to 6 came out as 0, 2, 4, 6, 8, 10";
    under_the_lock in "wrong/under_the_lock.rs": [
        "two_at_once",
        "a_slow_item_holds_up_its_own_claim",
    ], "the second claim was not begun while the first was done:";
}

exercise! {
    e11 in "e11";
    asks_again in "wrong/asks_again.rs": [
        "it_returns_pending",
    ], "no future can go on, and it has woken itself ten times";
    all_at_once in "wrong/all_at_once.rs": [
        "so_many_at_once",
        "the_next_begins_when_one_is_done",
        "a_new_one_is_polled",
    ], "after the first poll, with a limit of 2, those under way";
    blocks in "wrong/blocks.rs": [
        "in_the_order_of_the_futures",
        "so_many_at_once",
        "the_next_begins_when_one_is_done",
        "a_new_one_is_polled",
        "it_returns_pending",
        "the_waker_is_passed_on",
        "few_or_none",
    ], "one poll polled future 0 a hundred times, instead of";
    in_batches in "wrong/in_batches.rs": [
        "the_next_begins_when_one_is_done",
    ], "when 1 was done, with a limit of 2, those under way are";
    new_ones_sleep in "wrong/new_ones_sleep.rs": [
        "a_new_one_is_polled",
        "ready_at_once",
    ], "when 0 was done, with a limit of 1, those under way are";
    one_by_one in "wrong/one_by_one.rs": [
        "so_many_at_once",
        "the_next_begins_when_one_is_done",
        "it_returns_pending",
    ], "after the first poll, with a limit of 2, those under way";
}

exercise! {
    e12 in "e12";
    from_when_it_was_sent in "wrong/from_when_it_was_sent.rs": [
        "from_the_intended_start",
    ], "for a second nothing could be sent, ten requests of 20";
    mean_of_ratios in "wrong/mean_of_ratios.rs": [
        "few_rounds_cannot_tell",
        "one_large_ratio_tells_nothing",
        "a_tie_is_no_side",
    ], "5 of 5 faster: it says Faster, and it is CannotTell";
    one_side in "wrong/one_side.rs": [
        "the_coin_has_two_sides",
        "a_thousand_rounds",
        "few_rounds_cannot_tell",
    ], "at least 5 of 5 to one side: 0.03125, and it is 0.0625";
    rounded_rank in "wrong/rounded_rank.rs": [
        "nearest_rank",
    ], "percentile 50 of 10, 20, … 100 is 50, not Some(60)";
    ties_are_slower in "wrong/ties_are_slower.rs": [
        "a_tie_is_no_side",
    ], "20 rounds the same, 2 faster, 1 slower: it says Slower,";
}
