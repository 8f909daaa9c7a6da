use crate::program::{json_of, stdout_of, unwrapped};

#[test]
fn verify_holds_a_variant_to_all_laws_and_to_its_claims() {
    let printed = stdout_of(&["verify", "channel"]);
    let row = printed.lines().find(|line| line.starts_with("channel"));
    let words: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(words.len(), 1 + 19 + 4, "{printed}");
    let (laws, claims) = words[1..].split_at(19);
    assert!(laws.iter().all(|word| ["ok", "skipped"].contains(word)));
    assert_eq!(claims, ["ok", "-", "-", "-"], "{printed}");
    assert!(printed.contains("23 checks, no law broken, no claim false"));
}

#[test]
fn verify_in_json_has_a_version_and_a_check_a_law_and_a_claim() {
    let report = json_of(&["verify", "semaphore", "--format", "json"]);
    assert_eq!(report["format"], "manyhands-verify/1");
    assert_eq!(report["depth"], "default");
    assert_eq!(report["partial"], false);
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 19);
    for (law, check) in (1..).zip(checks) {
        assert_eq!(check["variant"], "semaphore");
        assert_eq!(check["law"], law);
        assert_ne!(check["finding"], "FAIL");
    }
    let claims = report["claims"].as_array().unwrap();
    let made = |claim: &&serde_json::Value| claim["claimed"] == true;
    let made: Vec<_> =
        claims.iter().filter(made).map(|claim| &claim["name"]).collect();
    assert_eq!(claims.len(), 4);
    assert_eq!(made, ["has no queue"]);
}

#[test]
fn verify_says_what_its_depths_are() {
    let help = unwrapped(&stdout_of(&["verify", "--help"]));
    assert!(help.contains("default or deep"), "{help}");
    assert!(help.contains("1, 2, 3 and 8 workers"), "{help}");
}
