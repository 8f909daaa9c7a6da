use crate::program::{json_of, stdout_of};

#[test]
fn list_names_variants_and_work_in_every_format() {
    for format in ["table", "json", "csv", "md"] {
        let listed = stdout_of(&["list", "--format", format]);
        for name in ["inline", "channel", "files", "sleep:TIME"] {
            assert!(listed.contains(name), "{name} in {format}:\n{listed}");
        }
    }
}

#[test]
fn a_plain_list_fits_80_columns() {
    let listed = stdout_of(&["list"]);
    let widest = listed.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{listed}");
}

#[test]
fn the_list_in_json_has_a_version_and_whole_entries() {
    let list = json_of(&["list", "--format", "json"]);
    assert_eq!(list["format"], "manyhands-list/1");
    for entry in list["variants"].as_array().unwrap() {
        for field in ["name", "summary", "origin"] {
            assert!(!entry[field].as_str().unwrap().is_empty(), "{entry}");
        }
    }
    for entry in list["work"].as_array().unwrap() {
        for field in ["name", "summary", "syntax", "default"] {
            assert!(!entry[field].as_str().unwrap().is_empty(), "{entry}");
        }
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in
        [&["--help"] as &[_], &["--version"], &["compare", "--help"], &["-h"]]
    {
        assert!(!stdout_of(arguments).is_empty());
    }
}
