use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use manyhands_core::{BuildError, Builder, Config, ConfigError};

/// A pool that is nothing but its sizes.
fn sizes() -> Builder<Config> {
    Builder::new(Ok)
}

#[test]
fn a_config_has_the_sizes_it_was_given_and_their_sum() {
    let config = Config::new(3, 64).unwrap();
    assert_eq!(config.workers().get(), 3);
    assert_eq!(config.queue(), 64);
    assert_eq!(config.bound().get(), 67);
}

#[test]
fn the_least_and_the_most_are_allowed_and_one_more_is_not() {
    assert_eq!((Config::MAX_WORKERS, Config::MAX_QUEUE), (1024, 1_048_576));
    assert_eq!(Config::new(1, 0).unwrap().bound().get(), 1);
    assert_eq!(Config::new(1024, 1_048_576).unwrap().bound().get(), 1_049_600);
    for (workers, queue, line) in [
        (0, 0, "workers is 0, allowed is 1 to 1024"),
        (1025, 0, "workers is 1025, allowed is 1 to 1024"),
        (1, 1_048_577, "queue is 1048577, allowed is 0 to 1048576"),
    ] {
        let error = Config::new(workers, queue).unwrap_err();
        assert_eq!(error.to_string(), line);
    }
}

#[test]
fn tasks_may_be_more_than_threads() {
    assert_eq!(Config::MAX_TASKS, 1_048_576);
    let most = Config::tasks(1_048_576, 1_048_576).unwrap();
    assert_eq!(most.bound().get(), 2_097_152);
    let error = Config::tasks(1_048_577, 0).unwrap_err();
    let line = "workers is 1048577, allowed is 1 to 1048576";
    assert_eq!(error.to_string(), line);
    let tasks = Builder::<Config>::of_tasks(|config, _| Ok(config))
        .workers(1025)
        .build();
    assert_eq!(tasks.unwrap().workers().get(), 1025);
}

#[test]
fn the_default_is_a_worker_for_each_processor() {
    let config = Config::default();
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    assert_eq!(config.workers().get(), processors.min(Config::MAX_WORKERS));
    assert_eq!(config.queue(), Config::DEFAULT_QUEUE);
    assert_eq!(sizes().build().unwrap(), config);
}

#[test]
fn a_builder_keeps_each_size_that_it_was_told() {
    let of = |config: Config| (config.workers().get(), config.queue());
    assert_eq!(of(sizes().workers(3).queue(5).build().unwrap()), (3, 5));
    // In any order, and the last word counts.
    let last = sizes().queue(7).workers(9).queue(2).build();
    assert_eq!(of(last.unwrap()), (9, 2));
}

#[test]
fn a_builder_checks_before_it_makes_anything() {
    let never = Builder::<()>::new(|_| panic!("made a pool"));
    let error = never.workers(0).build().unwrap_err();
    let BuildError::Config(ConfigError { field, value, least, most, .. }) =
        error
    else {
        panic!("{error}");
    };
    assert_eq!((field, value, least, most), ("workers", 0, 1, 1024));
}

#[test]
fn a_pool_that_starts_no_threads_by_options_says_so_when_they_are_set() {
    for (builder, setting) in [
        (sizes().thread_name("mine"), "thread_name"),
        (sizes().stack_size(1 << 20), "stack_size"),
        (sizes().on_start(|_| ()), "on_start"),
        (sizes().on_stop(|_| ()), "on_stop"),
    ] {
        let error = builder.build().unwrap_err().to_string();
        let line = format!(
            "{setting} is set, not allowed for a pool that does not start \
             its threads by it"
        );
        assert_eq!(error, line);
    }
}
