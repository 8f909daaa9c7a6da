//! What somebody gets who depends on one of the crates: its package, the page
//! that shows it, and what it brings.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

use crate::{PATTERNS, read, root};

/// Set, the trees in the READMEs are written instead of compared.
const BLESS: &str = "MANYHANDS_BLESS";

/// How many crates a pattern may bring, itself and core among them.
const MOST_CRATES: [(&str, usize); 8] = [
    ("channel", 4),
    ("waitgroup", 4),
    ("dispatcher", 2),
    ("semaphore", 2),
    ("errgroup", 4),
    ("batch", 2),
    ("rayon", 8),
    // The one that is not of threads.
    ("tokio", 12),
];

/// A tree with more crates than this is shown by its first level alone.
const MOST_SHOWN: usize = 12;

/// What cargo prints, in the root of the repository.
fn cargo(arguments: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Those of the members that are published, as cargo knows them.
fn published() -> Vec<Value> {
    let metadata = ["metadata", "--format-version", "1", "--no-deps"];
    let mut metadata: Value = serde_json::from_str(&cargo(&metadata)).unwrap();
    let Value::Array(mut packages) = metadata["packages"].take() else {
        panic!("cargo metadata has no packages");
    };
    packages.retain(|package| package["publish"].is_null());
    assert!(packages.len() > PATTERNS.len(), "{}", packages.len());
    packages
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

fn folder(package: &Value) -> PathBuf {
    let manifest = package["manifest_path"].as_str().unwrap();
    PathBuf::from(manifest).parent().unwrap().to_owned()
}

/// Every crate that is built with one whose features are the default ones,
/// one a line, below what needs it: on Linux, where the figures are from, and
/// without versions, which change from day to day.
fn tree(package: &str, style: &[&str]) -> Vec<String> {
    let arguments = [
        "tree",
        "--quiet",
        "--locked",
        "--edges=normal",
        "--charset=utf8",
        "--target=x86_64-unknown-linux-gnu",
        "--package",
        package,
    ];
    cargo(&[&arguments, style].concat())
        .lines()
        .map(|line| line.split(" v").next().unwrap().to_owned())
        .collect()
}

/// How many crates that are, the package itself among them.
fn crates(package: &str) -> usize {
    let all: BTreeSet<_> =
        tree(package, &["--prefix=none"]).into_iter().collect();
    all.len()
}

#[test]
fn every_package_says_what_its_page_shows() {
    for package in published() {
        let name = name(&package);
        for field in ["description", "license", "readme", "rust_version"] {
            let value = package[field].as_str().unwrap_or_default();
            assert!(!value.is_empty(), "{name}: Cargo.toml wants `{field}`");
        }
        // As many as a registry takes.
        for (field, most) in [("keywords", 5), ("categories", 5)] {
            let count = package[field].as_array().unwrap().len();
            assert!(
                (1..=most).contains(&count),
                "{name}: Cargo.toml wants one to {most} `{field}`"
            );
        }
        assert_eq!(
            package["metadata"]["docs"]["rs"]["all-features"], true,
            "{name}: Cargo.toml wants `[package.metadata.docs.rs]` with \
             `all-features = true`, or its pages lack what features bring"
        );
        let manifest = fs::read_to_string(folder(&package).join("Cargo.toml"));
        assert!(
            manifest.unwrap().lines().any(|line| {
                line == "include.workspace = true"
                    || line.starts_with("include = [\"/src\"")
            }),
            "{name}: Cargo.toml wants `include.workspace = true`, so that \
             its package has the sources and no tests"
        );
    }
}

#[test]
fn every_readme_says_when_to_use_the_crate_and_what_it_costs() {
    for package in published() {
        let name = name(&package);
        let readme = format!("crates/{name}/README.md");
        let text = read(&readme);
        assert!(
            text.starts_with(&format!("# {name}\n\n")),
            "{readme}: begins with `# {name}`, and what it is"
        );
        for part in ["When to use it", "When not", "Cost", "What it brings"] {
            assert!(
                text.contains(&format!("\n**{part}**")),
                "{readme}: wants a paragraph **{part}**"
            );
        }
        // Those with an example are tests; a program has none.
        let documentation = read("crates/manyhands/src/lib.rs");
        let library = fs::read_to_string(folder(&package).join("src/lib.rs"));
        assert!(
            !text.contains("\n```rust")
                || documentation.contains(&format!("\"{readme}\""))
                || library.unwrap().contains("include_str!(\"../README.md\")"),
            "{readme}: wants to be in `documentation` of \
             crates/manyhands/src/lib.rs, so that its example is a test"
        );
        assert!(
            text.contains("\n```rust") || name == "manyhands-cli",
            "{readme}: wants a short example"
        );
    }
}

#[test]
fn every_member_is_asked_for_in_its_own_version() {
    let manifest = read("Cargo.toml");
    let mut packages = published();
    // The program, which no member needs.
    packages.retain(|package| name(package) != "manyhands-cli");
    for package in packages {
        let (name, version) = (name(&package), &package["version"]);
        let asked = format!(
            "\n{name} = {{ path = \"crates/{name}\", version = {version} }}"
        );
        assert!(
            manifest.contains(&asked),
            "Cargo.toml: [workspace.dependencies] wants{asked}"
        );
    }
}

#[test]
fn the_changelog_begins_with_this_version_and_knows_every_crate() {
    let changelog = read("CHANGELOG.md");
    let newest = changelog
        .lines()
        .find_map(|line| line.strip_prefix("## "))
        .unwrap_or_default();
    for package in published() {
        let version = package["version"].as_str().unwrap();
        assert!(
            newest.starts_with(version) || newest.starts_with("Next"),
            "CHANGELOG.md: begins with {newest}, wants {version}, or Next"
        );
        let name = name(&package);
        let entry = format!("**{}**", name.trim_start_matches("manyhands-"));
        assert!(changelog.contains(&entry), "CHANGELOG.md: wants {entry}");
    }
}

#[test]
fn every_library_lists_what_it_promises() {
    for package in published() {
        let name = name(&package);
        // The program's library is for its fuzzers, and promises nothing.
        assert!(
            name == "manyhands-cli"
                || folder(&package).join("api.txt").exists(),
            "{name}: wants an api.txt, which `.ci/api --bless` writes"
        );
    }
}

#[test]
fn a_pattern_brings_few_crates() {
    let listed: BTreeSet<_> = MOST_CRATES.iter().map(|(it, _)| *it).collect();
    assert_eq!(
        listed,
        PATTERNS.into(),
        "MOST_CRATES of this test on the left, PATTERNS on the right"
    );
    for (pattern, most) in MOST_CRATES {
        let package = format!("manyhands-{pattern}");
        let count = crates(&package);
        assert!(
            count <= most,
            "{package} brings {count} crates, {most} are said: {:#?}",
            tree(&package, &[])
        );
    }
}

#[test]
fn every_readme_shows_the_crates_that_it_brings() {
    const BEGIN: &str = "<!-- BEGIN crates -->\n";
    const END: &str = "<!-- END crates -->\n";
    for package in published() {
        let name = name(&package);
        let count = crates(name);
        let depth: &[&str] =
            if count > MOST_SHOWN { &["--depth=1"] } else { &[] };
        let counted = match count {
            1 => "One crate, and the standard library.".to_owned(),
            _ => format!("{count} crates in all, itself among them."),
        };
        let shown = tree(name, depth).join("\n");
        let block = format!("```text\n{shown}\n```\n\n{counted}\n");

        let path = folder(&package).join("README.md");
        let text = fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap_or_else(|| {
            panic!("{name}: its README wants the line {BEGIN}")
        });
        let (found, after) = rest.split_once(END).unwrap_or_else(|| {
            panic!("{name}: its README wants the line {END}")
        });
        if found == block {
            continue;
        }
        assert!(
            env::var_os(BLESS).is_some(),
            "{name}: its README shows other crates than it brings:\n{block}\n\
             `{BLESS}=1 cargo tidy` writes them there"
        );
        let text = [before, BEGIN, &block, END, after].concat();
        fs::write(&path, text).unwrap();
    }
}
