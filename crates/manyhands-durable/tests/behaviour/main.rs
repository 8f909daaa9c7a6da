//! What a queue does, wherever its jobs are kept.
//!
//! Each behaviour is a function of a [`Place`](place::Place), and is tried in
//! all of them: in memory, in a new file of SQLite, and in a new database of a
//! PostgreSQL server, if `MANYHANDS_TEST_POSTGRES` is the URL of one. What
//! needs a second process has a second queue on the same place for it, so it
//! is not tried in memory.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]
#![allow(clippy::print_stdout, reason = "what is skipped is said")]
#![allow(clippy::result_large_err, reason = "what was seen is the report")]

mod ask;
mod done;
mod lab;
mod limits;
mod place;
mod settings;
mod shared;
mod sink;
mod stop;
mod submit;

/// A test of each behaviour in each place; `shared` ones not in memory.
macro_rules! behaviours {
    (
        everywhere { $($topic:ident { $($name:ident,)+ })+ }
        shared { $($of:ident { $($other:ident,)+ })+ }
    ) => {
        mod memory {
            $(mod $topic { $(
                #[test]
                fn $name() {
                    crate::$topic::$name(&crate::place::Place::Memory);
                }
            )+ })+
        }

        mod sqlite {
            $(mod $topic { $(
                #[test]
                fn $name() {
                    crate::$topic::$name(&crate::place::sqlite());
                }
            )+ })+
            $(mod $of { $(
                #[test]
                fn $other() {
                    crate::$of::$other(&crate::place::sqlite());
                }
            )+ })+
        }

        mod postgres {
            $(mod $topic { $(
                #[test]
                fn $name() {
                    if let Some(place) = crate::place::postgres() {
                        crate::$topic::$name(&place);
                    }
                }
            )+ })+
            $(mod $of { $(
                #[test]
                fn $other() {
                    if let Some(place) = crate::place::postgres() {
                        crate::$of::$other(&place);
                    }
                }
            )+ })+
        }
    };
}

behaviours! {
    everywhere {
        done {
            a_job_runs_and_its_output_is_kept,
            a_failure_is_tried_again,
            a_failure_waits_as_long_as_it_says,
            without_an_attempt_left_a_job_is_dead,
            a_permanent_failure_is_dead_at_once,
            a_panic_is_a_failure_and_the_worker_goes_on,
            a_dead_letter_is_driven_again_once_under_its_id,
            what_cannot_be_read_is_dead_with_a_reason,
            output_that_is_too_long_is_dead,
            a_job_is_told_of_its_attempt,
        }
        submit {
            the_same_key_is_the_same_job_until_it_is_purged,
            a_key_is_free_again_once_its_job_is_cancelled,
            a_batch_has_one_job_a_key,
            a_batch_is_stored_as_a_whole_or_not_at_all,
            an_empty_batch_is_nothing,
            a_job_waits_for_its_delay,
            a_job_waits_for_its_time,
            a_time_that_has_passed_is_now,
            the_greater_priority_is_first_then_the_older,
            serial_jobs_run_one_at_a_time_in_order,
            a_serial_job_that_waits_for_its_retry_holds_up_no_other,
            submitting_without_blocking_stores_it_too,
            a_job_that_is_too_long_is_refused_and_comes_back,
        }
        limits {
            workers_run_at_once_and_no_more,
            a_limit_is_kept_and_reached,
            a_rate_is_kept,
            a_pause_holds_jobs_back_until_it_ends,
        }
        ask {
            counts_say_what_is_where,
            a_list_has_what_was_asked_for_page_by_page,
            only_what_waits_or_is_dead_is_cancelled,
            a_purge_forgets_what_is_over_and_nothing_else,
            what_is_done_is_forgotten_after_its_retention,
            of_an_id_that_never_was_there_is_nothing,
        }
        stop {
            a_stop_waits_for_what_runs,
            after_a_stop_nothing_is_accepted,
            a_stop_may_come_again_and_from_everywhere,
            a_queue_that_never_started_stops,
            a_job_may_stop_its_own_queue,
            a_job_may_stop_its_queue_while_somebody_else_does,
            a_job_may_drop_its_own_queue,
            at_the_end_of_the_grace_a_job_is_told,
        }
        sink {
            a_queue_is_a_sink,
        }
    }
    shared {
        shared {
            what_was_submitted_outlives_the_queue,
            each_job_runs_once_over_two_queues,
            a_stop_leaves_what_was_not_begun_to_others,
            what_is_abandoned_another_takes_over_and_a_late_result_is_refused,
            a_pause_holds_everywhere,
            a_limit_holds_for_all_queues_together,
            a_rate_holds_for_all_queues_together,
            a_job_is_found_soon_that_another_queue_stored,
            a_schedule_comes_once_over_two_queues,
            an_administrator_sees_and_sets_right,
            two_kinds_share_a_place_and_nothing_else,
            many_queues_open_a_new_place_at_once,
        }
    }
}
