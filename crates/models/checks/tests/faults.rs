//! What shows that the models can fail: one fault at a time in a copy of the
//! production sources, each found by the model that is named for it.
//!
//! Takes minutes, since each fault is a build: `.ci/models` runs it.
#![cfg(not(any(loom, shuttle)))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// In `file`, `text` is replaced by `fault`.
struct Fault {
    file: &'static str,
    text: &'static str,
    fault: &'static str,
    found_by: Model,
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
        found_by: Loom(
            "a_submitter_that_waits_gets_the_place_that_becomes_free",
        ),
    },
    // Nobody is told.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "            drop(lock(&self.desk));\n            self.place.notify_one();\n",
        fault: "",
        found_by: Shuttle(
            "a_place_that_becomes_free_goes_to_a_submitter_that_waits",
            "channel",
        ),
    },
    // The worker's look at who waits may come before its own count.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "if load_in_order(&self.waiting) > 0 {",
        fault: "if self.waiting.load(Ordering::Relaxed) > 0 {",
        found_by: Loom(
            "a_submitter_that_waits_gets_the_place_that_becomes_free",
        ),
    },
    // A submitter that was woken and refused keeps the wake-up to itself.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "let _pass_on = PassOn(self);",
        fault: "",
        found_by: Loom("a_refused_hand_over_wakes_the_next_that_waits"),
    },
    // Close does not wake who waits for a place.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "        self.place.notify_all();\n",
        fault: "",
        found_by: Loom("a_submitter_that_waits_is_freed_by_close"),
    },
    // "Is it open?" is not asked again after the wait.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "while desk.way_in.is_some() && !self.has_room(&mut desk) {\n            desk = wait(&self.place, desk);",
        fault: "while !self.has_room(&mut desk) {\n            desk = wait(&self.place, desk);",
        found_by: Loom("a_submitter_that_waits_is_freed_by_close"),
    },
    // Whoever is woken takes a place, whether or not it is still there.
    Fault {
        file: "manyhands-core/src/intake.rs",
        text: "while desk.way_in.is_some() && !self.has_room(&mut desk) {\n            desk = wait(&self.place, desk);",
        fault: "if desk.way_in.is_some() && !self.has_room(&mut desk) {\n            desk = wait(&self.place, desk);",
        found_by: Shuttle("the_bound_is_never_passed", "channel"),
    },
    // The completion can be read before the place is free.
    Fault {
        file: "manyhands-semaphore/src/adapter.rs",
        text: "                drop(permit);\n                results.send(completion);",
        fault: "                results.send(completion);\n                drop(permit);",
        found_by: Shuttle("full_means_that_a_completion_is_owed", "semaphore"),
    },
    Fault {
        file: "manyhands-errgroup/src/adapter.rs",
        text: "                drop(token);\n                results.send(completion);",
        fault: "                results.send(completion);\n                drop(token);",
        found_by: Shuttle("full_means_that_a_completion_is_owed", "errgroup"),
    },
    // The reader sleeps on.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "        if wake {\n            self.shared.ready.notify_one();\n        }\n",
        fault: "        let _ = wake;\n",
        found_by: Loom(
            "what_was_written_before_a_send_is_visible_to_the_reader",
        ),
    },
    // The end is noted, and nobody is told.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "            lock(&self.shared.back).ended = true;\n            self.shared.ready.notify_one();\n",
        fault: "            lock(&self.shared.back).ended = true;\n",
        found_by: Loom("two_readers_share_one_result_and_both_find_the_end"),
    },
    // A reader lets go of the front while it is parked at the back.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "            back.reader_parked = true;\n",
        fault: "            back.reader_parked = true;\n            drop(front);\n            front = lock(&shared.front);\n",
        found_by: Shuttle(
            "several_readers_share_the_completions_and_all_find_the_end",
            "channel",
        ),
    },
    // What was taken over is counted as still there, and taken again.
    Fault {
        file: "manyhands-core/src/results.rs",
        text: "        let count = front.len().min(max);\n",
        fault: "        let count = max;\n        while front.len() < max { drop(front); front = lock(&self.shared.front); self.shared.ready.notify_all(); return 0; }\n",
        found_by: Shuttle(
            "batches_lose_nothing_and_wait_for_one",
            "dispatcher",
        ),
    },
    // The answer is there before it is looked whether anybody waits for it.
    Fault {
        file: "manyhands-core/src/handle.rs",
        text: "        let (waker, joining) = (state.waker.take(), state.joining);\n        drop(state);\n",
        fault: "        drop(state);\n        let (waker, joining) = (None::<Waker>, false);\n",
        found_by: Loom("a_handle_that_is_polled_is_woken"),
    },
    Fault {
        file: "manyhands-core/src/handle.rs",
        text: "        if joining {\n            self.finished.notify_all();\n        }\n",
        fault: "        let _ = joining;\n",
        found_by: Loom(
            "a_handle_that_is_joined_has_the_answer_and_what_was_written",
        ),
    },
    // A task that is dropped tells nobody.
    Fault {
        file: "manyhands-core/src/handle.rs",
        text: "            self.finish(Err(JobError::Cancelled));\n",
        fault: "",
        found_by: Loom("a_handle_whose_pool_is_cancelled_is_told"),
    },
    // A waiter that gives up was in front, and those behind it wait on.
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "                state.queue.remove(at);\n                // It may have been the one that held up the others.\n                state.call();\n",
        fault: "                state.queue.remove(at);\n",
        found_by: Loom("a_waiter_that_gives_up_passes_its_turn_on"),
    },
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "                state.queue.remove(at);\n                // It may have been the one that held up the others.\n                state.call();\n",
        fault: "                state.queue.remove(at);\n",
        found_by: Shuttle("a_waiter_that_gives_up_passes_its_turn_on", ""),
    },
    // More is given out than is free.
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "            if self.closed || turn.permits > self.free {\n                return;\n            }\n            self.free -= turn.permits;",
        fault: "            if self.closed {\n                return;\n            }\n            self.free = self.free.saturating_sub(turn.permits);",
        found_by: Shuttle("a_semaphore_never_gives_out_more_than_it_has", ""),
    },
    Fault {
        file: "manyhands-semaphore/src/lib.rs",
        text: "        state.queue.iter().for_each(|turn| turn.called.notify_one());\n",
        fault: "",
        found_by: Loom("a_closed_semaphore_frees_who_waits"),
    },
    // The dispatcher tells its workers to quit while one has a job waiting.
    Fault {
        file: "manyhands-dispatcher/src/lib.rs",
        text: "        let Ok(_) = ready_pool.recv() else { return };\n    }\n",
        fault: "    }\n",
        found_by: Shuttle(
            "a_job_queue_runs_what_it_accepted_whoever_stops_it",
            "",
        ),
    },
    Fault {
        file: "manyhands-dispatcher/src/lib.rs",
        text: "        let Ok(_) = ready_pool.recv() else { return };\n    }\n",
        fault: "    }\n",
        found_by: Shuttle("drop_waits_for_what_was_accepted", "dispatcher"),
    },
    // The one who is waited for waits.
    Fault {
        file: "manyhands-waitgroup/src/adapter.rs",
        text: "if !self.workers.contains(&thread::current().id()) {",
        fault: "if true {",
        found_by: Shuttle("a_pool_may_be_dropped_by_its_own_job", "waitgroup"),
    },
    // Nobody waits for the workers.
    Fault {
        file: "manyhands-channel/src/adapter.rs",
        text: "        join_all(self.workers.drain(..));\n",
        fault: "",
        found_by: Shuttle("drop_waits_for_what_was_accepted", "channel"),
    },
];

