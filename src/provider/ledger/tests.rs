use tempfile::TempDir;

use super::*;

fn mk_ledger() -> (TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(folder.path().join("state"));
    (folder, ledger)
}

fn mk_entry(name: &str) -> Entry {
    Entry::new("kind", name, Extent::Cluster, "0a1b2c3d")
}

#[test]
fn what_is_claimed_is_in_use_until_its_claim_ends() {
    let (_folder, ledger) = mk_ledger();
    assert!(ledger.list().unwrap().is_empty());
    let claim = ledger.claim(mk_entry("lab")).unwrap();
    let [listed] = &ledger.list().unwrap()[..] else {
        panic!("one is listed");
    };
    assert_eq!(listed.entry, *claim.entry());
    assert_eq!(listed.state, State::InUse);
    assert!(ledger.take(listed).unwrap().is_none());
    drop(claim);
    let listed = ledger.list().unwrap().remove(0);
    assert_eq!(listed.state, State::Left);
    let again = ledger.take(&listed).unwrap().unwrap();
    assert_eq!(ledger.list().unwrap()[0].state, State::InUse);
    again.release().unwrap();
    assert!(ledger.list().unwrap().is_empty());
}

#[test]
fn what_is_kept_is_told_from_what_was_left() {
    let (_folder, ledger) = mk_ledger();
    let mut claim = ledger.claim(mk_entry("lab")).unwrap();
    claim.keep().unwrap();
    assert_eq!(ledger.list().unwrap()[0].state, State::InUse);
    drop(claim);
    let listed = ledger.list().unwrap().remove(0);
    assert_eq!(listed.state, State::Kept);
    assert!(listed.entry.kept);
    let mut claim = ledger.take(&listed).unwrap().unwrap();
    claim.let_go().unwrap();
    drop(claim);
    assert_eq!(ledger.list().unwrap()[0].state, State::Left);
}

#[test]
fn a_name_is_given_once() {
    let (_folder, ledger) = mk_ledger();
    let claim = ledger.claim(mk_entry("lab")).unwrap();
    let error = ledger.claim(mk_entry("lab")).unwrap_err().to_string();
    assert!(
        error.contains("rollout-lab cluster down lab"),
        "says what to do: {error}"
    );
    drop(claim);
    assert!(
        ledger.claim(mk_entry("lab")).is_err(),
        "what was left is not replaced"
    );
    ledger.claim(mk_entry("other")).unwrap();
    assert_eq!(ledger.list().unwrap().len(), 2);
}

#[test]
fn a_cluster_that_was_kept_may_have_a_user() {
    let (_folder, ledger) = mk_ledger();
    ledger.claim(mk_entry("lab")).unwrap().keep().unwrap();
    let run = Entry::new("kind", "lab", Extent::Namespaces, "1b2c3d4e");
    let claim = ledger.claim(run).unwrap();
    let listed = ledger.list().unwrap();
    let users: Vec<_> = listed.iter().map(|one| one.user(&listed)).collect();
    assert_eq!(users, [Some(claim.entry()), None]);
    drop(claim);
    let listed = ledger.list().unwrap();
    assert_eq!(listed[0].user(&listed), None);
}

#[test]
fn the_kubeconfig_is_in_the_folder_or_the_users_own() {
    let (_folder, ledger) = mk_ledger();
    let claim = ledger.claim(mk_entry("lab")).unwrap();
    assert_eq!(claim.kubeconfig(), Some(claim.folder().join("kubeconfig")));
    let of = |kubeconfig: &str| {
        let entry = Entry {
            kubeconfig: Some(kubeconfig.into()),
            ..Entry::new("kubeconfig", "staging", Extent::Namespaces, kubeconfig)
        };
        ledger.claim(entry).unwrap().kubeconfig()
    };
    assert_eq!(of(""), None);
    assert_eq!(of("mine"), Some("mine".into()));
}

#[test]
fn what_is_not_the_ledgers_is_passed_over() {
    let (_folder, ledger) = mk_ledger();
    ledger.claim(mk_entry("lab")).unwrap();
    fs::write(ledger.root.join("note.txt"), "").unwrap();
    fs::create_dir(ledger.root.join("empty")).unwrap();
    assert_eq!(ledger.list().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Ledger::at(file.join("x"))
        .claim(mk_entry("lab"))
        .unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("could not make the folder"), "{text}");
    assert!(text.contains("file/x"), "{text}");
}
