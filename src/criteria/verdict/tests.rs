use super::{Expected, Language, Status, Verdict};
use crate::criteria::scene::story::{deployed, updated};
use crate::criteria::scene::{DEPLOYMENT, pod, warning};
use crate::history::criterion::Criterion;

fn verdict(status: Status, expected: Expected) -> Verdict {
    let criterion = Criterion::RolloutComplete {
        deployment: DEPLOYMENT.to_owned(),
    };
    let mut verdict = deployed().judge(&criterion);
    verdict.status = status;
    verdict.asked.expected = expected;
    verdict
}

#[test]
fn a_fault_that_is_found_counts_as_a_pass() {
    use Expected::{Fails, Holds};
    use Status::{Fail, Pass, Unknown};
    for (expected, status, outcome, is_as_expected) in [
        (Holds, Pass, Pass, true),
        (Holds, Unknown, Unknown, false),
        (Holds, Fail, Fail, false),
        (Fails, Pass, Fail, false),
        (Fails, Unknown, Unknown, false),
        (Fails, Fail, Pass, true),
    ] {
        let verdict = verdict(status, expected);
        assert_eq!(verdict.outcome(), outcome, "{expected:?} {status:?}");
        assert_eq!(
            verdict.is_as_expected(),
            is_as_expected,
            "{expected:?} {status:?}"
        );
    }
}

#[test]
fn verdicts_merge_by_maximum() {
    assert!(Status::Pass < Status::Unknown && Status::Unknown < Status::Fail);
}

#[test]
fn a_failure_is_explained_in_both_languages() {
    let criterion = Criterion::RolloutComplete {
        deployment: DEPLOYMENT.to_owned(),
    };
    let verdict = updated()
        .until(2100)
        .add(2200, pod("web-2-a", "CrashLoopBackOff"))
        .add(
            2210,
            warning(
                "Pod/web-2-a",
                "BackOff",
                "Back-off restarting failed container app",
            ),
        )
        .judge(&criterion);
    let english = [
        "rollout-complete: the rollout of web completes: all pods updated and available, none of \
         an old template left",
        "  seen: 2 of 3 updated, 2 available, 2 old; container app: CrashLoopBackOff",
        "  object: pod/web-2-a",
        "  event: Pod/web-2-a BackOff: Back-off restarting failed container app",
        "  hint: The container ends as soon as it starts: read its log with kubectl logs \
         --previous. (crash-at-start)",
    ];
    assert_eq!(verdict.explanation(Language::English), english.join("\n"));
    let japanese = [
        "rollout-complete: web のロールアウトが完了する（全 Pod が更新済みで利用可能、古い Pod なし）",
        "  観測: 3 個中 2 個が更新済み、2 個が利用可能、古い Pod 2 個。container app: \
         CrashLoopBackOff",
        "  対象: pod/web-2-a",
        "  イベント: Pod/web-2-a BackOff: Back-off restarting failed container app",
        "  ヒント: コンテナが起動直後に終了する。kubectl logs --previous でログを読む。 \
         (crash-at-start)",
    ];
    assert_eq!(verdict.explanation(Language::Japanese), japanese.join("\n"));
}
