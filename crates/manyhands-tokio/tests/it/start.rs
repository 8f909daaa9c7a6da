//! What a pool does not start with.

use manyhands_core::{BuildError, Task};
use manyhands_tokio::{JoinSetPool, TaskPool};

#[test]
fn sizes_outside_of_what_is_allowed_are_refused() {
    for (workers, queue, told) in [
        (0, 1, "workers is 0, allowed is 1 to 1048576"),
        (1_048_577, 1, "workers is 1048577, allowed is 1 to 1048576"),
        (1, 2_000_000, "queue is 2000000, allowed is 0 to 1048576"),
    ] {
        let builder = TaskPool::<Task<'_>>::builder();
        let built = builder.workers(workers).queue(queue).build();
        assert_eq!(built.unwrap_err().to_string(), told);
        let builder = JoinSetPool::<Task<'_>>::builder();
        let built = builder.workers(workers).queue(queue).build();
        let error = built.unwrap_err();
        assert!(matches!(error, BuildError::Config(_)));
        assert_eq!(error.to_string(), told);
    }
}

/// The system is made to refuse threads in a process of its own, where
/// nothing else needs any.
#[cfg(target_os = "linux")]
mod refused {
    use std::env;
    use std::process::Command;

    use manyhands_core::{BuildError, Config, Task};
    use manyhands_tokio::{JoinSetPool, TaskPool};

    const CHILD: &str = "MANYHANDS_TEST_CHILD";

    #[test]
    fn a_refused_thread_is_an_error_and_nothing_is_left() {
        if env::var_os(CHILD).is_some() {
            return in_child();
        }
        let name = "start::refused::\
            a_refused_thread_is_an_error_and_nothing_is_left";
        // Room for one stack of a gigabyte; a pool of two workers wants two,
        // on a machine with more than one core.
        let limit = "ulimit -v 1500000; exec \"$0\" \"$@\"";
        let output = Command::new("sh")
            .args(["-c", limit])
            .arg(env::current_exe().unwrap())
            .args(["--exact", name, "--test-threads=1", "--nocapture"])
            .env(CHILD, "1")
            .env("RUST_MIN_STACK", "1000000000")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        assert!(told.contains("1 passed"), "{output:?}");
    }

    fn in_child() {
        let before = threads();
        let config = Config::new(2, 0).unwrap();
        let cores = std::thread::available_parallelism().unwrap().get();
        if cores > 1 {
            for built in [
                TaskPool::<Task<'_>>::new(config).map(drop),
                JoinSetPool::<Task<'_>>::new(config).map(drop),
            ] {
                match built {
                    Err(BuildError::Spawn(error)) => {
                        assert!(error.raw_os_error().is_some(), "{error:?}");
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(threads(), before);
    }

    fn threads() -> usize {
        std::fs::read_dir("/proc/self/task").unwrap().count()
    }
}
