//! Why a criterion cannot be judged, in the sentences that several criteria share.

use super::complete;
use super::phrase::Phrase;
use super::timeline::Timeline;
use super::verdict::Finding;

pub(super) fn nothing_rolled_out(deployment: &str) -> Phrase {
    Phrase::new(
        format!("deployment {deployment} was not applied"),
        format!("Deployment {deployment} が適用されていない"),
    )
}

/// The rollout goes on, or never ends: what keeps it is said, and is a cause of this too.
pub(super) fn not_complete(finding: Finding, timeline: &Timeline<'_>, deployment: &str) -> Finding {
    let state = complete::rollout(timeline, deployment);
    let seen = Phrase::new(
        format!("the rollout is not complete: {}", state.seen.en),
        format!("ロールアウトが完了していない: {}", state.seen.ja),
    );
    finding.unknown(seen).because(state.cause)
}

pub(super) fn no_request() -> Phrase {
    Phrase::new("no request was sent", "リクエストが送られていない")
}

/// What cannot be seen is neither there nor missing.
pub(super) fn unreachable(why: &str) -> Phrase {
    Phrase::new(
        format!(
            "the API server does not answer, so nothing is known of the cluster since: {why}; check \
             that the cluster still runs and that the context was not changed"
        ),
        format!(
            "API サーバが応答しないため、その後のクラスタの状態が分からない: {why}。クラスタが動いて\
             いるか、コンテキストが変わっていないかを確認すること"
        ),
    )
}

pub(super) fn watch_gap(gap: &str) -> Phrase {
    Phrase::new(
        format!("the watch has a gap: {gap}"),
        format!("watch に欠落がある: {gap}"),
    )
}
