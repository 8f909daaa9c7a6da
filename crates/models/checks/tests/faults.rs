//! What shows that the models can fail: one fault at a time in a copy of the
//! production sources, each found by the models that are named for it. Every
//! model has one.
//!
//! Takes a minute or more, since each fault is a build: `.ci/models` runs it.
#![cfg(not(any(loom, shuttle)))]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{fs, thread};

/// In `file`, `text` is replaced by `fault`.
struct Fault {
    file: &'static str,
    text: &'static str,
    fault: &'static str,
    found_by: &'static [Model],
}

enum Model {
    /// A test of `tests/loom.rs`.
    Loom(&'static str),
    /// A test of `tests/shuttle.rs`, and the pool that it is tried on.
    Shuttle(&'static str, &'static str),
}

use Model::{Loom, Shuttle};

const FAULTS: &[Fault] = &[
    // A submitter is told of a free place before it has begun to wait.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "            drop(lock(&self.desk));\n",
        fault: "",
        found_by: &[Loom(
            "a_submitter_that_waits_gets_the_place_that_becomes_free",
        )],
    },
    // Nobody is told.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "            drop(lock(&self.desk));\n            self.place.notify_one();\n",
        fault: "",
        found_by: &[Shuttle(
            "a_place_that_becomes_free_goes_to_a_submitter_that_waits",
            "channel",
        )],
    },
    // The worker's look at who waits may come before its own count.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "if load_in_order(&self.waiting) == 0 {",
        fault: "if self.waiting.load(Ordering::Relaxed) == 0 {",
        found_by: &[Loom(
            "a_submitter_that_waits_gets_the_place_that_becomes_free",
        )],
    },
    // The submitter's look at what has finished may come before it is counted
    // among those who wait.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "load_in_order(part)",
        fault: "part.load(Ordering::Relaxed)",
        found_by: &[Loom(
            "a_submitter_that_waits_gets_the_place_that_becomes_free",
        )],
    },
    // A submitter that was woken and refused keeps the wake-up to itself.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "let _pass_on = PassOn(self);",
        fault: "",
        found_by: &[Loom("a_refused_hand_over_wakes_the_next_that_waits")],
    },
    // Close does not wake who waits for a place.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "            desk.way_in.take()\n        };\n        self.place.notify_all();\n",
        fault: "            desk.way_in.take()\n        };\n",
        found_by: &[Loom("a_submitter_that_waits_is_freed_by_close")],
    },
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "        lock(&self.desk).open = false;\n        self.place.notify_all();\n",
        fault: "        lock(&self.desk).open = false;\n",
        found_by: &[Loom("a_submitter_that_waits_is_freed_by_close")],
    },
    // "Is it open?" is not asked again after the wait.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "while desk.open && !self.has_room_for_sure(&mut desk) {\n            desk = wait(&self.place, desk);",
        fault: "while !self.has_room_for_sure(&mut desk) {\n            desk = wait(&self.place, desk);",
        found_by: &[Loom("a_submitter_that_waits_is_freed_by_close")],
    },
    // Whoever is woken takes a place, whether or not it is still there.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "while desk.open && !self.has_room_for_sure(&mut desk) {\n            desk = wait(&self.place, desk);",
        fault: "if desk.open && !self.has_room_for_sure(&mut desk) {\n            desk = wait(&self.place, desk);",
        found_by: &[Shuttle("the_bound_is_never_passed", "channel")],
    },
    // Who waits is a flag and not a count: the first who is served takes it
    // down for both.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "        let first = self.waiting.fetch_add(1, Ordering::SeqCst) == 0;\n        if nap && first {\n            desk = self.wait_for_row(desk, row);\n        }\n        while desk.open && !self.has_room_for_sure(&mut desk) {\n            desk = wait(&self.place, desk);\n        }\n        self.waiting.fetch_sub(1, Ordering::SeqCst);\n",
        fault: "        let first = self.waiting.swap(1, Ordering::SeqCst) == 0;\n        if nap && first {\n            desk = self.wait_for_row(desk, row);\n        }\n        while desk.open && !self.has_room_for_sure(&mut desk) {\n            desk = wait(&self.place, desk);\n        }\n        self.waiting.store(0, Ordering::SeqCst);\n",
        found_by: &[Loom("each_of_two_submitters_that_wait_gets_its_place")],
    },
    // "Is it open?" is asked under one lock, and the job is accepted under
    // the next.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "            return desk.accept(job, hand_over);\n        }\n        desk.accept(job, hand_over)\n",
        fault: "            return desk.accept(job, hand_over);\n        }\n        let open = desk.open;\n        drop(desk);\n        let mut desk = lock(&self.desk);\n        match desk.accept(job, hand_over) {\n            Err(_) if open => Ok(JobId::new(desk.accepted)),\n            entered => entered,\n        }\n",
        found_by: &[
            Loom("a_submit_that_races_a_close_is_in_the_queue_or_refused"),
            Shuttle(
                "a_submit_that_races_a_close_is_accepted_or_refused",
                "channel",
            ),
        ],
    },
    // The id is looked up before the wait: two that wait get the same.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "            let mut desk = self.wait_for_room(desk);\n            return desk.accept(job, hand_over);\n",
        fault: "            let id = JobId::new(desk.accepted);\n            let mut desk = self.wait_for_room(desk);\n            return desk.accept(job, |way_in, ticket| hand_over(way_in, Ticket { id, ..ticket })).map(|_| id);\n",
        found_by: &[Shuttle("every_job_has_one_completion", "channel")],
    },
    // Who does not wait does not look at what has finished.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "!self.has_room(&mut desk) {\n            return Err(TrySubmitError::Full(job));",
        fault: "desk.accepted == desk.room_until {\n            return Err(TrySubmitError::Full(job));",
        found_by: &[
            Loom("a_place_is_free_before_its_completion_can_be_read"),
            Shuttle("full_means_that_a_completion_is_owed", "channel"),
        ],
    },
    // Jobs that are queued run on after a cancel.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "        self.stopped.store(true, Ordering::SeqCst);\n        self.close()\n",
        fault: "        self.close()\n",
        found_by: &[Shuttle("what_cancel_gives_back_was_not_run", "channel")],
    },
    // A job that panics keeps its place.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "        let completion = run_one(ticket, self.is_stopped());\n        self.leave();\n",
        fault: "        let completion = run_one(ticket, self.is_stopped());\n        if !completion.outcome.is_panicked() {\n            self.leave();\n        }\n",
        found_by: &[Shuttle(
            "a_panic_is_a_completion_and_costs_no_place",
            "channel",
        )],
    },
    // The completion can be read before the place is free.
    Fault {
        file: "manyhands-semaphore/src/adapter.rs",
        text: "                drop(permit);\n                sender.send(completion);",
        fault: "                sender.send(completion);\n                drop(permit);",
        found_by: &[Shuttle(
            "full_means_that_a_completion_is_owed",
            "semaphore",
        )],
    },
    Fault {
        file: "manyhands-errgroup/src/adapter.rs",
        text: "                drop(token);\n                sender.send(completion);",
        fault: "                sender.send(completion);\n                drop(token);",
        found_by: &[Shuttle(
            "full_means_that_a_completion_is_owed",
            "errgroup",
        )],
    },
    // The token is free before the group knows of the error.
    Fault {
        file: "manyhands-errgroup/src/adapter.rs",
        text: "                if let Outcome::Done(Err(_)) = completion.outcome {\n                    drop(intake.cancel());\n                    token.0.fail(Failure::Error(()));\n                }\n                // Whoever reads the completion finds the place free.\n                drop(token);\n",
        fault: "                let group = Arc::clone(&token.0);\n                drop(token);\n                if let Outcome::Done(Err(_)) = completion.outcome {\n                    drop(intake.cancel());\n                    group.fail(Failure::Error(()));\n                }\n",
        found_by: &[Shuttle(
            "the_place_that_an_error_frees_starts_no_job",
            "",
        )],
    },
    // The error can be read before the group knows of it.
    Fault {
        file: "manyhands-errgroup/src/adapter.rs",
        text: "                if let Outcome::Done(Err(_)) = completion.outcome {\n                    drop(intake.cancel());\n                    token.0.fail(Failure::Error(()));\n                }\n                // Whoever reads the completion finds the place free.\n                drop(token);\n                sender.send(completion);\n",
        fault: "                let failed = matches!(completion.outcome, Outcome::Done(Err(_)));\n                sender.send(completion);\n                if failed {\n                    drop(intake.cancel());\n                    token.0.fail(Failure::Error(()));\n                }\n                drop(token);\n",
        found_by: &[Shuttle(
            "after_the_first_error_no_job_starts_in_an_error_group",
            "",
        )],
    },
    // What is sent while the reader takes over is cleared away.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "        swap(&mut front.items, &mut back.items);\n",
        fault: "        swap(&mut front.items, &mut back.items);\n        drop(back);\n        let mut back = lock(&shared.back);\n        back.items.clear();\n",
        found_by: &[Shuttle("every_job_has_one_completion", "channel")],
    },
    // Whether it is the last sender is asked before it is counted: of two
    // that go at once, none is.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "        if self.shared.senders.fetch_sub(1, Ordering::AcqRel) == 1 {\n",
        fault: "        let last = self.shared.senders.load(Ordering::Acquire) == 1;\n        self.shared.senders.fetch_sub(1, Ordering::AcqRel);\n        if last {\n",
        found_by: &[Loom("several_senders_lose_nothing_and_the_last_ends_it")],
    },
    // The reader sleeps on.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "        if wake {\n            self.shared.ready.notify_one();\n        }\n",
        fault: "        let _ = wake;\n",
        found_by: &[Loom(
            "what_was_written_before_a_send_is_visible_to_the_reader",
        )],
    },
    // The end is noted, and nobody is told.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "            lock(&self.shared.back).ended = true;\n            self.shared.ready.notify_one();\n",
        fault: "            lock(&self.shared.back).ended = true;\n",
        found_by: &[Loom(
            "two_readers_share_one_result_and_both_find_the_end",
        )],
    },
    // A reader lets go of the front while it is parked at the back.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "            back.wake_at = 1;\n",
        fault: "            back.wake_at = 1;\n            drop(front);\n            front = lock(&shared.front);\n",
        found_by: &[Shuttle(
            "several_readers_share_the_completions_and_all_find_the_end",
            "channel",
        )],
    },
    // After its nap a submitter is still not told of less than a row.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "        self.wake_at.store(0, Ordering::SeqCst);\n",
        fault: "",
        found_by: &[Loom(
            "who_has_waited_for_a_row_of_places_is_woken_for_one",
        )],
    },
    // After its nap the reader still waits for a row.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "            back.wake_at = 1;\n",
        fault: "            back.wake_at = back.wake_at.min(2);\n",
        found_by: &[Loom("who_has_waited_for_a_row_is_woken_for_one")],
    },
    // Whoever sends does not see that a reader naps, and later that it waits.
    Fault {
        file: "manyhands-batch/src/adapter.rs",
        text: "            lanes.bell.listen(1);\n",
        fault: "",
        found_by: &[Shuttle(
            "a_full_pool_is_read_in_rows_to_its_end",
            "batch",
        )],
    },
    // A batch that is not full is taken for the end.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "        let count = front.items.len().min(max);\n",
        fault: "        if front.items.len() < max {\n            return 0;\n        }\n        let count = max;\n",
        found_by: &[Shuttle(
            "batches_lose_nothing_and_wait_for_one",
            "dispatcher",
        )],
    },
    // The answer is there, and nobody is told.
    Fault {
        file: "manyhands-core/src/handle.rs",
        text: "        let (waker, joining) = (state.waker.take(), state.joining);\n",
        fault: "        let (waker, joining) = (None::<Waker>, false);\n",
        found_by: &[Loom("a_handle_that_is_polled_is_woken")],
    },
    // Who polls is told, and who blocks is not.
    Fault {
        file: "manyhands-core/src/handle.rs",
        text: "        if joining {\n            self.finished.notify_all();\n        }\n",
        fault: "        let _ = joining;\n",
        found_by: &[Loom(
            "a_handle_that_is_joined_has_the_answer_and_what_was_written",
        )],
    },
    // A task that is dropped tells nobody.
    Fault {
        file: "manyhands-core/src/handle.rs",
        text: "            self.finish(Err(JobError::Cancelled));\n",
        fault: "",
        found_by: &[
            Loom("a_handle_whose_pool_is_cancelled_is_told"),
            Shuttle("a_handle_of_a_cancelled_pool_is_told", ""),
        ],
    },
    // The waker is left under another lock than the one of the last look.
    Fault {
        file: "manyhands-core/src/handle.rs",
        text: "        std::mem::swap(&mut state.waker, &mut waker);\n",
        fault: "        drop(state);\n        state = lock(&self.state);\n        std::mem::swap(&mut state.waker, &mut waker);\n",
        found_by: &[Shuttle(
            "a_handle_is_woken_whether_it_blocks_or_polls",
            "",
        )],
    },
    // An abort that came too late says that it came in time.
    Fault {
        file: "manyhands-core/src/handle.rs",
        text: "        let waited = work.is_some();\n",
        fault: "        let waited = true;\n",
        found_by: &[Loom(
            "a_handle_that_is_aborted_has_a_closure_that_ran_or_never_will",
        )],
    },
    // The job has ended, and its group is not told.
    Fault {
        file: "manyhands-core/src/group.rs",
        text: "        if waiting {\n            self.bell.ring();\n        }\n",
        fault: "        let _ = waiting;\n",
        found_by: &[Loom("a_group_hears_of_the_end_of_its_job")],
    },
    // The ring is not remembered by who was about to sleep.
    Fault {
        file: "manyhands-core/src/group.rs",
        text: "        while !*rung {\n            let Some",
        fault: "        *rung = false;\n        while !*rung {\n            let Some",
        found_by: &[
            Loom("a_group_hears_of_the_end_of_its_job"),
            Loom("a_group_hears_that_its_token_is_cancelled"),
        ],
    },
    // A group does not wait for what runs.
    Fault {
        file: "manyhands-core/src/group.rs",
        text: "        self.by_ref().for_each(discard);\n",
        fault: "",
        found_by: &[Loom(
            "a_group_that_is_cancelled_has_ended_when_it_is_dropped",
        )],
    },
    // A token is cancelled, and who waits is not told.
    Fault {
        file: "manyhands-core/src/token.rs",
        text: "            node.changed.notify_all();\n",
        fault: "",
        found_by: &[Loom("who_waits_for_a_token_is_told_of_its_cancel")],
    },
    // That it is cancelled is seen before what led to it.
    Fault {
        file: "manyhands-core/src/token.rs",
        text: "            node.cancelled.store(true, Ordering::Release);\n",
        fault: "            node.cancelled.store(true, Ordering::Relaxed);\n",
        found_by: &[Loom(
            "who_sees_a_token_cancelled_sees_what_was_written_before",
        )],
    },
    // A waker is left with a token that was cancelled since the last look.
    Fault {
        file: "manyhands-core/src/token.rs",
        text: "        if self.node.is_marked() {\n            return Err(call);\n        }\n",
        fault: "",
        found_by: &[Loom("a_future_of_a_token_is_woken_by_its_cancel")],
    },
    // A child is left with a parent that was.
    Fault {
        file: "manyhands-core/src/token.rs",
        text: "        if self.node.is_marked() {\n            return Self {",
        fault: "        if false {\n            return Self {",
        found_by: &[Loom(
            "a_child_that_is_born_while_its_parent_is_cancelled_is_too",
        )],
    },
    // Who comes second leaves it to the first.
    Fault {
        file: "manyhands-core/src/token.rs",
        text: "            node.cancelled.store(true, Ordering::Release);\n",
        fault: "            if node.is_marked() {\n                continue;\n            }\n            node.cancelled.store(true, Ordering::Release);\n",
        found_by: &[Loom(
            "of_two_who_cancel_a_token_each_finds_its_child_cancelled",
        )],
    },
    // A thread that is parked is called, and not woken.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "                shared.called.notify_one();\n",
        fault: "",
        found_by: &[Loom(
            "a_thread_of_a_crew_stays_for_the_next_piece_of_work",
        )],
    },
    // Of two who call the same thread, the second leaves it at that.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "                self.start_thread(work);\n            }\n        }\n",
        fault: "            }\n        }\n",
        found_by: &[
            Loom("a_thread_that_two_would_call_comes_for_one_of_them"),
            Shuttle("each_of_two_submitters_finds_a_thread_of_a_crew", ""),
        ],
    },
    // A thread that parks still counts among those who look.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "        desk.looking -= 1;\n        desk.parked += 1;\n",
        fault: "        desk.parked += 1;\n",
        found_by: &[Loom(
            "a_thread_of_a_crew_stays_for_the_next_piece_of_work",
        )],
    },
    // A thread parks without another look at what was queued meanwhile.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "        if !desk.queue.is_empty() {\n            spins.waited(None);\n            return Some(desk);\n        }\n",
        fault: "",
        found_by: &[Loom(
            "a_thread_of_a_crew_stays_for_the_next_piece_of_work",
        )],
    },
    // One thread that looks is taken for enough, however much is queued.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "self.queue.len() <= self.looking + self.calls",
        fault: "self.looking + self.calls > 0",
        found_by: &[Loom(
            "two_pieces_of_work_that_wait_for_each_other_have_a_thread_each",
        )],
    },
    // A thread whose time is up goes, though it was called meanwhile.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "                Some(left) => {\n                    wait_at_most(&self.desk, &self.called, desk, left)\n                }\n",
        fault: "                Some(left) => {\n                    let mut desk = wait_at_most(&self.desk, &self.called, desk, left);\n                    if desk.stays(parked) == Some(Duration::ZERO) {\n                        desk.parked -= 1;\n                        desk.threads -= 1;\n                        return None;\n                    }\n                    desk\n                }\n",
        found_by: &[
            Loom("a_piece_that_is_handed_over_as_a_thread_gives_up_finds_one"),
            Shuttle(
                "each_of_two_submitters_finds_a_thread_though_threads_give_up",
                "",
            ),
        ],
    },
    // A thread that has gone is called.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "                    desk.parked -= 1;\n                    desk.threads -= 1;\n",
        fault: "                    desk.threads -= 1;\n",
        found_by: &[Loom(
            "a_piece_that_is_handed_over_as_a_thread_gives_up_finds_one",
        )],
    },
    // No other is started for one that has gone.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "                    desk.parked -= 1;\n                    desk.threads -= 1;\n",
        fault: "                    desk.parked -= 1;\n",
        found_by: &[Loom(
            "a_piece_that_is_handed_over_as_a_thread_gives_up_finds_one",
        )],
    },
    // A thread goes as its time is up, and leaves a piece behind that it was
    // to take.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "        if !desk.queue.is_empty() {\n            spins.waited(None);\n            return Some(desk);\n        }\n        let parked = Instant::now();\n",
        fault: "        let parked = Instant::now();\n",
        found_by: &[Shuttle(
            "each_of_two_submitters_finds_a_thread_though_threads_give_up",
            "",
        )],
    },
    // A thread ends with the crew, whether or not work is left.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "            if let Some(piece) = desk.queue.pop_front() {\n                desk.looking",
        fault: "            if desk.work.is_none() {\n                return End::Closed;\n            } else if let Some(piece) = desk.queue.pop_front() {\n                desk.looking",
        found_by: &[Loom(
            "a_crew_that_is_dropped_has_done_what_was_handed_over",
        )],
    },
    // A call is not taken back by who comes: the next piece counts on it.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "        desk.calls = desk.calls.saturating_sub(1);\n",
        fault: "",
        found_by: &[Shuttle("a_crew_has_a_thread_for_each_piece_of_work", "")],
    },
    // The waker edits the count of the parked, and who parks does too.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "                desk.calls += 1;\n                drop(desk);\n",
        fault: "                desk.parked -= 1;\n                desk.calls += 1;\n                drop(desk);\n",
        found_by: &[Shuttle("a_crew_has_a_thread_for_each_piece_of_work", "")],
    },
    // A waiter that gives up was in front, and those behind it wait on.
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "                state.queue.remove(at);\n                // It may have been the one that held up the others.\n                state.call();\n",
        fault: "                state.queue.remove(at);\n",
        found_by: &[
            Loom("a_waiter_that_gives_up_passes_its_turn_on"),
            Shuttle("a_waiter_that_gives_up_passes_its_turn_on", ""),
        ],
    },
    // More is given out than is free.
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "            if self.closed || turn.permits > self.free {\n                return;\n            }\n            self.free -= turn.permits;",
        fault: "            if self.closed {\n                return;\n            }\n            self.free = self.free.saturating_sub(turn.permits);",
        found_by: &[Shuttle(
            "a_semaphore_never_gives_out_more_than_it_has",
            "",
        )],
    },
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "        state.queue.iter().for_each(|turn| turn.called.notify_one());\n",
        fault: "",
        found_by: &[Loom("a_closed_semaphore_frees_who_waits")],
    },
    // The first who waits hears of the close, and those behind it do not.
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "        state.queue.iter().for_each(|turn| turn.called.notify_one());\n",
        fault: "        state.queue.front().inspect(|turn| turn.called.notify_one());\n",
        found_by: &[Shuttle("a_closed_semaphore_sends_everybody_away", "")],
    },
    // Who waited before the close gets a permit after it.
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "if self.closed || turn.permits > self.free {",
        fault: "if turn.permits > self.free {",
        found_by: &[Shuttle("a_closed_semaphore_sends_everybody_away", "")],
    },
    // "Is one free?" is asked under one lock, and it is taken under the next.
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "        match shared.take(&mut shared.lock(), permits) {\n",
        fault: "        let free = shared.lock().free >= permits;\n        if free {\n            let mut state = shared.lock();\n            state.free = state.free.saturating_sub(permits);\n            return Ok(Permit { shared: Arc::clone(shared), permits });\n        }\n        match shared.take(&mut shared.lock(), permits) {\n",
        found_by: &[Loom("one_permit_is_held_by_one_at_a_time")],
    },
    // The dispatcher tells its workers to quit while jobs are queued.
    Fault {
        file: "manyhands-dispatcher/src/lib.rs",
        text: "        while let Some(job) = self.internal_queue.pop_front() {\n",
        fault: "        if self.places.is_none() {\n            self.ready_pool.quit();\n        }\n        while let Some(job) = self.internal_queue.pop_front() {\n",
        found_by: &[
            Shuttle("a_job_queue_runs_what_it_accepted_whoever_stops_it", ""),
            Shuttle("drop_waits_for_what_was_accepted", "dispatcher"),
        ],
    },
    // A job is dropped if no worker is ready for it just then.
    Fault {
        file: "manyhands-dispatcher/src/lib.rs",
        text: "None => return self.internal_queue.push_front(job),",
        fault: "None => return,",
        found_by: &[Loom("a_dispatcher_hands_over_the_job_that_it_took")],
    },
    // Who stops it does not wait.
    Fault {
        file: "manyhands-dispatcher/src/lib.rs",
        text: "            join_all(lock(&self.threads).drain(..)); // q.workersStopped.Wait()\n",
        fault: "",
        found_by: &[
            Loom("a_dispatcher_hands_over_the_job_that_it_took"),
            Shuttle("a_job_queue_runs_what_it_accepted_whoever_stops_it", ""),
        ],
    },
    // A worker that sleeps is left alone, whatever is queued.
    Fault {
        file: "manyhands-dispatcher/src/dispatcher.rs",
        text: "        if self.enqueue(desk, job)? {\n            self.wake();\n        }\n",
        fault: "        let _ = self.enqueue(desk, job)?;\n",
        found_by: &[Loom("a_worker_that_sleeps_is_woken_for_the_next_job")],
    },
    Fault {
        file: "manyhands-dispatcher/src/adapter.rs",
        text: "            self.job_queue.dispatcher.wake();\n",
        fault: "",
        found_by: &[Shuttle("every_job_has_one_completion", "dispatcher")],
    },
    // It is sent a job, and not told.
    Fault {
        file: "manyhands-dispatcher/src/assigned.rs",
        text: "            self.sent.notify_one();\n",
        fault: "",
        found_by: &[Loom("a_worker_that_sleeps_is_woken_for_the_next_job")],
    },
    // It goes to sleep without a look at what was sent meanwhile.
    Fault {
        file: "manyhands-dispatcher/src/assigned.rs",
        text: "        while matches!(*place, Place::Empty) {\n            self.asleep.store(true, Ordering::Relaxed);\n            place = wait(&self.sent, place);\n        }\n",
        fault: "        self.asleep.store(true, Ordering::Relaxed);\n        place = wait(&self.sent, place);\n",
        found_by: &[Loom("a_worker_that_sleeps_is_woken_for_the_next_job")],
    },
    // There is a place, and nobody who waits for one is told.
    Fault {
        file: "manyhands-dispatcher/src/dispatcher.rs",
        text: "        if tell {\n            self.place.notify_one();\n        }\n",
        fault: "        let _ = tell;\n",
        found_by: &[Shuttle(
            "who_waits_for_a_place_in_a_job_queue_gets_it",
            "",
        )],
    },
    // The one who is waited for waits.
    Fault {
        file: "manyhands-waitgroup/src/adapter.rs",
        text: "if !self.workers.contains(&thread::current().id()) {",
        fault: "if true {",
        found_by: &[Shuttle(
            "a_pool_may_be_dropped_by_its_own_job",
            "waitgroup",
        )],
    },
    // Nobody waits for the threads.
    Fault {
        file: "manyhands-core/src/crew.rs",
        text: "        join_all(threads);\n",
        fault: "        drop(threads);\n",
        found_by: &[
            Shuttle("drop_waits_for_what_was_accepted", "semaphore"),
            Shuttle("drop_waits_for_what_was_accepted", "errgroup"),
        ],
    },
    Fault {
        file: "manyhands-waitgroup/src/adapter.rs",
        text: "            join_all(self.closer.take());\n",
        fault: "",
        found_by: &[Shuttle("drop_waits_for_what_was_accepted", "waitgroup")],
    },
    Fault {
        file: "manyhands-channel/src/adapter.rs",
        text: "        join_all(self.workers.drain(..));\n",
        fault: "",
        found_by: &[Shuttle("drop_waits_for_what_was_accepted", "channel")],
    },
    Fault {
        file: "manyhands-batch/src/adapter.rs",
        text: "        join_all(self.workers.drain(..));\n",
        fault: "",
        found_by: &[Shuttle("drop_waits_for_what_was_accepted", "batch")],
    },
    // The reader looks once more and then listens: what ends between, it does
    // not hear.
    Fault {
        file: "manyhands-batch/src/adapter.rs",
        text: "            lanes.bell.listen(1);\n            let finished = lanes.read(&mut read.completions);\n",
        fault: "            let finished = lanes.read(&mut read.completions);\n            lanes.bell.listen(1);\n",
        found_by: &[Loom(
            "a_batch_pool_that_sleeps_is_woken_and_so_is_its_reader",
        )],
    },
    // Who waits for a place is told before the job is counted.
    Fault {
        file: "manyhands-batch/src/worker.rs",
        text: "        let unread = lanes.exchange(self.lane, count, done, next, *grain);\n        lanes.bell.ring(unread);\n        intake.left();\n",
        fault: "        intake.left();\n        let unread = lanes.exchange(self.lane, count, done, next, *grain);\n        lanes.bell.ring(unread);\n",
        found_by: &[Loom(
            "a_submitter_gets_the_place_of_a_job_that_a_lane_has_counted",
        )],
    },
    // Who came for a job in a lane, and found another in the queue, calls
    // nobody for the first.
    Fault {
        file: "manyhands-batch/src/worker.rs",
        text: "                        || queue.in_lanes && lanes.any_claimed());\n",
        fault: "                        || queued == 0 && lanes.any_claimed());\n",
        found_by: &[Shuttle(
            "a_job_that_waits_gets_the_one_behind_it_although_another_came",
            "batch",
        )],
    },
    // A worker that claims several calls nobody for the rest.
    Fault {
        file: "manyhands-batch/src/worker.rs",
        text: "let call = more && queue.call();",
        fault: "let call = more && false;",
        found_by: &[
            Loom("a_job_of_a_batch_that_waits_for_another_gets_it"),
            Shuttle("a_job_that_waits_for_one_behind_it_gets_it", "batch"),
        ],
    },
    // A worker that finds claimed jobs that it may not take yet goes to
    // sleep.
    Fault {
        file: "manyhands-batch/src/worker.rs",
        text: "                        self.search(queue);\n                        drop(desk);\n                        thread::yield_now();\n                        continue;\n",
        fault: "                        0\n",
        found_by: &[Shuttle(
            "a_job_that_waits_for_one_behind_it_gets_it",
            "batch",
        )],
    },
    // What has ended is kept until nothing is claimed.
    Fault {
        file: "manyhands-batch/src/lanes.rs",
        text: "        state.done.append(done);\n",
        fault: "        if state.claimed.is_empty() {\n            state.done.append(done);\n        }\n",
        found_by: &[Shuttle(
            "what_has_ended_can_be_read_while_the_next_job_blocks",
            "batch",
        )],
    },
    // A reader that waits does not hear of the close.
    Fault {
        file: "manyhands-batch/src/adapter.rs",
        text: "        self.shared.intake.counter().bell.ring(usize::MAX);\n",
        fault: "",
        found_by: &[Shuttle(
            "several_readers_share_the_completions_and_all_find_the_end",
            "batch",
        )],
    },
    // What was claimed is left behind by cancel, and comes back when its
    // worker has time.
    Fault {
        file: "manyhands-batch/src/adapter.rs",
        text: "            lanes.steal_all(&mut back);\n",
        fault: "",
        found_by: &[Shuttle(
            "cancel_brings_back_what_a_busy_worker_has_claimed",
            "",
        )],
    },
    // What a submitter holds when the pool is closed is lost.
    Fault {
        file: "manyhands-core/src/submitter.rs",
        text: "let refused = take(&mut self.jobs).into();",
        fault: "take(&mut self.jobs);\n                    let refused = Vec::new();",
        found_by: &[Shuttle(
            "jobs_that_are_held_back_are_handed_over_or_come_back",
            "channel",
        )],
    },
    // Those who wait for a place are not told of one.
    Fault {
        file: "manyhands-managed/src/state.rs",
        text: "        self.queue.over(key);\n        if self.has_room() {\n            self.submitters.call_one(calls);\n        }\n",
        fault: "        self.queue.over(key);\n",
        found_by: &[Shuttle(
            "a_place_that_becomes_free_goes_to_a_submitter_that_waits",
            "managed",
        )],
    },
    // Whoever waits for the last job is not told.
    Fault {
        file: "manyhands-managed/src/state.rs",
        text: "            self.leavers.call_all(calls);\n",
        fault: "",
        found_by: &[Shuttle(
            "a_managed_pool_that_is_resized_meanwhile_runs_what_it_accepts",
            "",
        )],
    },
    // What is queued when the pool below is changed waits for the next job.
    Fault {
        file: "manyhands-managed/src/state.rs",
        text: "        self.shifts -= 1;\n        Next::Leave(self.want())\n",
        fault: "        self.shifts -= 1;\n        Next::Leave(Wanted(0))\n",
        found_by: &[Shuttle(
            "a_managed_pool_that_is_resized_meanwhile_runs_what_it_accepts",
            "",
        )],
    },
    // A pool that is resumed waits for the next job.
    Fault {
        file: "manyhands-managed/src/state.rs",
        text: "        self.paused = false;\n        self.want()\n",
        fault: "        self.paused = false;\n        Wanted(0)\n",
        found_by: &[Shuttle(
            "a_managed_pool_that_is_resumed_runs_what_was_queued_meanwhile",
            "",
        )],
    },
    // Who was called and gives up keeps the call.
    Fault {
        file: "manyhands-managed/src/shared.rs",
        text: "            if called && state.is_there(awaited) {\n                state.line(awaited).call_one(calls);\n            }\n",
        fault: "            let _ = (called, calls);\n",
        found_by: &[Shuttle(
            "a_managed_place_is_not_lost_with_a_future_that_gives_up",
            "",
        )],
    },
    // A job waits for its own place.
    Fault {
        file: "manyhands-managed/src/pool.rs",
        text: "inside || state.has_room()",
        fault: "state.has_room()",
        found_by: &[Shuttle("a_managed_job_submits_to_its_own_full_pool", "")],
    },
];

