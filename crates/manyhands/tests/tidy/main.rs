//! The rules of the repository, as tests. Each failure says what to do.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

mod packages;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[cfg(feature = "all")]
use manyhands::{AsyncJob, Job, variants};
use serde_json::Value;

/// The pattern crates, by the name of their feature, folder and page.
const PATTERNS: [&str; 8] = [
    "channel",
    "waitgroup",
    "dispatcher",
    "semaphore",
    "errgroup",
    "batch",
    "rayon",
    "tokio",
];

/// The other folders of that form.
const NOT_PATTERNS: [&str; 13] = [
    "cli",
    "conformance",
    "core",
    "course",
    "durable",
    "jobs",
    "managed",
    "measure",
    "museum",
    "storm",
    "trace",
    "web",
    "workloads",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file and folder in a folder, by its path from the root.
fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let folder = folder.as_ref();
    let entries = fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| folder.join(entry.unwrap().file_name())).collect()
}

/// Every member's direct dependencies: name, and kind (`normal`, `build`,
/// `dev`).
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

/// What is built whenever the member is: all but its `dev` dependencies.
fn needed<'a>(
    all: &'a BTreeMap<String, BTreeSet<(String, String)>>,
    member: &str,
) -> BTreeSet<&'a str> {
    all[member]
        .iter()
        .filter(|(_, kind)| kind != "dev")
        .map(|(name, _)| name.as_str())
        .collect()
}

#[test]
fn core_depends_on_nothing() {
    let all = dependencies();
    let core = needed(&all, "manyhands-core");
    assert!(
        core.is_empty(),
        "manyhands-core depends on {core:?}: whoever writes a pool or a job \
         takes that with it. Move what needs it to a crate of its own."
    );
}

#[test]
fn a_crate_knows_only_the_members_that_the_direction_allows() {
    const CORE: &str = "manyhands-core";
    const KIT: &str = "manyhands-conformance";
    const JOBS: &str = "manyhands-workloads";
    const CLOCK: &str = "manyhands-measure";
    const DURABLE: &str = "manyhands-durable";
    const MANAGED: &str = "manyhands-managed";
    const MUSEUM: &str = "manyhands-museum";
    const TRACE: &str = "manyhands-trace";
    const WEB: &str = "manyhands-web";
    const WRAPPERS: &str = "manyhands-jobs";
    let all = dependencies();
    let patterns = PATTERNS.map(|name| format!("manyhands-{name}"));
    let mut facade = vec![CORE];
    facade.extend(patterns.iter().map(String::as_str));

    // What a member may need, and what its tests may know beside that.
    let mut allowed: BTreeMap<&str, (&[&str], &[&str])> = BTreeMap::new();
    allowed.insert(CORE, (&[], &[KIT]));
    for pattern in &patterns {
        allowed.insert(pattern, (&[CORE], &[KIT]));
    }
    allowed.insert(KIT, (&[CORE], &[]));
    // The example of a service has a job queue.
    allowed.insert(WEB, (&[CORE], &["manyhands-dispatcher", KIT]));
    allowed.insert(JOBS, (&[CORE, WEB], &[]));
    // Its tests are about every variant, and have all of its features.
    let managed: (&[_], &[_]) =
        (&[CORE], &[KIT, "manyhands", "manyhands-channel", MANAGED]);
    allowed.insert(MANAGED, managed);
    // Of the kit, the watchdog.
    allowed.insert(CLOCK, (&[], &[KIT]));
    allowed.insert(TRACE, (&[CORE], &["manyhands", KIT]));
    // Its tests have all features: it is a dependency of its own.
    allowed.insert(WRAPPERS, (&[CORE], &["manyhands", KIT, WRAPPERS]));
    // Its tests have all features, and pools to be sinks beside it.
    let durable: (&[_], &[_]) = (
        &[CORE],
        &["manyhands-channel", "manyhands-dispatcher", DURABLE, KIT],
    );
    allowed.insert(DURABLE, durable);
    allowed.insert("manyhands-storm", (&[DURABLE], &[]));
    allowed.insert("manyhands", (&facade, &[KIT, JOBS, MANAGED]));
    allowed.insert(MUSEUM, (&[], &[]));
    allowed.insert("manyhands-course", (&[MUSEUM, TRACE], &[]));
    let program = ["manyhands", CLOCK, DURABLE, KIT, JOBS, MUSEUM, TRACE];
    allowed.insert("manyhands-cli", (&program, &[]));
    let benches: (&[_], &[_]) =
        (&["manyhands", CLOCK, MANAGED], &[KIT, JOBS, TRACE]);
    allowed.insert("manyhands-benches", benches);

    for (member, dependencies) in &all {
        let (may_need, tests_may) =
            allowed.get(member.as_str()).unwrap_or_else(|| {
                panic!(
                    "{member} is new: say here which members it may know, \
                     and draw it in docs/ARCHITECTURE.md"
                )
            });
        for (known, kind) in dependencies {
            assert!(
                !known.starts_with("manyhands")
                    || may_need.contains(&known.as_str())
                    || kind == "dev" && tests_may.contains(&known.as_str()),
                "{member} has the {kind} dependency {known}, against the \
                 direction core <- patterns <- facade <- program. Put what \
                 both need into manyhands-core, or into a crate of its own."
            );
        }
    }
}

