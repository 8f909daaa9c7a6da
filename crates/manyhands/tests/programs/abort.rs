//! Where a panic ends the process, the pools work until there is one.

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;
use std::process::Command;
use std::str;

use crate::package::Package;

/// Runs one job on every variant, or the one job that panics on one of them.
const PROGRAM: &str = r#"
use manyhands::{AsyncJob, Config, Job, WorkerPool, variants};

struct Half(u32);

impl Job for Half {
    type Output = Result<u32, ()>;
    fn run(self) -> Self::Output {
        assert!(self.0 % 2 == 0, "half a hand");
        Ok(self.0 / 2)
    }
}

impl AsyncJob for Half {
    async fn run_async(self) -> Self::Output {
        self.run()
    }
}

fn main() {
    let only = std::env::args().nth(1);
    for variant in variants::<Half, _, _>() {
        let pool = variant.make(Config::new(2, 8).unwrap()).unwrap();
        match &only {
            None => {
                let _ = pool.submit(Half(84));
                let answer = pool.recv().and_then(|it| it.done());
                assert_eq!(answer, Some(Ok(42)), "{}", variant.name);
                println!("{}", variant.name);
            }
            Some(name) if name == variant.name => {
                let _ = pool.submit(Half(1));
                let _ = pool.recv();
                println!("{name} goes on");
            }
            Some(_) => {}
        }
    }
}
"#;

/// The program, built such that a panic aborts.
fn built() -> PathBuf {
    let mut package = Package::new("aborts");
    package.add("half", PROGRAM);
    let profile = ["--config", "profile.dev.panic=\"abort\""];
    let build = ["build", "--bins", "--message-format=json"];
    let output = package.cargo(&[&build[..], &profile].concat());
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let place = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find_map(|it: serde_json::Value| {
            it["executable"].as_str().map(PathBuf::from)
        })
        .expect("cargo says where the program is");
    assert!(place.ends_with(format!("half{EXE_SUFFIX}")), "{place:?}");
    place
}

#[test]
fn where_panics_abort_pools_work_and_the_first_panic_ends_the_process() {
    let program = built();
    let fine = Command::new(&program).output().unwrap();
    assert!(fine.status.success(), "{fine:?}");
    let variants = str::from_utf8(&fine.stdout).unwrap();
    assert!(variants.lines().count() > 8, "{variants}");
    for variant in variants.lines() {
        let mut panics = Command::new(&program);
        let panics = panics.arg(variant).output().unwrap();
        // Nothing goes on, and the hook has said what it was.
        assert_eq!(str::from_utf8(&panics.stdout), Ok(""), "{panics:?}");
        let said = String::from_utf8_lossy(&panics.stderr);
        assert!(said.contains("half a hand"), "{variant}: {said}");
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt;
            const SIGABRT: i32 = 6;
            assert_eq!(panics.status.signal(), Some(SIGABRT), "{variant}");
        }
        assert!(!panics.status.success(), "{variant}");
    }
}
