//! How many requests failed, for how long, and why.
//!
//! Judged on the requests sent since the change, of a flow that was answered before it: what fails
//! while a path has yet to settle is not the update's affair.
//!
//! A sample is never proof of absence. Beside "no failure" stand the number of requests, their
//! rate, the longest stretch without one, and the failure rate that this many requests can still
//! hide (at 95 %, three in N).

mod attribution;
mod downtime;
#[cfg(test)]
mod tests;

use crate::history::Stamp;
use crate::history::criterion::Bar;

use super::cause::Cause;
use super::phrase::Phrase;
use super::rollout;
use super::settled::IN_A_ROW;
use super::timeline::{Sampled, Timeline};
use super::unjudged::{no_request, not_complete, nothing_rolled_out};
use super::verdict::{Finding, Status};
use attribution::{Attribution, attribute};

pub use downtime::Downtime;

/// Requests between the change and its completion below which nothing can be said.
const ENOUGH: usize = 30;

pub(super) fn judge(timeline: &Timeline<'_>, bar: Bar, deployment: &str) -> Finding {
    let mut finding = Finding::new(wanted(bar));
    let Some(rollout) = rollout::last(timeline, deployment) else {
        return finding.unknown(nothing_rolled_out(deployment));
    };
    let Some(completed) = rollout.completed else {
        return not_complete(finding, timeline, deployment);
    };
    let Some((_, traffic, flow)) = timeline.last_flow(Stamp(0)) else {
        return finding.unknown(no_request());
    };
    if !had_settled(&flow, rollout.began) {
        return finding.unknown(Phrase::new(
            format!(
                "no {IN_A_ROW} requests in a row were answered before the change, so there was \
                 nothing to interrupt"
            ),
            format!("変更の前に {IN_A_ROW} 回続けて応答したことがなく、途切れたとは言えない"),
        ));
    }
    let since = flow
        .iter()
        .map(|sampled| sampled.sample)
        .filter(|sample| sample.sent >= rollout.began);
    let downtime = Downtime::of(since.clone());
    let during = since.filter(|sample| sample.sent <= completed).count();
    measure(&mut finding, &downtime, during, traffic.rate);
    let seen = tell(&downtime, traffic.rate);
    let attribution = attribute(timeline, &flow, rollout.began, deployment);
    report(&mut finding, &attribution);
    // One failure is a fact, however few requests there were.
    let is_decided = bar != Bar::Measured && downtime.failed() > 0;
    if !is_decided && let Some(why) = too_little(timeline, rollout.began, completed, during) {
        return finding.unknown(Phrase::new(
            format!("{}; {}", why.en, seen.en),
            format!("{}。{}", why.ja, seen.ja),
        ));
    }
    let cause = attribution.found.first().map(|(cause, _, _)| *cause);
    let finding = conclude(finding, bar, &downtime, cause, seen, deployment);
    if finding.status == Status::Fail {
        finding.explain(timeline.warnings_since(rollout.began, 3))
    } else {
        finding
    }
}

fn wanted(bar: Bar) -> Phrase {
    match bar {
        Bar::Measured => Phrase::new(
            "the availability during the update is measured",
            "更新中の可用性を測定する",
        ),
        Bar::NoneFails => Phrase::new(
            "not one request fails during the update",
            "更新中、リクエストが一つも失敗しない",
        ),
        Bar::SomeFail => Phrase::new(
            "the claim of zero downtime does not hold: requests fail, and the cause is found",
            "「無停止」は成り立たない。リクエストが失敗し、その原因が分かる",
        ),
    }
}

