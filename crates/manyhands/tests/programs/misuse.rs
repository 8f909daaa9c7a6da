//! What must not compile does not, for the reason that is said.
//!
//! A program here is built twice: as it is, which must do, and with the
//! feature `misuse`, which changes a line or two, and must fail with the error
//! code that its first line names, and no other. Those in `each_pool` are
//! built with every pool. The examples in the docs that say
//! `compile_fail,E0…` are held to their code too: rustdoc itself looks at the
//! code on a nightly toolchain alone.

use std::fs;
use std::path::Path;

use crate::package::{Codes, Package, files, root};

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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
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
    const FENCE: &str = "compile_fail,";
    let mut package = Package::new("misused-in-docs");
    let mut expected = Codes::new();
    let members = fs::read_dir(root().join("crates")).unwrap();
    let sources = members.map(|entry| entry.unwrap().path().join("src"));
    let pages = root().join("docs");
    for folder in sources.filter(|it| it.is_dir()).chain([pages.clone()]) {
        for path in files(&folder) {
            let is_page = path.extension().is_some_and(|it| it == "md");
            if folder == pages && !is_page {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let docs: Vec<&str> = text
                .lines()
                .map(str::trim_start)
                .map(|it| it.strip_prefix("///").unwrap_or(it))
                .map(|it| it.strip_prefix("//!").unwrap_or(it))
                .map(|it| it.strip_prefix(' ').unwrap_or(it))
                .collect();
            for (number, line) in docs.iter().enumerate() {
                let Some(fence) = line.strip_prefix("```") else { continue };
                let fence = fence.strip_prefix("rust,").unwrap_or(fence);
                let Some(code) = fence.strip_prefix(FENCE) else { continue };
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
    assert!(expected.len() > 10, "too few examples say {FENCE}");
    // The first line of each says which example it is.
    assert_same(&package.check(&[]), &expected, &package);
}