#[test]
fn a_library_is_named_by_the_crates_that_are_about_it() {
    let all = dependencies();
    // The benches have them as peers to compare with, under a feature; and
    // tokio for the async face of their own jobs.
    let benches = "manyhands-benches";
    let owners = [
        // One of the museum's bugs is of its making.
        ("rayon", vec!["manyhands-museum", "manyhands-rayon", benches]),
        // The jobs' async face sleeps and reads files, and has a time limit;
        // who waits for an answer of a pool is a task. And PostgreSQL is
        // spoken to from tasks, also where a database is made to measure in.
        (
            "tokio",
            vec![
                "manyhands-cli",
                "manyhands-durable",
                "manyhands-jobs",
                "manyhands-storm",
                "manyhands-tokio",
                "manyhands-web",
                "manyhands-workloads",
                benches,
            ],
        ),
        ("async-channel", vec!["manyhands-tokio", benches]),
        ("criterion", vec!["manyhands-benches"]),
        ("clap", vec!["manyhands-cli", "manyhands-storm"]),
        // Each behind one file; the storm looks past them, at what is stored.
        ("graphile_worker", vec!["manyhands-durable"]),
        ("honker-core", vec!["manyhands-durable"]),
        ("rusqlite", vec!["manyhands-durable", "manyhands-storm"]),
        (
            "tokio-postgres",
            vec!["manyhands-cli", "manyhands-durable", "manyhands-storm"],
        ),
    ];
    for (library, owners) in owners {
        for member in all.keys() {
            assert!(
                owners.contains(&member.as_str())
                    || !needed(&all, member).contains(library),
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
fn records_of_measurements_are_in_no_package() {
    let page = "benches/record/README.md";
    assert!(root().join(page).exists(), "{page}: says what the records are");
    let manifest = read("benches/Cargo.toml");
    assert!(
        manifest.contains("\npublish = false\n"),
        "benches/Cargo.toml: wants `publish = false`, since benches/record \
         is for this repository alone"
    );
}

#[test]
fn every_published_crate_has_the_licences() {
    let mut folders = entries("crates");
    // Workspaces of their own, which stay here.
    folders.retain(|folder| {
        let own = ["browser", "exercises", "models"];
        !own.iter().any(|name| folder.ends_with(name))
    });
    for folder in folders {
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let copy = folder.join(licence);
            assert!(
                fs::read(root().join(&copy)).ok()
                    == fs::read(root().join(licence)).ok(),
                "{}: wants the text of {licence} in the root, which a \
                 package takes along only from its own folder",
                copy.display()
            );
        }
    }
}

#[test]
fn every_pattern_folder_is_in_the_list_of_this_test() {
    let folders: BTreeSet<String> = entries("crates")
        .iter()
        .filter_map(|folder| folder.file_name()?.to_str())
        .filter_map(|name| name.strip_prefix("manyhands-"))
        .filter(|name| !NOT_PATTERNS.contains(name))
        .map(String::from)
        .collect();
    assert_eq!(
        folders,
        PATTERNS.map(String::from).into(),
        "the folders crates/manyhands-* on the left, PATTERNS on the right: \
         name a new one in PATTERNS, or in NOT_PATTERNS, of this test"
    );
}

/// What the tests name, docs/LAWS.md names too, and the other way round.
#[test]
fn the_page_of_the_laws_names_what_is_there() {
    let page = read("docs/LAWS.md");
    let faults = read("crates/manyhands-conformance/tests/broken/fault.rs");
    let (_, caught) = faults.split_once("CAUGHT_BY: &[(Fault").unwrap();
    let mut tested = BTreeSet::new();
    let (caught, _) = caught.split_once("\n};").unwrap();
    for row in caught.split('(').skip(1) {
        let name = row.trim_start().split(',').next().unwrap();
        if name.chars().all(char::is_alphanumeric) {
            tested.insert(name);
        }
    }
    let (_, laws) = page.split_once("## The laws\n").unwrap();
    let (laws, _) = laws.split_once("### Claims\n").unwrap();
    let rows = laws.lines().filter(|line| line.starts_with("| "));
    let named: BTreeSet<_> = rows
        .skip(1)
        .flat_map(|row| row.split('|').nth(3).unwrap().split(','))
        .map(str::trim)
        .collect();
    assert_eq!(tested, named, "tested on the left, named on the right");

    // Of the form `name.rs`, with a folder where it helps.
    for file in page.split('`').filter(|word| word.ends_with(".rs")) {
        let name = file.rsplit('/').next().unwrap();
        assert!(find(&root().join("crates"), name), "there is no {file}");
    }
}

/// True if a file of this name is somewhere in the folder.
fn find(folder: &Path, name: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => find(&entry.path(), name),
            false => entry.file_name() == *name,
        }
    })
}

