//! What is wrong with a book is found, and what is right stays as it is.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::fs;
use std::path::PathBuf;

use browser::book::Book;
use tempfile::TempDir;

/// A repository with a book of two pages, the second of this content.
struct Made {
    _folder: TempDir,
    root: PathBuf,
}

impl Made {
    fn with(page: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for (file, text) in [
            ("README.md", "# It"),
            ("crates/pool/src/lib.rs", "//! A pool."),
            ("docs/SUMMARY.md", "# Summary"),
            ("docs/README.md", "# The book"),
            ("docs/course/README.md", "# The course"),
            ("docs/course/one.md", "# One"),
            ("target/book/README.html", "<h1 id=\"the-book\">The book</h1>"),
            ("target/book/course/README.html", "<h1>The course</h1>"),
            ("target/book/course/one.html", page),
            ("target/book/theme/book.css", "p { color: red }"),
        ] {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self { _folder: folder, root }
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.root.join(file), text).unwrap();
    }

    /// What has become of the page, and what is wrong.
    fn mended(&self) -> (String, Vec<String>) {
        let docs = self.root.join("docs");
        let built = self.root.join("target/book");
        let book = Book { repository: &self.root, docs: &docs, built: &built };
        book.mend().unwrap();
        let page = fs::read_to_string(built.join("course/one.html"));
        (page.unwrap(), book.faults().unwrap())
    }
}

#[test]
fn links_out_of_the_book_lead_to_the_files_they_are_about() {
    for (before, after) in [
        ("../../README.html#a", "../../../README.md#a"),
        ("../../crates/pool", "../../../crates/pool"),
        ("../../crates/pool/src/lib.rs", "../../../crates/pool/src/lib.rs"),
        ("../course/", "README.html"),
        // These are right as they are.
        ("../README.html#the-book", "../README.html#the-book"),
        ("#one", "#one"),
        ("https://example.org/x.html", "https://example.org/x.html"),
    ] {
        let page = |link: &str| format!("<h1 id=one><a href=\"{link}\">x</a>");
        let made = Made::with(&page(before));
        // The second time there is nothing left to do.
        for _ in 0..2 {
            let (text, faults) = made.mended();
            assert_eq!(text, page(after));
            assert_eq!(faults, [""; 0], "{before}");
        }
    }
}

#[test]
fn what_leads_nowhere_or_is_from_outside_is_found() {
    for (page, fault) in [
        ("<a href=two.html>", "two.html: leads nowhere"),
        ("<a title='>' href='#no'>", "#no: there is no such anchor"),
        (
            "<a href=\"../README.html#the%2Dbooks\">",
            "../README.html#the%2Dbooks: there is no such anchor",
        ),
        ("<img src=\"x.svg\">", "x.svg: leads nowhere"),
        (
            "<a href=\"../theme\">",
            "../theme: is a folder; link to a page of it",
        ),
        (
            "<script src=\"https://example.org/x.js\"></script>",
            "https://example.org/x.js: is from outside",
        ),
        (
            "<img\nsrc=\"//example.org/x.png\">",
            "//example.org/x.png: is from outside",
        ),
        (
            "<link rel=icon href=\"http://example.org/\"/>",
            "http://example.org/: is from outside",
        ),
    ] {
        let (_, faults) = Made::with(page).mended();
        assert_eq!(faults, [format!("course/one.html: {fault}")]);
    }
    // In a comment or a script it is text.
    for page in ["<!-- <a href=no> -->", "<script>'<a href=no>'</script>"] {
        assert_eq!(Made::with(page).mended().1, [""; 0], "{page}");
    }
}

#[test]
fn a_page_left_out_and_a_style_from_outside_are_found() {
    let made = Made::with("");
    made.write("docs/course/two.md", "# Two");
    made.write("target/book/theme/book.css", "@import 'x'");
    let expected = [
        "theme/book.css: asks for something else",
        "course/two.md: SUMMARY.md does not name it",
    ];
    assert_eq!(made.mended().1, expected);
}