/// The checkers, and their models.
const MODELS: [(&str, &str); 2] = [
    ("loom", include_str!("loom.rs")),
    ("shuttle", include_str!("shuttle.rs")),
];

#[test]
fn every_model_has_a_fault_and_every_fault_its_models() {
    for (checker, source) in MODELS {
        let models: BTreeSet<&str> = source
            .split("#[test]")
            .skip(1)
            .map(|rest| {
                let (_, rest) = rest.split_once("fn ").expect("a test");
                rest.split_once('(').expect("a function").0
            })
            .collect();
        let named = FAULTS
            .iter()
            .flat_map(|fault| fault.found_by)
            .filter(|model| model.checker() == checker)
            .map(Model::name)
            .collect();
        assert!(models.len() > 10, "{checker}: these are too few: {models:?}");
        assert_eq!(models, named, "{checker}: models, and those with a fault");
    }
}

/// Told at once, and for all: a fault that is tried takes its seconds.
#[test]
fn every_fault_has_its_one_place() {
    let strays: Vec<String> = FAULTS
        .iter()
        .filter_map(|fault| {
            let source = read(&originals().join(fault.file));
            let places = source.matches(fault.text).count();
            (places != 1).then(|| {
                format!("{}, in {places} places: {}", fault.file, fault.text)
            })
        })
        .collect();
    assert!(strays.is_empty(), "not one place:\n{}", strays.join("\n"));
}