#[test]
fn every_pattern_is_whole() {
    let readme = read("README.md");
    let architecture = read("docs/ARCHITECTURE.md");
    let changelog = read("CHANGELOG.md");
    let features = read("crates/manyhands/Cargo.toml");
    let documentation = read("crates/manyhands/src/lib.rs");
    let list = read("crates/manyhands/src/list.rs");
    for name in PATTERNS {
        let member = format!("manyhands-{name}");
        let folder = Path::new("crates").join(&member);
        for file in [
            "src/lib.rs",
            "src/adapter.rs",
            "tests/laws.rs",
            "tests/it/main.rs",
            "README.md",
        ] {
            assert!(
                root().join(&folder).join(file).exists(),
                "{name}: {file} is missing. CONTRIBUTING.md has the list of \
                 what a pattern needs."
            );
        }
        let laws = read(folder.join("tests/laws.rs"));
        assert!(
            (laws.contains("check_all") || laws.contains("Kit::new()"))
                && laws.contains("assert_passed"),
            "{name}: tests/laws.rs must hold the pool to all laws"
        );
        assert!(
            read("crates/manyhands/tests/programs/misuse.rs")
                .contains(&format!("\"{name}::")),
            "{name}: wants its pool among POOLS of \
             crates/manyhands/tests/programs/misuse.rs"
        );
        let examples = folder.join("examples");
        assert!(
            root().join(&examples).is_dir() && !entries(examples).is_empty(),
            "{name}: wants the tutorial's program in examples/"
        );
        let page = format!("docs/patterns/{name}.md");
        assert!(root().join(&page).exists(), "{name}: wants {page}");
        let drawing = format!("drawings/flow-{name}.svg");
        assert!(
            read(&page).contains(&format!("](../{drawing})")),
            "{name}: {page} wants its drawing, docs/{drawing}"
        );
        let drawing = read(format!("docs/{drawing}"));
        for wanted in
            ["role=\"img\"", "<title ", "<desc ", "prefers-color-scheme: dark"]
        {
            assert!(
                drawing.contains(wanted),
                "{name}: wants {wanted} in its drawing"
            );
        }
        for page in [&page, &format!("crates/{member}/README.md")] {
            assert!(
                documentation.contains(&format!("\"{page}\"")),
                "{name}: wants {page} in `documentation` of \
                 crates/manyhands/src/lib.rs, so that its examples are tests"
            );
        }
        assert!(
            features.contains(&format!("\n{name} = [\"dep:{member}\"]")),
            "{name}: wants a feature in crates/manyhands/Cargo.toml"
        );
        assert!(
            list.contains(&format!("#[cfg(feature = \"{name}\")]")),
            "{name}: wants a row, under its feature, in \
             crates/manyhands/src/list.rs"
        );
        assert!(
            readme.contains(&format!("\n| [{member}](crates/{member}) |")),
            "{name}: wants a row in the README's table of crates"
        );
        assert!(
            readme.contains(&format!("({page})")),
            "{name}: wants a link to {page} in the README"
        );
        assert!(
            architecture.contains(&format!("`{member}`")),
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

#[cfg(feature = "all")]
fn names() -> Vec<&'static str> {
    variants::<Nothing, _, _>().iter().map(|variant| variant.name).collect()
}

/// What docs/where.md says of a file is in it: each row has an idea, where it
/// is, and the test that holds it.
#[test]
fn what_is_said_to_be_somewhere_is_there() {
    let page = read("docs/where.md");
    let rows = page.lines().filter(|line| line.contains("](../crates/"));
    let rows: Vec<_> = rows.filter(|row| row.starts_with("| ")).collect();
    assert!(rows.len() > 50, "docs/where.md: {} rows", rows.len());
    for cell in rows.iter().flat_map(|row| row.split('|').skip(2).take(2)) {
        let (_, link) = cell.split_once("](../").unwrap_or_else(|| {
            panic!("docs/where.md: {cell} wants a link to a file")
        });
        let (path, names) = link.split_once(')').unwrap();
        let file = read(path);
        for name in names.split('`').skip(1).step_by(2) {
            let is_other = |it: char| !it.is_alphanumeric() && it != '_';
            assert!(
                file.split(is_other).any(|word| word == name),
                "docs/where.md: {name} is not in {path}"
            );
        }
    }
}

/// What a page sets beside a line of Go, word for word but for spaces. `…`
/// stands for anything.
#[test]
fn what_a_page_shows_beside_go_is_in_the_code() {
    let squeezed = |text: &str| -> String {
        text.chars().filter(|it| !it.is_whitespace()).collect()
    };
    for name in PATTERNS {
        let page = read(format!("docs/patterns/{name}.md"));
        let crate_ = Path::new("crates").join(format!("manyhands-{name}"));
        let folders = ["src", "src/adapter", "examples"];
        let folders = folders.map(|folder| crate_.join(folder));
        let files = folders
            .into_iter()
            .filter(|folder| root().join(folder).is_dir())
            .flat_map(entries)
            .filter(|path| path.extension().is_some_and(|it| it == "rs"));
        let code = squeezed(&files.map(read).collect::<String>());
        let tables = page.split("\n| Go | Rust | |\n").skip(1);
        let rows = tables
            .flat_map(|table| table.lines().take_while(|it| it != &""))
            .skip(1)
            .map(|row| row.split('|').nth(2).unwrap_or_default());
        let spans = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        for part in spans.flat_map(|span| span.split('…')) {
            assert!(
                code.contains(&squeezed(part)),
                "docs/patterns/{name}.md: {part} is beside Go, and nowhere \
                 in {}",
                crate_.display()
            );
        }
    }
}

#[test]
#[cfg(feature = "all")]
fn the_list_has_every_pattern_once() {
    let names = names();
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
#[cfg(feature = "all")]
fn the_readme_shows_a_comparison_of_every_variant() {
    let readme = read("README.md");
    let block = readme
        .split_once("<!-- BEGIN compare -->")
        .and_then(|(_, rest)| rest.split_once("<!-- END compare -->"))
        .map(|(block, _)| block)
        .expect("README.md has the lines BEGIN compare and END compare");
    for name in names() {
        assert!(
            block
                .lines()
                .map(|row| row.trim_start_matches("| "))
                .any(|row| row.split_whitespace().next() == Some(name)),
            "README.md: no row of {name} between BEGIN compare and END \
             compare. Run the command above that block, and put what it \
             prints there, or splice the table of its record."
        );
    }
}

#[test]
fn documents_link_to_files_that_exist() {
    let mut folders = vec![PathBuf::from("docs")];
    let mut paths = entries("");
    paths.push("benches/record/README.md".into());
    for member in entries("crates") {
        paths.push(member.join("README.md"));
        folders.push(member.join("docs"));
    }
    while let Some(folder) = folders.pop() {
        if root().join(&folder).is_dir() {
            for path in entries(folder) {
                folders.push(path.clone());
                paths.push(path);
            }
        }
    }
    for page in paths {
        if page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        // What stands between fences is code, and has brackets of its own.
        let text: String = read(&page).split("```").step_by(2).collect();
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
