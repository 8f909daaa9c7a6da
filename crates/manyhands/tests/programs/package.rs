//! A package of programs that depend on the pools, made for a test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use serde_json::Value;

/// The codes of a program's errors, by the program's name. Where none of its
/// errors has a code, their messages.
pub(crate) type Codes = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file in a folder and those within it.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

/// A package whose programs are built, not run.
pub(crate) struct Package {
    pub(crate) folder: PathBuf,
    pub(crate) programs: BTreeSet<String>,
}

impl Package {
    /// Depends on the facade, on core and on the patterns.
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(folder.join("src/bin")).unwrap();
        let crates = root().join("crates").canonicalize().unwrap();
        let facade = fs::read_to_string(crates.join("manyhands/Cargo.toml"));
        let facade = facade.unwrap();
        let patterns = facade
            .lines()
            .filter_map(|line| line.split_once("[\"dep:"))
            .map(|(_, name)| name.trim_end_matches("\"]"))
            .filter(|name| name.starts_with("manyhands-"));
        let mut manifest = format!(
            "[package]\nname = {name:?}\nedition = \"2024\"\n\
             [workspace]\n[features]\nmisuse = []\n[dependencies]\n\
             crossbeam-channel = \"0.5\"\ncrossbeam-utils = \"0.8\"\n\
             manyhands = {{ path = {:?}, features = [\"all\"] }}\n",
            crates.join("manyhands")
        );
        for name in patterns.chain(["manyhands-core"]) {
            let path = crates.join(name);
            manifest += &format!("{name} = {{ path = {path:?} }}\n");
        }
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))
            .unwrap();
        Self { folder, programs: BTreeSet::new() }
    }

    pub(crate) fn add(&mut self, name: &str, program: &str) {
        let path = self.folder.join("src/bin").join(format!("{name}.rs"));
        fs::write(path, program).unwrap();
        assert!(
            self.programs.insert(name.to_owned()),
            "{name} is there twice"
        );
    }

    /// Cargo, in the package, with the dependencies that are there already.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Output {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
        Command::new(cargo)
            .args(arguments)
            .args(["--offline", "--target-dir"])
            .arg(target)
            .current_dir(&self.folder)
            .output()
            .expect("cargo runs")
    }

    /// Builds all programs as far as they can be.
    pub(crate) fn check(&self, features: &[&str]) -> Codes {
        let json = "--message-format=json";
        let check = ["check", "--bins", "--keep-going", json];
        let output = self.cargo(&[&check, features].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = String::from_utf8(output.stdout).unwrap();
        let mut codes = Codes::new();
        let mut is_finished = false;
        for line in lines.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            is_finished |= line["reason"] == "build-finished";
            let message = &line["message"];
            // One without a place counts the others.
            if message["level"] != "error"
                || message["spans"].as_array().is_none_or(Vec::is_empty)
            {
                continue;
            }
            let code = message["code"]["code"].as_str();
            let code = code.or(message["message"].as_str()).unwrap();
            let program = line["target"]["name"].as_str().unwrap();
            codes.entry(program.to_owned()).or_default().insert(code.into());
        }
        assert!(is_finished, "{said}");
        for codes in codes.values_mut() {
            let is_code = |it: &String| it.starts_with("E0");
            if codes.iter().any(is_code) {
                codes.retain(is_code);
            }
        }
        codes
    }
}
