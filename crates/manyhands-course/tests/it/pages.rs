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
                <!-- output: manyhands list -->\n```text\n\
                $ manyhands list\nx\n```\n<!-- end of output -->\n";
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
fn an_output_without_its_command_is_a_difference() {
    let page = "<!-- output: manyhands list -->\n```text\nx\n```\n\
                <!-- end of output -->\n";
    let (_folder, course) = repository(&[("README.md", page)]);
    let plan = course.plan(Outputs::Kept).unwrap();
    assert_eq!(of_pages(&plan.differences).len(), 1);
}

#[test]
fn a_link_that_leads_nowhere_is_found_and_a_page_that_nobody_finds() {
    let summary = "# Summary\n\n- [One](one.md)\n- [No](no.md)\n";
    let one = "# One\n\n[a](two.md#here), [b](two.md#gone),\n\
               [c](../crates/a), [d](../../x), [e](#one), [f](#two),\n\
               [g](https://example.com/x#y)\n";
    let (_folder, course) = repository(&[
        ("docs/SUMMARY.md", summary),
        ("docs/one.md", one),
        ("docs/two.md", "## Here\n"),
        ("crates/a/README.md", "[a](../../docs/one.md#one) [b](no.rs)\n"),
    ]);
    let found = of_pages(&course.check(Outputs::Kept).unwrap());
    let expected = [
        "crates/a/README.md:1: the link to no.rs leads nowhere",
        "docs/SUMMARY.md:4: the link to no.md leads nowhere",
        "docs/one.md:3: the link to two.md#gone leads to a page without that \
         heading; it has here",
        "docs/one.md:4: the link to #two leads to a page without that \
         heading; it has one",
        "docs/one.md:4: the link to ../../x leads out of the repository",
        "docs/two.md:1: it is not in docs/SUMMARY.md; name it there",
    ];
    assert_eq!(lines(&found), expected);
}

#[test]
fn rust_in_a_page_is_a_test_or_a_listing() {
    let list = "pages! {\n    a: \"docs/tested.md\",\n}\n";
    let rust = "```rust\nfn a() {}\n```\n";
    let ignored = "```rust,ignore\nfn a() {}\n```\n";
    let listing = format!(
        "<!-- listing: ../a.rs -->\n{ignored}<!-- end of listing -->\n"
    );
    let shown = format!("````markdown\n{rust}````\n");
    let (_folder, course) = repository(&[
        ("crates/manyhands/src/lib.rs", list),
        ("a.rs", "fn a() {}\n"),
        ("docs/tested.md", &format!("{rust}\n{listing}")),
        ("docs/untested.md", &format!("{listing}\n{shown}\n{rust}")),
        ("docs/ignored.md", &format!("{listing}\n{ignored}")),
    ]);
    let found = lines(&of_pages(&course.check(Outputs::Kept).unwrap()));
    assert_eq!(found.len(), 2, "{found:#?}");
    let ignored = "docs/ignored.md:7: Rust that is ignored: show a file";
    assert!(found[0].starts_with(ignored), "{}", found[0]);
    let untested = "docs/untested.md:13: Rust that is no test: name the page";
    assert!(found[1].starts_with(untested), "{}", found[1]);
}

#[test]
fn a_drawing_that_nothing_draws_is_left_over() {
    let stale = "docs/drawings/timeline-of-old.svg";
    let (_folder, course) =
        repository(&[(stale, ""), ("docs/drawings/flow.svg", "")]);
    course.write(&course.plan(Outputs::Kept).unwrap()).unwrap();
    let found = lines(&course.check(Outputs::Kept).unwrap());
    let expected = format!("{stale}:1: nothing draws it any more; delete it");
    assert_eq!(found, [expected]);
}

#[test]
fn this_repository_is_as_it_would_be_made_and_its_links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = match Course::at(root).check(Outputs::Kept) {
        Ok(found) | Err(found) => lines(&found),
    };
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
