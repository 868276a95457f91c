//! Which cluster it was, in words: every figure of a report is true of that one only.

use crate::criteria::Phrase;
use crate::history::record::{AccessKind, Cluster};

/// One line on a cluster: where it comes from, its version, its nodes, its pace, and how requests
/// get in. Clusters of one run that differ in their addresses only have the same line.
#[must_use]
pub fn cluster(cluster: &Cluster) -> Phrase {
    let Cluster {
        provider,
        version,
        nodes,
        ..
    } = cluster;
    let nodes = nodes.len();
    let (pace, access) = (pace(cluster.pace), access(cluster.access.kind));
    Phrase::new(
        format!(
            "{provider} {version}, {nodes} nodes, {}; requests go {}",
            pace.en, access.en
        ),
        format!(
            "{provider} {version}、ノード {nodes} 個、{}。リクエストは{}",
            pace.ja, access.ja
        ),
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
            line.en
                .starts_with("embedded v1.36.2, 1 nodes, 20 times as fast as real time;"),
            "{}",
            line.en
        );
        assert!(line.ja.contains("実時間の 20 倍速"), "{}", line.ja);
        described.access.address = "127.4.5.6".to_owned();
        assert_eq!(cluster(&described), line);
        described.pace = 1.0;
        assert!(cluster(&described).en.contains("in real time"));
    }
}
