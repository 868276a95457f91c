//! Which cluster it was, in words: every figure of a report is true of that one only.

use crate::criteria::Phrase;
use crate::history::record::{AccessKind, Cluster};

/// One line on a cluster: where it comes from, its version, its nodes, its pace, and how requests
/// get in. Of a cluster that others may use too it says which; the embedded ones of one run differ
/// in their addresses only and have the same line.
#[must_use]
pub fn cluster(cluster: &Cluster) -> Phrase {
    let Cluster {
        provider, version, ..
    } = cluster;
    let (nodes, pace) = (nodes(cluster), pace(cluster.pace));
    let access = access(cluster.access.kind);
    Phrase::new(
        format!(
            "{provider}, Kubernetes {version}, {}, {}; requests go {}",
            nodes.en, pace.en, access.en
        ),
        format!(
            "{provider}、Kubernetes {version}、{}、{}。リクエストは{}",
            nodes.ja, pace.ja, access.ja
        ),
    )
}

fn nodes(cluster: &Cluster) -> Phrase {
    let count = cluster.nodes.len();
    if cluster.access.kind == AccessKind::EmbeddedProxy {
        return Phrase::new(format!("{count} nodes"), format!("ノード {count} 個"));
    }
    let (server, names) = (&cluster.server, cluster.nodes.join(", "));
    Phrase::new(
        format!("at {server}, {count} nodes ({names})"),
        format!("{server}、ノード {count} 個（{names}）"),
    )
}

/// How fast the time of a cluster goes.
#[must_use]
pub fn pace(pace: f64) -> Phrase {
    if (pace - 1.0).abs() < f64::EPSILON {
        return Phrase::new("in real time", "実時間");
    }
    Phrase::new(
        format!("{pace} times as fast as real time"),
        format!("実時間の {pace} 倍速"),
    )
}

/// How requests reach a node port, and what that makes of a failure.
fn access(kind: AccessKind) -> Phrase {
    match kind {
        AccessKind::EmbeddedProxy => Phrase::new(
            "through the embedded proxy, which accepts before it looks for a backend: where there \
             is none, a real cluster refuses and this one resets",
            "組み込みのプロキシを通る。接続を受けてから宛先を探すため、宛先がないとき実際のクラスタでは\
             接続拒否になるところが、ここではリセットになる",
        ),
        AccessKind::MappedPort => Phrase::new(
            "to a port of this machine that the container engine maps to a node: it accepts for the \
             node, so a missing backend may show as a reset",
            "コンテナエンジンがノードに割り当てたこのマシンのポートに届く。ノードの代わりに接続を\
             受けるため、宛先がないときはリセットになることがある",
        ),
        AccessKind::ApiForward => Phrase::new(
            "through the API server and a kubelet, by port-forward to one pod each: an outage of \
             either counts as one of the service, and kube-proxy is not on the way",
            "API サーバと kubelet を経由し、port-forward で Pod に直接届く。そのどちらかの停止も\
             サービスの停止に数えられ、kube-proxy は通らない",
        ),
        AccessKind::Tunnel => Phrase::new(
            "through a tunnel of the tool that made the cluster: it accepts for the node, so a \
             missing backend may show as a reset, and an outage of the tunnel counts as one of the \
             service",
            "クラスタを作ったツールのトンネルを通る。ノードの代わりに接続を受けるため、宛先がないときは\
             リセットになることがあり、トンネルの停止もサービスの停止に数えられる",
        ),
        AccessKind::NodeAddress => Phrase::new(
            "to the address of a node, where kube-proxy or its like takes them",
            "ノードのアドレスへ直接届き、kube-proxy などが振り分ける",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::record::Access;

    #[test]
    fn the_line_says_how_far_a_figure_holds_and_leaves_addresses_out() {
        let mut described = Cluster {
            provider: "embedded".to_owned(),
            server: "in process".to_owned(),
            version: "v1.36.2".to_owned(),
            nodes: vec!["lab".to_owned()],
            pace: 20.0,
            access: Access {
                kind: AccessKind::EmbeddedProxy,
                address: "127.1.2.3".to_owned(),
            },
        };
        let line = cluster(&described);
        assert!(
            line.en.starts_with(
                "embedded, Kubernetes v1.36.2, 1 nodes, 20 times as fast as real time;"
            ),
            "{}",
            line.en
        );
        assert!(line.ja.contains("実時間の 20 倍速"), "{}", line.ja);
        described.access.address = "127.4.5.6".to_owned();
        assert_eq!(cluster(&described), line);
        described.pace = 1.0;
        assert!(cluster(&described).en.contains("in real time"));
        described.access.kind = AccessKind::NodeAddress;
        described.server = "https://10.0.0.1:6443/".to_owned();
        let line = cluster(&described);
        assert!(
            line.en.contains("at https://10.0.0.1:6443/, 1 nodes (lab)"),
            "{}",
            line.en
        );
    }
}
