//! What a pool does not start with.

use manyhands_core::{BuildError, Task};
use manyhands_rayon::{RayonPool, RayonThreads};

#[test]
fn no_threads_and_too_many_are_refused_before_any_is_started() {
    for number in [0, 1025, usize::MAX] {
        let error = RayonThreads::start(number).unwrap_err();
        assert!(matches!(error, BuildError::Config(_)));
        assert_eq!(
            error.to_string(),
            format!("workers is {number}, allowed is 1 to 1024")
        );
        let built = RayonPool::<Task<'_>>::builder().workers(number).build();
        assert!(matches!(built, Err(BuildError::Config(_))));
    }
}

/// The system is made to refuse threads in a process of its own, where
/// nothing else needs any.
#[cfg(target_os = "linux")]
mod refused {
    use std::env;
    use std::process::Command;

    use manyhands_core::BuildError;
    use manyhands_rayon::RayonThreads;

    const CHILD: &str = "MANYHANDS_TEST_CHILD";

    #[test]
    fn a_refused_thread_is_an_error_and_those_started_have_ended() {
        if env::var_os(CHILD).is_some() {
            return in_child();
        }
        let name = "start::refused::\
            a_refused_thread_is_an_error_and_those_started_have_ended";
        // Room for some stacks of a gigabyte, and not for a thousand.
        let limit = "ulimit -v 8000000; exec \"$0\" \"$@\"";
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
        match RayonThreads::start(1000) {
            Err(BuildError::Spawn(error)) => {
                assert!(error.raw_os_error().is_some(), "{error:?}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(threads(), before);
    }

    fn threads() -> usize {
        std::fs::read_dir("/proc/self/task").unwrap().count()
    }
}
