//! How long each pattern takes to build from nothing, with all that it needs,
//! as one who depends on it does: default features, cargo's own profiles, every
//! core.
//!
//! ```console
//! $ compile [--record FILE]
//! ```
//!
//! What is fetched has been fetched before; that takes no part in the time.
//! Exit code 2 if something cannot be built.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program, and this is its answer")]
#![allow(clippy::print_stderr, reason = "a program, and this is its talk")]

use std::collections::BTreeSet;
use std::env;
use std::process::{Command, ExitCode, Output};
use std::time::Instant;

use manyhands_measure::record::{NewFile, Rows};

/// Core, the patterns, what is around them, and the kit for a pool of one's
/// own.
const PACKAGES: [&str; 12] = [
    "manyhands-core",
    "manyhands-channel",
    "manyhands-waitgroup",
    "manyhands-dispatcher",
    "manyhands-semaphore",
    "manyhands-errgroup",
    "manyhands-batch",
    "manyhands-rayon",
    "manyhands-tokio",
    "manyhands-managed",
    "manyhands-jobs",
    "manyhands-conformance",
];

/// How often each is built: the least and the most time are told.
const BUILDS: usize = 3;

/// This workspace has profiles of its own, and whoever depends on a crate of
/// it has not: what cargo does unasked.
const PROFILES: [(&str, &str); 4] = [
    ("CARGO_INCREMENTAL", "0"),
    ("CARGO_PROFILE_DEV_DEBUG", "true"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let record = match arguments.as_slice() {
        [] => None,
        [option, file] if option == "--record" => Some(file.as_str()),
        _ => {
            eprintln!("usage: compile [--record FILE]");
            return ExitCode::from(2);
        }
    };
    match compile(record) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("compile: {why}");
            ExitCode::from(2)
        }
    }
}

/// A row a package.
fn compile(record: Option<&str>) -> Result<(), String> {
    let file = record.map(NewFile::at).transpose()?;
    let mut table =
        Rows::new("compile", "full", &["crates", "debug", "release"]);
    println!("{:<22} crates      debug    release", "from nothing");
    for package in PACKAGES {
        let count = crates(package)?;
        let debug = seconds(package, &[])?;
        let release = seconds(package, &["--release"])?;
        println!("{package:<22} {count:>6} {debug:>10} {release:>10}");
        let cells = vec![count.to_string(), debug, release];
        table.rows.push((package.to_owned(), cells));
    }
    if let Some(file) = file {
        file.write(&table.csv())?;
    }
    Ok(())
}

/// How many crates are built, the package itself among them.
fn crates(package: &str) -> Result<usize, String> {
    let output = cargo(&["tree", "--edges=normal", "--prefix=none"], package)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let names = text.lines().map(|line| line.split(" (").next());
    Ok(names.collect::<BTreeSet<_>>().len())
}

/// The least and the most that a build takes.
fn seconds(package: &str, profile: &[&str]) -> Result<String, String> {
    let mut all = Vec::new();
    for _ in 0..BUILDS {
        let target = tempfile::tempdir();
        let target = target.map_err(|why| format!("a folder: {why}"))?;
        let into = format!("--target-dir={}", target.path().display());
        let began = Instant::now();
        cargo(&[&["build", &into], profile].concat(), package)?;
        all.push(began.elapsed().as_secs_f64());
    }
    all.sort_by(f64::total_cmp);
    Ok(format!("{:.1}–{:.1} s", all[0], all[BUILDS - 1]))
}

fn cargo(arguments: &[&str], package: &str) -> Result<Output, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--quiet", "--locked", "--offline", "--package", package])
        .envs(PROFILES)
        .env_remove("RUSTFLAGS")
        .output()
        .map_err(|why| format!("cargo: {why}"))?;
    match output.status.success() {
        true => Ok(output),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