/// Whether the flow had been answered some times in a row before the change.
fn had_settled(samples: &[Sampled<'_>], began: Stamp) -> bool {
    let mut before: Vec<&Sampled<'_>> = samples
        .iter()
        .filter(|sampled| sampled.done <= began)
        .collect();
    before.sort_by_key(|sampled| sampled.done);
    before
        .chunk_by(|one, other| one.is_answered() == other.is_answered())
        .any(|run| run[0].is_answered() && run.len() >= IN_A_ROW)
}

/// Why the requests say too little.
fn too_little(
    timeline: &Timeline<'_>,
    began: Stamp,
    completed: Stamp,
    during: usize,
) -> Option<Phrase> {
    if timeline.flow_ended().is_some_and(|at| at < completed) {
        return Some(Phrase::new(
            "the requests ended before the rollout was complete",
            "ロールアウトの完了前にリクエストが終わった",
        ));
    }
    if during < ENOUGH {
        return Some(Phrase::new(
            format!("only {during} requests during the rollout"),
            format!("ロールアウト中のリクエストが {during} 回だけ"),
        ));
    }
    let unsent = timeline.unsent_since(began);
    (unsent > 0).then(|| {
        Phrase::new(
            format!("{unsent} requests could not be sent from this host"),
            format!("このホストから {unsent} 回送信できなかった"),
        )
    })
}

fn measure(finding: &mut Finding, downtime: &Downtime, during: usize, rate: f64) {
    finding.count("requests", downtime.requests);
    finding.count("requests_during_rollout", during);
    finding.figure("rate", rate);
    finding.count("failed", downtime.failed());
    finding.figure(
        "longest_outage_seconds",
        downtime.longest_outage.as_secs_f64(),
    );
    finding.figure("sampling_gap_seconds", downtime.sampling_gap.as_secs_f64());
    finding.figure("hidden_failure_rate", downtime.hidden_failure_rate());
    for (class, count) in &downtime.failed_by_class {
        let class = Phrase::of_class(*class);
        finding.observe(
            None,
            Phrase::new(
                format!("{}: {count}", class.en),
                format!("{}: {count} 件", class.ja),
            ),
        );
    }
}

fn report(finding: &mut Finding, attribution: &Attribution) {
    for (cause, count, example) in &attribution.found {
        finding.observe(
            example.at,
            Phrase::new(
                format!("{count} × {}: {}", cause.name(), example.text.en),
                format!("{count} × {}: {}", cause.name(), example.text.ja),
            ),
        );
    }
    let unexplained = attribution.unexplained;
    if unexplained > 0 {
        finding.observe(
            None,
            Phrase::new(
                format!("{unexplained} failures without a known cause"),
                format!("原因不明の失敗 {unexplained} 件"),
            ),
        );
    }
}

fn conclude(
    finding: Finding,
    bar: Bar,
    downtime: &Downtime,
    cause: Option<Cause>,
    seen: Phrase,
    deployment: &str,
) -> Finding {
    let some_failed = downtime.failed() > 0;
    let is_met = match bar {
        Bar::Measured => true,
        Bar::NoneFails => !some_failed,
        Bar::SomeFail => some_failed,
    };
    if !is_met {
        return finding
            .fail(format!("deployment/{deployment}"), seen)
            .because(cause);
    }
    if bar == Bar::SomeFail && cause.is_none() {
        return finding.unknown(Phrase::new(
            format!("{}, for no cause that is known", seen.en),
            format!("{}。原因は特定できない", seen.ja),
        ));
    }
    finding.pass(seen).because(cause)
}

fn tell(downtime: &Downtime, rate: f64) -> Phrase {
    let (failed, requests) = (downtime.failed(), downtime.requests);
    let gap = downtime.sampling_gap.as_secs_f64() * 1000.0;
    if failed == 0 {
        let hidden = downtime.hidden_failure_rate() * 100.0;
        return Phrase::new(
            format!(
                "0 of {requests} requests failed at {rate:.0}/s; gap between requests at most \
                 {gap:.0} ms, a failure rate up to {hidden:.2} % could still hide"
            ),
            format!(
                "毎秒 {rate:.0} 回で {requests} 回中 0 回失敗。リクエストの間隔は最大 {gap:.0} ms、\
                 {hidden:.2} % までの失敗率は見逃し得る"
            ),
        );
    }
    let outage = downtime.longest_outage.as_secs_f64() * 1000.0;
    Phrase::new(
        format!(
            "{failed} of {requests} requests failed at {rate:.0}/s, the longest outage {outage:.0} \
             ms"
        ),
        format!("毎秒 {rate:.0} 回で {requests} 回中 {failed} 回失敗、最長の停止 {outage:.0} ms"),
    )
}
