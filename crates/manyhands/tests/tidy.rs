//! The rules of the repository, as tests. Each failure says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[cfg(feature = "all")]
use manyhands::{AsyncJob, Job, variants};
use serde_json::Value;

/// The pattern crates, by the name of their feature, folder and page.
const PATTERNS: [&str; 7] = [
    "channel",
    "waitgroup",
    "dispatcher",
    "semaphore",
    "errgroup",
    "rayon",
    "tokio",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every member's direct dependencies: name, and kind (`normal`, `dev`).
fn dependencies() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .map(|dependency| {
                    let kind = dependency["kind"].as_str().unwrap_or("normal");
                    (text(&dependency["name"]), kind.to_owned())
                })
                .collect();
            (text(&package["name"]), dependencies)
        })
        .collect()
}

fn normal<'a>(
    all: &'a BTreeMap<String, BTreeSet<(String, String)>>,
    member: &str,
) -> BTreeSet<&'a str> {
    all[member]
        .iter()
        .filter(|(_, kind)| kind == "normal")
        .map(|(name, _)| name.as_str())
        .collect()
}

#[test]
fn core_depends_on_nothing() {
    let all = dependencies();
    let core = normal(&all, "manyhands-core");
    assert!(
        core.is_empty(),
        "manyhands-core depends on {core:?}: whoever writes a pool or a job \
         takes that with it. Move what needs it to a crate of its own."
    );
}

#[test]
fn a_crate_knows_only_the_members_that_the_direction_allows() {
    let all = dependencies();
    let of_core = ["manyhands-core"];
    let mut allowed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut allow = |member: &str, may: &[&str]| {
        allowed.insert(
            member.to_owned(),
            may.iter().copied().map(String::from).collect(),
        );
    };
    allow("manyhands-core", &[]);
    let patterns = PATTERNS.map(|name| format!("manyhands-{name}"));
    for pattern in &patterns {
        allow(pattern, &of_core);
    }
    allow("manyhands-conformance", &of_core);
    allow("manyhands-workloads", &of_core);
    let facade: Vec<&str> =
        patterns.iter().map(String::as_str).chain(of_core).collect();
    allow("manyhands", &facade);
    allow(
        "manyhands-cli",
        &["manyhands", "manyhands-conformance", "manyhands-workloads"],
    );
    allow("manyhands-benches", &["manyhands", "manyhands-workloads"]);

    for member in all.keys() {
        let may = allowed.get(member).unwrap_or_else(|| {
            panic!(
                "{member} is new: say here which members it may know, and \
                 draw it in docs/ARCHITECTURE.md"
            )
        });
        for known in normal(&all, member) {
            assert!(
                !known.starts_with("manyhands")
                    || may.iter().any(|name| name == known),
                "{member} depends on {known}, against the direction core <- \
                 patterns <- facade <- program. Put what both need into \
                 manyhands-core, or into a crate of its own."
            );
        }
    }
}

#[test]
fn a_library_is_named_by_the_crates_that_are_about_it() {
    let all = dependencies();
    let owners = [
        ("rayon", vec!["manyhands-rayon"]),
        // The jobs' async face sleeps and reads files.
        ("tokio", vec!["manyhands-tokio", "manyhands-workloads"]),
        ("async-channel", vec!["manyhands-tokio"]),
        ("criterion", vec!["manyhands-benches"]),
        ("clap", vec!["manyhands-cli"]),
    ];
    for (library, owners) in owners {
        for member in all.keys() {
            assert!(
                owners.contains(&member.as_str())
                    || !normal(&all, member).contains(library),
                "{member} depends on {library}, which is for {owners:?}. If \
                 that is meant, say why in docs/DESIGN.md and name it here."
            );
        }
    }
}

#[test]
fn every_member_inherits_and_forbids_unsafe_code() {
    for member in dependencies().keys() {
        let folder = match member.as_str() {
            "manyhands-benches" => PathBuf::from("benches"),
            member => Path::new("crates").join(member),
        };
        let manifest = read(folder.join("Cargo.toml"));
        for line in [
            "[lints]\nworkspace = true",
            "version.workspace = true",
            "edition.workspace = true",
            "license.workspace = true",
        ] {
            assert!(
                manifest.contains(line),
                "{member}: its Cargo.toml wants `{line}`"
            );
        }
        let entry = ["src/lib.rs", "src/main.rs", "main.rs"]
            .into_iter()
            .map(|file| folder.join(file))
            .find(|file| root().join(file).exists())
            .unwrap();
        assert!(
            read(&entry).contains("#![forbid(unsafe_code)]"),
            "{}: wants `#![forbid(unsafe_code)]`",
            entry.display()
        );
    }
}

#[test]
fn every_pattern_is_whole() {
    let readme = read("README.md");
    let architecture = read("docs/ARCHITECTURE.md");
    let changelog = read("CHANGELOG.md");
    for name in PATTERNS {
        let folder = PathBuf::from(format!("crates/manyhands-{name}"));
        for file in
            ["src/lib.rs", "src/adapter.rs", "tests/laws.rs", "README.md"]
        {
            assert!(
                root().join(&folder).join(file).exists(),
                "{name}: {file} is missing. CONTRIBUTING.md has the list of \
                 what a pattern needs."
            );
        }
        let laws = read(folder.join("tests/laws.rs"));
        assert!(
            laws.contains("check_all") && laws.contains("assert_passed"),
            "{name}: tests/laws.rs must hold the pool to all laws"
        );
        let examples = fs::read_dir(root().join(&folder).join("examples"));
        assert!(
            examples.is_ok_and(|files| files.count() > 0),
            "{name}: wants the tutorial's program in examples/"
        );
        let page = format!("docs/patterns/{name}.md");
        assert!(root().join(&page).exists(), "{name}: wants {page}");
        assert!(
            readme.contains(&format!("(crates/manyhands-{name})")),
            "{name}: wants a row in the README's table of crates"
        );
        assert!(
            readme.contains(&format!("({page})")),
            "{name}: wants a link to {page} in the README"
        );
        assert!(
            architecture.contains(&format!("manyhands-{name}")),
            "{name}: wants a line in docs/ARCHITECTURE.md"
        );
        assert!(
            changelog.contains(&format!("**{name}**")),
            "{name}: wants an entry in CHANGELOG.md"
        );
    }
}

#[cfg(feature = "all")]
struct Nothing;

#[cfg(feature = "all")]
impl Job for Nothing {
    type Output = Result<(), ()>;

    fn run(self) -> Self::Output {
        Ok(())
    }
}

#[cfg(feature = "all")]
impl AsyncJob for Nothing {
    async fn run_async(self) -> Self::Output {
        Ok(())
    }
}

#[test]
#[cfg(feature = "all")]
fn the_list_has_every_pattern_once() {
    let names: Vec<_> =
        variants::<Nothing, _, _>().into_iter().map(|v| v.name).collect();
    let unique: BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "a name twice in {names:?}");
    for pattern in PATTERNS {
        assert!(
            names.contains(&pattern),
            "{pattern} is not in variants() of crates/manyhands/src/list.rs"
        );
    }
}

#[test]
fn documents_link_to_files_that_exist() {
    let mut pages: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md"].map(PathBuf::from).into();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                pages.push(path);
            }
        }
    }
    for page in pages {
        let text = read(&page);
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let folder = page.parent().unwrap();
            assert!(
                root().join(folder).join(target).exists(),
                "{}: the link to {target} leads nowhere",
                page.display()
            );
        }
    }
}
