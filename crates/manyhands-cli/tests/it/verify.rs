use crate::program::{json_of, stdout_of};

#[test]
fn verify_holds_a_variant_to_all_laws() {
    let printed = stdout_of(&["verify", "channel"]);
    let row = printed.lines().find(|line| line.starts_with("channel"));
    let words: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(words.len(), 1 + 18, "{printed}");
    assert!(words[1..].iter().all(|word| ["ok", "skipped"].contains(word)));
    assert!(printed.contains("18 checks, no law broken"), "{printed}");
}

#[test]
fn verify_in_json_has_a_version_and_a_check_a_law() {
    let report = json_of(&["verify", "waitgroup", "--format", "json"]);
    assert_eq!(report["format"], "manyhands-verify/1");
    assert_eq!(report["partial"], false);
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 18);
    for (law, check) in (1..).zip(checks) {
        assert_eq!(check["variant"], "waitgroup");
        assert_eq!(check["law"], law);
        assert_ne!(check["finding"], "FAIL");
    }
}
