//! Scenes that are played in a process of their own.

use std::any::type_name;
use std::env;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::kit::{Variant, variants};

/// In a child: the variant whose scene it plays.
const SCENE: &str = "MANYHANDS_TEST_SCENE";

/// In a child: where it may write.
const FOLDER: &str = "MANYHANDS_TEST_FOLDER";

/// How a child ended, and what it said on both outputs.
#[derive(Debug)]
pub(crate) struct End {
    status: ExitStatus,
    pub(crate) said: String,
    /// What it could write to; see [`folder`].
    pub(crate) folder: TempDir,
}

impl End {
    /// Its exit code; `None` if a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

/// Plays a scene for every variant, each in a child of its own, which must
/// come to its end in time and without a failure.
pub(crate) fn alone<F: Fn(&Variant)>(patience: Duration, scene: F) {
    ending(patience, scene, |end| assert_eq!(end.code(), Some(0)));
}

/// Plays a scene for every variant, each in a child of its own, and checks
/// how that ended.
///
/// The child is this program, run for the one test that calls this: it comes
/// here too, plays the scene, and returns. So `scene` must be a closure in
/// the body of that test, which is how its name is known.
pub(crate) fn ending<F: Fn(&Variant)>(
    patience: Duration,
    scene: F,
    check: fn(&End),
) {
    let test = type_name::<F>();
    let (_crate, test) = test.split_once("::").unwrap();
    let test = test.strip_suffix("::{{closure}}").unwrap();
    let this = env::var(SCENE).ok();
    for variant in variants() {
        let name = variant.name;
        let says = format!("the scene of {name}");
        match &this {
            Some(this) if this == name => {
                println!("{says}");
                scene(&variant);
            }
            Some(_) => {}
            None => {
                let end = play(test, name, patience);
                println!("-- {name}: {}\n{}", end.status, end.said);
                assert!(end.said.contains(&says), "{test} was not found");
                check(&end);
            }
        }
    }
}

fn play(test: &str, variant: &str, patience: Duration) -> End {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env(SCENE, variant)
        .env(FOLDER, folder.path())
        // Stacks are of the usual size.
        .env_remove("RUST_MIN_STACK")
        // What one thread gives back, the next can take: otherwise memory
        // depends on which threads met.
        .env("MALLOC_ARENA_MAX", "1")
        // Nor do the stacks of threads that have ended stay, for others.
        .env("GLIBC_TUNABLES", "glibc.pthread.stack_cache_size=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let outputs = [listen(child.stdout.take()), listen(child.stderr.take())];
    let status = wait(&mut child, patience);
    let said = outputs.map(|output| output.join().unwrap()).concat();
    match status {
        Some(status) => End { status, said, folder },
        None => panic!(
            "{test}: {variant} was still at it after {patience:?}:\n{said}"
        ),
    }
}

/// Waits for the child, and ends it when its time is up.
fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let since = Instant::now();
    while since.elapsed() < patience {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn listen(output: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    let mut output = output.unwrap();
    thread::spawn(move || {
        let mut said = Vec::new();
        output.read_to_end(&mut said).unwrap();
        String::from_utf8_lossy(&said).into_owned()
    })
}

/// In a child: where its scene may write.
pub(crate) fn folder() -> PathBuf {
    env::var_os(FOLDER).unwrap().into()
}