/// `MODEL_FAULT=part_of_a_name` tries the faults of one model.
#[test]
fn each_fault_is_found_by_its_model() {
    let chosen = std::env::var("MODEL_FAULT").unwrap_or_default();
    let mut models = FAULTS.iter().flat_map(|fault| fault.found_by);
    assert!(
        models.any(|model| model.name().contains(&chosen)),
        "MODEL_FAULT={chosen:?} is a part of no model's name",
    );
    // Two at a time: each has its own copy and its own build.
    let missed: Vec<String> = thread::scope(|scope| {
        MODELS
            .map(|(checker, _)| {
                let chosen = &chosen;
                scope.spawn(move || Copy::new(checker).missed(chosen))
            })
            .into_iter()
            .flat_map(|checker| checker.join().expect("it comes to its end"))
            .collect()
    });
    assert!(missed.is_empty(), "not found:\n{}", missed.join("\n"));
}

impl Model {
    fn name(&self) -> &'static str {
        match *self {
            Loom(name) | Shuttle(name, _) => name,
        }
    }

    fn checker(&self) -> &'static str {
        match self {
            Loom(_) => "loom",
            Shuttle(..) => "shuttle",
        }
    }
}

/// Where the crates are.
fn originals() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The sources, to be broken, and built for one checker. Nothing is shown by
/// a model that fails without a fault, so they are run as they are first.
struct Copy {
    checker: &'static str,
    crates: PathBuf,
}

