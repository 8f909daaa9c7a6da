use std::fs;
use std::path::Path;

use manyhands_course::{Course, Finding, Outputs};
use tempfile::TempDir;

/// A repository of these files.
fn repository(files: &[(&str, &str)]) -> (TempDir, Course) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let course = Course::at(folder.path());
    (folder, course)
}

/// What there is about pages: pictures are made in any repository.
fn of_pages(findings: &[Finding]) -> Vec<Finding> {
    let is_page = |it: &&Finding| it.file.extension().unwrap() == "md";
    findings.iter().filter(is_page).cloned().collect()
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

const CODE: &str = "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\nfn b() {}\n";

#[test]
fn a_listing_is_put_into_its_page_and_follows_its_file() {
    let page = "# One\n\n<!-- listing: ../../src/a.rs#a -->\n\
                <!-- end of listing -->\n\nText.\n";
    let (folder, course) =
        repository(&[("docs/course/one.md", page), ("src/a.rs", CODE)]);
    let plan = course.plan(Outputs::Kept).unwrap();
    assert_eq!(
        lines(&of_pages(&plan.differences)),
        ["docs/course/one.md:3: the listing `../../src/a.rs#a` is not what \
          it would be now; `cargo course make` mends it"]
    );
    course.write(&plan).unwrap();
    let path = folder.path().join("docs/course/one.md");
    let made = fs::read_to_string(&path).unwrap();
    let block = "```rust,ignore\nfn a() {}\n```\n";
    assert_eq!(made, page.replace("<!-- end", &format!("{block}<!-- end")));
    let again = course.plan(Outputs::Kept).unwrap();
    assert!(again.files.is_empty() && again.differences.is_empty());

    let changed = CODE.replace("fn a", "fn changed");
    fs::write(folder.path().join("src/a.rs"), changed).unwrap();
    let plan = course.plan(Outputs::Kept).unwrap();
    assert_eq!(lines(&plan.differences).len(), 1);
}

#[test]
fn a_marker_that_cannot_be_obeyed_changes_no_page() {
    let good = "<!-- listing: ../a.rs -->\n<!-- end of listing -->\n";
    let bad = "\n<!-- listing: ../a.rs#c -->\n<!-- end of listing -->\n";
    let worse = "<!-- listing: ../../x -->\n<!-- end of listing -->\n";
    let (_folder, course) = repository(&[
        ("docs/bad.md", bad),
        ("docs/good.md", good),
        ("docs/worse.md", worse),
        ("docs/output.md", "<!-- output: ls -->\n<!-- end of output -->\n"),
        ("a.rs", CODE),
    ]);
    let refused = lines(&course.plan(Outputs::Kept).unwrap_err());
    let expected = [
        "docs/bad.md:2: ../a.rs#c: there is no such anchor, allowed is a",
        "docs/output.md:1: `ls` cannot be shown, allowed is `manyhands …`",
        "docs/worse.md:1: ../../x is not in the repository, allowed is",
    ];
    assert_eq!(refused.len(), expected.len(), "{refused:#?}");
    for (refused, expected) in refused.iter().zip(expected) {
        assert!(refused.starts_with(expected), "{refused}");
    }
}

#[test]
fn an_output_that_was_never_made_is_missing() {
    let page = "<!-- output: manyhands list -->\n<!-- end of output -->\n\
                <!-- output: manyhands list -->\nx\n<!-- end of output -->\n";
    let (_folder, course) = repository(&[("README.md", page)]);
    let plan = course.plan(Outputs::Kept).unwrap();
    assert_eq!(
        lines(&plan.missing),
        ["README.md:1: the output `manyhands list` was never made; \
          `cargo course make --outputs` mends it"]
    );
    assert!(of_pages(&plan.differences).is_empty());
}

#[test]
fn the_pages_of_this_repository_are_as_they_would_be_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let course = Course::at(root);
    let plan = course
        .plan(Outputs::Kept)
        .unwrap_or_else(|refused| panic!("{}", lines(&refused).join("\n")));
    let found = [lines(&plan.differences), lines(&plan.missing)].concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
