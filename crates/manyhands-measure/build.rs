//! Which compiler, and which revision of the sources: what a record says
//! about the program that made it. Asks nothing of a network, and where there
//! is no git, or no repository, the revision is just not known.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Where this crate lies in its repository. In any other repository its
/// revision would be somebody else's.
const HERE: &str = "crates/manyhands-measure/";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = said_by(&rustc, &["--version"]);
    let version = version.unwrap_or_else(|| "rustc unknown".to_owned());
    println!("cargo:rustc-env=MANYHANDS_RUSTC={version}");
    if let Some(revision) = packaged().or_else(checked_out) {
        println!("cargo:rustc-env=MANYHANDS_REVISION={revision}");
    }
}

/// As a package has it, whose sources nobody changes.
fn packaged() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let name = rest.split('"').nth(1)?;
    Some(name.get(..12)?.to_owned())
}

/// As git has it. Looked at anew when a source of the workspace changes, for
/// then it is another program.
fn checked_out() -> Option<String> {
    if said_by("git", &["rev-parse", "--show-prefix"])? != HERE {
        return None;
    }
    let git = |arguments: &[&str]| {
        said_by("git", &[&["-C", "../.."], arguments].concat())
    };
    let head = git(&["rev-parse", "--short=12", "HEAD"])?;
    // The second changes with each commit.
    for file in ["HEAD", "logs/HEAD"] {
        look_again_after(&git(&["rev-parse", "--git-path", file])?);
    }
    let sources = ["*.rs", "*.toml", "Cargo.lock"];
    let listed = git(&[&["ls-files", "--"][..], &sources].concat())?;
    listed.lines().for_each(look_again_after);
    let changed = [&["status", "--porcelain", "--"][..], &sources].concat();
    let changed = !git(&changed)?.is_empty();
    Some(head + if changed { "+changes" } else { "" })
}

/// Of a file by its path from the root of the repository. One that is gone
/// would have everything built anew each time.
fn look_again_after(path: &str) {
    let path = Path::new("../..").join(path);
    if path.exists() {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}

/// What a program prints, if it is there and content.
fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim_end().to_owned())
}