impl Copy {
    fn new(checker: &'static str) -> Self {
        let crates = Path::new(env!("CARGO_TARGET_TMPDIR")).join(checker);
        let original = originals();
        for name in ["core", "channel", "waitgroup", "dispatcher"]
            .into_iter()
            .chain(["semaphore", "errgroup", "batch", "managed"])
        {
            let name = format!("manyhands-{name}");
            copy(&original.join(&name), &crates.join(&name));
        }
        copy(&original.join("models"), &crates.join("models"));
        Self { checker, crates }
    }

    /// Plants each fault, and returns what is to be said of those that were
    /// not found.
    fn missed(&self, chosen: &str) -> Vec<String> {
        let sound = self.cargo("", "100", &["--", chosen]);
        assert!(
            sound.status.success(),
            "{}: a model fails without a fault: {}",
            self.checker,
            String::from_utf8_lossy(&sound.stdout),
        );
        let mut missed = Vec::new();
        for fault in FAULTS {
            let models: Vec<_> = fault
                .found_by
                .iter()
                .filter(|model| model.checker() == self.checker)
                .filter(|model| model.name().contains(chosen))
                .collect();
            if models.is_empty() {
                continue;
            }
            let file = self.crates.join(fault.file);
            let source = read(&file);
            write(&file, &source.replace(fault.text, fault.fault));
            for model in models {
                let found = self.check(model);
                let (checker, name) = (self.checker, model.name());
                let line = match &found {
                    Ok(how) => format!("{checker}: {name}: {how}"),
                    Err(why) => format!("{checker}: {name}: NOT FOUND: {why}"),
                };
                eprintln!("{line}");
                if found.is_err() {
                    missed.push(format!("{line}\n{}", fault.fault));
                }
            }
            write(&file, &source);
        }
        missed
    }

