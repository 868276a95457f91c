//! The causes that a failure can be traced to, each with what to do about it.

use serde::{Deserialize, Serialize};

use super::phrase::Phrase;

/// Why a criterion failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The Service selects no pod.
    WrongSelector,
    /// The Service sends to a port on which nothing listens.
    WrongTargetPort,
    /// A ConfigMap or a key of it is missing.
    #[serde(rename = "missing-configmap")]
    MissingConfigMap,
    /// An image cannot be pulled.
    ImagePull,
    /// A container ends as soon as it starts.
    CrashAtStart,
    /// A pod fits on no node.
    Unschedulable,
    /// The strategy lets too many pods be missing.
    MaxUnavailable,
    /// The new pods answer as somebody else.
    WrongService,
    /// Requests went elsewhere, or got lost, for too long after the endpoints had switched.
    SlowPath,
    /// Old pods take their time to end.
    StillTerminating,
    /// A finalizer keeps an object.
    Finalizer,
    /// Pods got traffic before they listened.
    NoReadinessProbe,
    /// Pods ended while traffic was still sent to them.
    NoPreStop,
    /// The Service had no ready endpoint.
    NoEndpoints,
    /// The Deployment made no progress in time.
    ProgressDeadline,
    /// A node port is still in use.
    NodePortHeld,
    /// Something is there that was not there before.
    Leftover,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 17] = [
        Self::WrongSelector,
        Self::WrongTargetPort,
        Self::MissingConfigMap,
        Self::ImagePull,
        Self::CrashAtStart,
        Self::Unschedulable,
        Self::MaxUnavailable,
        Self::WrongService,
        Self::SlowPath,
        Self::StillTerminating,
        Self::Finalizer,
        Self::NoReadinessProbe,
        Self::NoPreStop,
        Self::NoEndpoints,
        Self::ProgressDeadline,
        Self::NodePortHeld,
        Self::Leftover,
    ];

    /// The name of the cause in sentences and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongSelector => "wrong-selector",
            Self::WrongTargetPort => "wrong-target-port",
            Self::MissingConfigMap => "missing-configmap",
            Self::ImagePull => "image-pull",
            Self::CrashAtStart => "crash-at-start",
            Self::Unschedulable => "unschedulable",
            Self::MaxUnavailable => "max-unavailable",
            Self::WrongService => "wrong-service",
            Self::SlowPath => "slow-path",
            Self::StillTerminating => "still-terminating",
            Self::Finalizer => "finalizer",
            Self::NoReadinessProbe => "no-readiness-probe",
            Self::NoPreStop => "no-pre-stop",
            Self::NoEndpoints => "no-endpoints",
            Self::ProgressDeadline => "progress-deadline",
            Self::NodePortHeld => "node-port-held",
            Self::Leftover => "leftover",
        }
    }

    /// Whether waiting longer is no use: the pods do not recover by themselves, or what was seen
    /// of the requests stays as it is.
    pub(super) fn is_hopeless(self) -> bool {
        matches!(
            self,
            Self::ImagePull
                | Self::CrashAtStart
                | Self::MissingConfigMap
                | Self::ProgressDeadline
                | Self::WrongTargetPort
                | Self::WrongService
                | Self::SlowPath
        )
    }

    /// What the cause is and what to do about it.
    #[must_use]
    pub fn hint(self) -> Phrase {
        let (en, ja) = match self {
            Self::WrongSelector => (
                "The Service's selector matches no pod: compare spec.selector with the labels of \
                 the pod template.",
                "Service のセレクターに一致する Pod がない。spec.selector と Pod テンプレートの\
                 ラベルを比べる。",
            ),
            Self::WrongTargetPort => (
                "Nothing listens on the Service's targetPort: compare it with the port that the \
                 container listens on.",
                "Service の targetPort で何も待ち受けていない。コンテナが待ち受けるポートと\
                 比べる。",
            ),
            Self::MissingConfigMap => (
                "A ConfigMap or one of its keys is missing: apply the ConfigMap before the \
                 Deployment.",
                "ConfigMap またはそのキーがない。Deployment より先に ConfigMap を適用する。",
            ),
            Self::ImagePull => (
                "The image cannot be pulled: check its name and tag, and whether the nodes reach \
                 the registry.",
                "イメージを取得できない。名前とタグ、ノードからレジストリに届くかを確認する。",
            ),
            Self::CrashAtStart => (
                "The container ends as soon as it starts: read its log with kubectl logs \
                 --previous.",
                "コンテナが起動直後に終了する。kubectl logs --previous でログを読む。",
            ),
            Self::Unschedulable => (
                "A pod fits on no node: compare its requests with what the nodes have left.",
                "Pod を置けるノードがない。Pod の要求とノードの空きを比べる。",
            ),
            Self::MaxUnavailable => (
                "maxUnavailable lets too many pods go at once: lower it, to 0 for an update \
                 without downtime.",
                "maxUnavailable が大きすぎて、一度に多くの Pod が外れる。小さくする。無停止に\
                 するなら 0 にする。",
            ),
            Self::WrongService => (
                "The new pods answer as another service or version than was expected: check the \
                 image and VERSION of the new template.",
                "新しい Pod が、期待とは別のサービスまたはバージョンで応答する。新しいテンプレート\
                 のイメージと VERSION を確認する。",
            ),
            Self::SlowPath => (
                "More than 5 s after the endpoints had switched, requests still went elsewhere or \
                 got lost: look at the proxy on the node (kube-proxy or its replacement), and \
                 whether machine and pods keep up.",
                "エンドポイントが切り替わって 5 秒を過ぎても、リクエストが別の所に届くか失われる。\
                 ノードのプロキシ（kube-proxy など）と、マシンや Pod の負荷を調べる。",
            ),
            Self::StillTerminating => (
                "Old pods are still terminating: a service that ignores SIGTERM is killed only \
                 when terminationGracePeriodSeconds (30 by default) has passed.",
                "古い Pod がまだ終了中。SIGTERM を無視するサービスは \
                 terminationGracePeriodSeconds（既定 30 秒）が過ぎてから強制終了される。",
            ),
            Self::Finalizer => (
                "A finalizer keeps an object, and that keeps the namespace: see its \
                 metadata.finalizers.",
                "ファイナライザーがオブジェクトを残し、名前空間が消えない。metadata.finalizers を\
                 調べる。",
            ),
            Self::NoReadinessProbe => (
                "Pods got requests before they listened: without a readinessProbe a pod counts \
                 as ready when its container has started. Add a readinessProbe.",
                "待ち受ける前の Pod にリクエストが届いた。readinessProbe がないと、コンテナの起動\
                 だけで Ready とみなされる。readinessProbe を加える。",
            ),
            Self::NoPreStop => (
                "Pods ended while the proxy still sent to them: add a preStop sleep, so that a \
                 pod ends only after its endpoint is withdrawn everywhere.",
                "プロキシがまだ送っている間に Pod が終了した。preStop に待ちを加え、エンドポイントが\
                 すべて外れてから Pod が終了するようにする。",
            ),
            Self::NoEndpoints => (
                "The Service had no ready endpoint: no pod behind it was ready.",
                "Service に Ready なエンドポイントがなかった。背後のどの Pod も Ready ではない。",
            ),
            Self::ProgressDeadline => (
                "The Deployment exceeded its progress deadline: see the state of its new pods.",
                "Deployment が進行期限を過ぎた。新しい Pod の状態を調べる。",
            ),
            Self::NodePortHeld => (
                "A Service still holds the node port: delete it, or use another port.",
                "Service がまだ NodePort を使っている。その Service を削除するか、別のポートを使う。",
            ),
            Self::Leftover => (
                "Something is left that was not there before the scenario, or the other way \
                 round: look who made or deleted it.",
                "シナリオの前になかったものが残る、またはあったものが消えた。誰が作成または削除\
                 したかを調べる。",
            ),
        };
        Phrase::new(en, ja)
    }
}

impl std::str::FromStr for Cause {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|cause| cause.name() == text)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::ALL.iter().map(|cause| cause.name()).collect();
                format!(
                    "no cause is named \"{text}\"; there are {}",
                    names.join(", ")
                )
            })
    }
}

#[cfg(test)]
mod tests;
