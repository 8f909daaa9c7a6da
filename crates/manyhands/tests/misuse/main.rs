//! What must not compile does not, for the reason that is said.
//!
//! A program here is built twice: as it is, which must do, and with the
//! feature `misuse`, which changes a line or two, and must fail with the error
//! code that its first line names, and no other. Those in `each_pool` are
//! built with every pool. The examples in the docs that say
//! `compile_fail,E0…` are held to their code too: rustdoc itself looks at the
//! code on a nightly toolchain alone.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// How the programs in `each_pool` name a pool, and make a job of an
/// expression.
const POOLS: [(&str, &str, &str); 9] = [
    ("channel", "channel::ChannelPool", CLOSURE),
    ("waitgroup", "waitgroup::WaitGroupPool", CLOSURE),
    ("dispatcher", "dispatcher::DispatcherPool", CLOSURE),
    ("semaphore", "semaphore::SemaphorePool", CLOSURE),
    ("errgroup", "errgroup::ErrGroupPool", "move || Ok::<_, ()>($answer)"),
    ("batch", "batch::BatchPool", CLOSURE),
    ("rayon", "rayon::RayonPool", CLOSURE),
    ("tokio", "tokio::TaskPool", ASYNC),
    ("tokio_tasks", "tokio::JoinSetPool", ASYNC),
];

const CLOSURE: &str = "move || $answer";
const ASYNC: &str = "manyhands::tokio::Async(async move || $answer)";

/// The codes of a program's errors, by the program's name. Where none of its
/// errors has a code, their messages.
type Codes = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file in a folder and those within it.
fn files(folder: &Path) -> Vec<PathBuf> {
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
struct Package {
    folder: PathBuf,
    programs: BTreeSet<String>,
}

impl Package {
    /// Depends on the facade, on core and on the patterns.
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(folder.join("src/bin")).unwrap();
        let crates = root().join("crates").canonicalize().unwrap();
        let facade = fs::read_to_string(crates.join("manyhands/Cargo.toml"));
        let facade = facade.unwrap();
        let patterns = facade
            .lines()
            .filter_map(|line| line.split_once(" = [\"dep:"))
            .map(|(_, name)| name.trim_end_matches("\"]"));
        let mut manifest = format!(
            "[package]\nname = {name:?}\nedition = \"2024\"\n\
             [workspace]\n[features]\nmisuse = []\n[dependencies]\n\
             crossbeam-utils = \"0.8\"\n\
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

    fn add(&mut self, name: &str, program: &str) {
        let path = self.folder.join("src/bin").join(format!("{name}.rs"));
        fs::write(path, program).unwrap();
        assert!(
            self.programs.insert(name.to_owned()),
            "{name} is there twice"
        );
    }

    /// Builds all programs as far as they can be.
    fn check(&self, features: &[&str]) -> Codes {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check");
        let output = Command::new(cargo)
            .args(["check", "--bins", "--keep-going", "--offline"])
            .arg("--message-format=json")
            .args(features)
            .arg("--target-dir")
            .arg(target)
            .current_dir(&self.folder)
            .output()
            .expect("cargo runs");
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

/// Fails with a line for each program whose errors are not those it should
/// have.
fn assert_same(found: &Codes, expected: &Codes, package: &Package) {
    let differ: Vec<String> = package
        .programs
        .iter()
        .map(|program| (program, found.get(program), expected.get(program)))
        .filter(|(_, found, expected)| found != expected)
        .map(|(program, found, expected)| {
            format!("{program}.rs: {found:?}, expected is {expected:?}")
        })
        .collect();
    let folder = package.folder.join("src/bin");
    let folder = folder.display();
    assert!(differ.is_empty(), "in {folder}:\n{}", differ.join("\n"));
}

/// The error that a program's first line names, as `// E0277: why`.
fn named(path: &Path, program: &str) -> String {
    let first = program.lines().next().unwrap_or_default();
    let named = first.strip_prefix("// ").and_then(|it| it.split_once(": "));
    let (code, _) = named.unwrap_or_else(|| {
        panic!("{}: begins with `// E0000: why`", path.display())
    });
    code.to_owned()
}

#[test]
fn misuse_does_not_compile_for_the_reason_that_is_said() {
    let mut package = Package::new("misuse");
    let mut expected = Codes::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/misuse");
    for path in files(&folder.join("own")) {
        let program = fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        package.add(name, &program);
        expected.insert(name.into(), [named(&path, &program)].into());
    }
    for path in files(&folder.join("each_pool")) {
        let program = fs::read_to_string(&path).unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        for (pool, path_of_pool, job) in POOLS {
            let name = format!("{stem}-{pool}");
            let with = format!(
                "use manyhands::{path_of_pool} as Pool;\n\
                 macro_rules! job {{ ($answer:expr) => {{ {job} }}; }}\n\
                 {program}"
            );
            package.add(&name, &with);
            expected.insert(name, [named(&path, &program)].into());
        }
    }
    assert!(expected.len() > 40, "{expected:?}");

    assert_same(&package.check(&[]), &Codes::new(), &package);
    let found = package.check(&["--features=misuse"]);
    assert_same(&found, &expected, &package);
}

#[test]
fn the_examples_that_do_not_compile_fail_with_their_code() {
    const FENCE: &str = "```compile_fail,";
    let mut package = Package::new("misused-in-docs");
    let mut expected = Codes::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let sources = entry.unwrap().path().join("src");
        if !sources.is_dir() {
            continue;
        }
        for path in files(&sources) {
            let text = fs::read_to_string(&path).unwrap();
            let docs: Vec<&str> = text
                .lines()
                .map(str::trim_start)
                .map(|it| it.strip_prefix("///").unwrap_or(it))
                .map(|it| it.strip_prefix("//!").unwrap_or(it))
                .map(|it| it.strip_prefix(' ').unwrap_or(it))
                .collect();
            for (number, line) in docs.iter().enumerate() {
                let Some(code) = line.strip_prefix(FENCE) else { continue };
                let example: Vec<&str> = docs[number + 1..]
                    .iter()
                    .take_while(|line| !line.starts_with("```"))
                    .map(|line| line.strip_prefix("# ").unwrap_or(line))
                    .collect();
                let example = example.join("\n");
                let name = format!("example-{}", expected.len());
                let place = format!("{}:{}", path.display(), number + 1);
                let program =
                    format!("// {place}\nfn main() {{\n{example}\n}}\n");
                package.add(&name, &program);
                expected.insert(name, [code.to_owned()].into());
            }
        }
    }
    assert!(!expected.is_empty(), "no example says {FENCE}");
    // The first line of each says which example it is.
    assert_same(&package.check(&[]), &expected, &package);
}