    /// Builds a model and runs it. How it failed, or that it did not.
    fn check(&self, model: &Model) -> Result<String, String> {
        let pool = match *model {
            Loom(_) => "",
            Shuttle(_, pool) => pool,
        };
        let cargo = |last: &[&str]| self.cargo(pool, "5000", last);
        let built = cargo(&["--no-run"]);
        if !built.status.success() {
            let errors = String::from_utf8_lossy(&built.stderr);
            return Err(format!("does not build: {errors}"));
        }
        let name = model.name();
        let run = cargo(&["--", "--exact", "--nocapture", name]);
        let output = [run.stderr, run.stdout].concat();
        let output = String::from_utf8_lossy(&output);
        if run.status.success() {
            return Err("it passes".to_owned());
        }
        // The panic's message is in the line that follows its place.
        let mut lines = output.lines();
        lines.find(|line| line.contains("panicked at"));
        match lines.next() {
            Some(message) => Ok(message.to_owned()),
            None => Err(format!("fails, without a panic: {output}")),
        }
    }

    fn cargo(&self, pool: &str, schedules: &str, last: &[&str]) -> Output {
        let checker = self.checker;
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["test", "--quiet", "--profile", "faults", "--offline"])
            .args(["--package", "checks", "--test", checker])
            .args(last)
            .current_dir(self.crates.join("models"))
            .env("CARGO_TARGET_DIR", self.crates.join("target"))
            .env("RUSTFLAGS", format!("--cfg {checker}"))
            .env("RUST_BACKTRACE", "0")
            .env("LOOM_MAX_PREEMPTIONS", "3")
            .env("MODEL_SCHEDULES", schedules);
        match pool {
            "" => command.env_remove("MODEL_POOL"),
            pool => command.env("MODEL_POOL", pool),
        };
        command.output().expect("cargo runs")
    }
}

/// Copies manifests and sources, and leaves out what was built.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("it is a folder") {
        let entry = entry.expect("it can be read");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            if entry.file_name() != "target" {
                copy(&from, &to);
            }
        } else if !fs::read(&to)
            .is_ok_and(|old| old == fs::read(&from).unwrap_or_default())
        {
            fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
