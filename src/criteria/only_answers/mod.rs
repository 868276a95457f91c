//! Only one version answers, once the rollout is complete and the path has settled.

#[cfg(test)]
mod tests;
mod unsettled;

use crate::history::record::{Answer, Outcome};

use super::cause::Cause;
use super::phrase::Phrase;
use super::rollout::{self, new_replicaset};
use super::settled::{Path, endpoints_switched, follow_path};
use super::timeline::{Sampled, Timeline};
use super::unjudged::{no_request, not_complete, nothing_rolled_out};
use super::verdict::Finding;
use unsettled::{from_new_pods, not_settled, too_slow, without_endpoints};

/// Answers that are needed after the path has settled.
const ENOUGH: usize = 30;

/// Who is to answer: by the body's `service` and `version`, where `version` is what the template
/// has as VERSION; the tag of the image is another matter, and is reported beside it.
#[derive(Debug, Clone, Copy)]
struct Expected<'a> {
    service: &'a str,
    version: &'a str,
    deployment: &'a str,
}

impl Expected<'_> {
    fn is_good(&self, answer: &Answer) -> bool {
        answer.service == self.service && answer.version == self.version
    }
}

pub(super) fn judge(
    timeline: &Timeline<'_>,
    service: &str,
    version: &str,
    deployment: &str,
) -> Finding {
    let expected = Expected {
        service,
        version,
        deployment,
    };
    let mut finding = Finding::new(Phrase::new(
        format!("only {service} {version} answers, at least {ENOUGH} times on fresh connections"),
        format!("{service} {version} だけが、新しい接続で {ENOUGH} 回以上応答する"),
    ));
    let Some(rollout) = rollout::last(timeline, deployment) else {
        return finding.unknown(nothing_rolled_out(deployment));
    };
    if rollout.completed.is_none() {
        return not_complete(finding, timeline, deployment);
    }
    let Some(switched) = endpoints_switched(timeline, &rollout, deployment) else {
        return without_endpoints(finding, timeline, &rollout, deployment);
    };
    let new =
        new_replicaset(&timeline.state, deployment).map_or(deployment, |(name, _)| name.as_str());
    finding.observe(
        switched,
        Phrase::new(
            format!("the endpoints are the ready pods of {new}"),
            format!("エンドポイントは {new} の Ready な Pod だけ"),
        ),
    );
    let Some((_, traffic, samples)) = timeline.last_flow(switched) else {
        return finding.unknown(no_request());
    };
    if !traffic.fresh_connections {
        return finding.unknown(Phrase::new(
            "the requests shared connections, so they say nothing of the other backends",
            "接続を使い回しているため、ほかのバックエンドについて何も言えない",
        ));
    }
    let path = follow_path(&samples, switched, |answer| expected.is_good(answer));
    match path {
        Path::Settled { first, lag } => {
            finding.figure("path_lag_seconds", lag.as_secs_f64());
            finding.observe(samples[first].sample.sent, settled(lag.as_secs_f64()));
            judge_answers(finding, timeline, &samples[first..], expected)
        }
        Path::TooSlow { lag: Some(lag) } => too_slow(finding, timeline, lag),
        Path::TooSlow { lag: None } => not_settled(finding, timeline, &samples, expected, true),
        Path::Open => not_settled(finding, timeline, &samples, expected, false),
    }
}

fn settled(lag: f64) -> Phrase {
    if lag > 0.0 {
        Phrase::new(
            format!("the path has settled, {lag:.3} s after the endpoints switched"),
            format!("経路が落ち着いた（エンドポイントの切り替えから {lag:.3} 秒後）"),
        )
    } else {
        Phrase::new(
            "requests went there from the first one on",
            "最初のリクエストから正しく届いた",
        )
    }
}

fn judge_answers(
    mut finding: Finding,
    timeline: &Timeline<'_>,
    samples: &[Sampled<'_>],
    expected: Expected<'_>,
) -> Finding {
    let Expected {
        service,
        version,
        deployment,
    } = expected;
    finding.count("answers", samples.len());
    let template = new_replicaset(&timeline.state, deployment)
        .map(|(_, replicaset)| replicaset.facts.template.clone())
        .unwrap_or_default();
    if let Some(image) = template.images.values().next() {
        let env = template.version.as_deref().unwrap_or("-");
        finding.observe(None, Phrase::same(format!("image {image}, VERSION={env}")));
    }
    let is_stray = |sampled: &&Sampled<'_>| !matches!(&sampled.sample.outcome, Outcome::Answered(answer) if expected.is_good(answer));
    if let Some(stray) = samples.iter().find(is_stray) {
        let seen = tell(stray);
        finding.observe(stray.sample.sent, seen.clone());
        if from_new_pods(timeline, stray, deployment) {
            return finding
                .fail(format!("deployment/{deployment}"), seen)
                .because(Cause::WrongService);
        }
        // Somebody else's answer this late means that the path has not followed in time.
        let cause = stray.is_answered().then_some(Cause::SlowPath);
        return finding
            .fail(unsettled::service(timeline), seen)
            .because(cause)
            .for_good();
    }
    if let Some(env) = template.version.filter(|env| env != version) {
        let seen = Phrase::new(
            format!("the pods answer as {version}, their template has VERSION={env}"),
            format!("Pod は {version} と応答するが、テンプレートでは VERSION={env}"),
        );
        return finding
            .fail(format!("deployment/{deployment}"), seen)
            .because(Cause::WrongService);
    }
    let count = samples.len();
    if count < ENOUGH {
        return finding.unknown(Phrase::new(
            format!("{count} answers are not enough"),
            format!("応答が {count} 回では足りない"),
        ));
    }
    finding.pass(Phrase::new(
        format!("{count} of {count} answers from {service} {version}"),
        format!("{count} 回中 {count} 回、{service} {version} が応答"),
    ))
}

fn tell(sampled: &Sampled<'_>) -> Phrase {
    match &sampled.sample.outcome {
        Outcome::Answered(answer) => {
            let from = answer.pod.as_deref().unwrap_or("?");
            let text = format!("{} {} ({from})", answer.service, answer.version);
            Phrase::new(format!("answered by {text}"), format!("{text} が応答"))
        }
        Outcome::Failed { class, detail } => {
            let number = sampled.sample.seq;
            let class = Phrase::of_class(*class);
            Phrase::new(
                format!("request {number} failed: {}: {detail}", class.en),
                format!("リクエスト {number} が失敗: {}: {detail}", class.ja),
            )
        }
    }
}