#[test]
fn each_fault_is_found_by_its_model() {
    let copy = Copy::new();
    let mut missed = String::new();
    for fault in FAULTS {
        let file = copy.crates.join(fault.file);
        let source = read(&file);
        let places = source.matches(fault.text).count();
        assert_eq!(
            places, 1,
            "{} has {places} places like this, and the fault is for one: {}",
            fault.file, fault.text,
        );
        write(&file, &source.replace(fault.text, fault.fault));
        let (built, run) = copy.check(&fault.found_by);
        write(&file, &source);
        let name = fault.found_by.name();
        let output = [run.stdout, run.stderr].concat();
        let output = String::from_utf8_lossy(&output);
        eprintln!("{}: {name}", fault.file);
        if !built.status.success() {
            let errors = String::from_utf8_lossy(&built.stderr);
            missed += &format!("\n{}: does not build: {errors}", fault.file);
        } else if run.status.success() || !output.contains(name) {
            missed += &format!("\n{}: {}: {name}", fault.file, fault.text);
        }
    }
    assert!(missed.is_empty(), "not found:{missed}");
}

impl Model {
    fn name(&self) -> &'static str {
        match *self {
            Loom(name) | Shuttle(name, _) => name,
        }
    }
}

/// The sources, to be broken.
struct Copy {
    crates: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let crates = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crates");
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for name in ["core", "channel", "waitgroup", "dispatcher"]
            .into_iter()
            .chain(["semaphore", "errgroup"])
        {
            let name = format!("manyhands-{name}");
            copy(&original.join(&name), &crates.join(&name));
        }
        copy(&original.join("models"), &crates.join("models"));
        Self { crates }
    }

    /// Builds a model and runs it.
    fn check(&self, model: &Model) -> (Output, Output) {
        let (checker, pool) = match *model {
            Loom(_) => ("loom", ""),
            Shuttle(_, pool) => ("shuttle", pool),
        };
        let cargo = |last: &[&str]| {
            let mut command = Command::new(env!("CARGO"));
            command
                .args(["test", "--quiet", "--release", "--offline"])
                .args(["--package", "checks", "--test", checker])
                .args(last)
                .current_dir(self.crates.join("models"))
                .env("CARGO_TARGET_DIR", self.crates.join(checker))
                .env("RUSTFLAGS", format!("--cfg {checker}"))
                .env("RUST_BACKTRACE", "0")
                .env("LOOM_MAX_PREEMPTIONS", "3")
                .env("MODEL_SCHEDULES", "5000");
            if !pool.is_empty() {
                command.env("MODEL_POOL", pool);
            }
            command.output().expect("cargo runs")
        };
        let built = cargo(&["--no-run"]);
        (built, cargo(&["--", "--exact", "--nocapture", model.name()]))
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
