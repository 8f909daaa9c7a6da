//! Schedules.

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

/// From which all schedules are drawn.
const SEED: u64 = 0x6d61_6e79;

/// More than any model here needs many times over: what goes on longer spins.
const MOST_STEPS: usize = 20_000;

/// Runs a model on many schedules. It panics as the model does on the first
/// that goes wrong.
pub fn explore(model: fn()) {
    explore_some(400, model);
}

/// The same, on so many schedules of each kind.
pub fn explore_some(schedules: usize, model: fn()) {
    run(RandomScheduler::new_from_seed(SEED, schedules), model);
    // Few switches, each at a place that matters: it finds what needs one
    // thread to stand still for long.
    run(PctScheduler::new_from_seed(SEED, 3, schedules), move || {
        // That scheduler wants a second thread, and a model may have one.
        let idle = shuttle::thread::spawn(|| {});
        shuttle::thread::yield_now();
        model();
        let _ = idle.join();
    });
}

/// Runs a model once, so that what shuttle does first is done.
pub(crate) fn warm_up() {
    run(RandomScheduler::new_from_seed(SEED, 1), || {});
}

fn run(
    scheduler: impl Scheduler + 'static,
    model: impl Fn() + Send + Sync + 'static,
) {
    let mut config = Config::new();
    config.stack_size = 256 * 1024;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    Runner::new(scheduler, config).run(model);
}
