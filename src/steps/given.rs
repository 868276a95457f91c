//! What holds before: cluster, namespace, pace, first deployment, traffic.

use std::time::Duration;

use futures::future::{FutureExt as _, LocalBoxFuture};

use super::sentence::{Keyword, Sentence, Words};
use super::{StepError, World};

pub(super) fn sentences() -> Vec<Sentence> {
    vec![
        Sentence {
            keyword: Keyword::Given,
            en: "a cluster with at least {count} ready nodes",
            ja: "Ready なノードが {count} 個以上あるクラスタ",
            example_en: "a cluster with at least 1 ready nodes",
            example_ja: "Ready なノードが 1 個以上あるクラスタ",
            about_en: "The cluster that the run was given has enough nodes.",
            about_ja: "実行に使うクラスタに十分なノードがある。",
            run: nodes,
        },
        Sentence {
            keyword: Keyword::Given,
            en: "the pace is at most {pace}",
            ja: "ペースは最大 {pace} である",
            example_en: "the pace is at most 5",
            example_ja: "ペースは最大 5 である",
            about_en: "Slows an embedded cluster down to so many times real time, so that enough \
                       requests fall into the update; a real cluster has pace 1 anyway.",
            about_ja: "組み込みクラスタを実時間のこの倍率まで遅くし、更新中のリクエスト数を確保する。実クラスタは常に 1。",
            run: pace,
        },
        Sentence {
            keyword: Keyword::Given,
            en: "the namespace {namespace}",
            ja: "名前空間 {namespace} がある",
            example_en: "the namespace \"app-dev\"",
            example_ja: "名前空間 \"app-dev\" がある",
            about_en: "Creates the namespace for this scenario; refuses one that exists already.",
            about_ja: "このシナリオの名前空間を作る。既にあるものには触れない。",
            run: namespace,
        },
        Sentence {
            keyword: Keyword::Given,
            en: "these files are applied and rolled out within {seconds} seconds:",
            ja: "次のファイルを適用し、{seconds} 秒以内に展開が終わっている:",
            example_en: "these files are applied and rolled out within 300 seconds:",
            example_ja: "次のファイルを適用し、300 秒以内に展開が終わっている:",
            about_en: "Applies the files of the table and waits for the last Deployment in them.",
            about_ja: "表のファイルを適用し、最後の Deployment の完了を待つ。",
            run: rolled_out,
        },
        Sentence {
            keyword: Keyword::Given,
            en: "requests flow to node port {port} at {rate} per second",
            ja: "NodePort {port} に毎秒 {rate} 回のリクエストが流れている",
            example_en: "requests flow to node port 30000 at 200 per second",
            example_ja: "NodePort 30000 に毎秒 200 回のリクエストが流れている",
            about_en: "Sends requests, each on a connection of its own, until the scenario ends; \
                       goes on when ten in a row were answered.",
            about_ja: "シナリオの終わりまで、毎回新しい接続でリクエストを送る。10 回続けて応答したら次へ進む。",
            run: fresh_requests,
        },
        Sentence {
            keyword: Keyword::Given,
            en: "requests flow over kept connections to node port {port} at {rate} per second",
            ja: "NodePort {port} に接続を使い回して毎秒 {rate} 回のリクエストが流れている",
            example_en: "requests flow over kept connections to node port 30000 at 200 per second",
            example_ja: "NodePort 30000 に接続を使い回して毎秒 200 回のリクエストが流れている",
            about_en: "The same over connections that are used again, for comparison.",
            about_ja: "比較のため、接続を使い回して送る。",
            run: kept_requests,
        },
    ]
}

fn nodes<'a>(world: &'a mut World, words: &'a Words) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async {
        let wanted: usize = words.number("count")?;
        let nodes = world.session()?.cluster().describe().nodes;
        if nodes.len() < wanted {
            return Err(StepError(format!(
                "expected at least {wanted} ready nodes, saw {}: {}",
                nodes.len(),
                nodes.join(", ")
            )));
        }
        Ok(())
    }
    .boxed_local()
}

fn pace<'a>(world: &'a mut World, words: &'a Words) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async {
        world.session()?.limit_pace(words.number("pace")?);
        Ok(())
    }
    .boxed_local()
}

fn namespace<'a>(
    world: &'a mut World,
    words: &'a Words,
) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async {
        Ok(world
            .session()?
            .create_namespace(words.text("namespace"))
            .await?)
    }
    .boxed_local()
}

fn rolled_out<'a>(
    world: &'a mut World,
    words: &'a Words,
) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async {
        let session = world.session()?;
        for row in &words.rows {
            session
                .apply(row.first().map_or("", String::as_str))
                .await?;
        }
        session
            .await_rollout(Duration::from_secs_f64(words.number("seconds")?))
            .await?;
        Ok(())
    }
    .boxed_local()
}

fn fresh_requests<'a>(
    world: &'a mut World,
    words: &'a Words,
) -> LocalBoxFuture<'a, Result<(), StepError>> {
    requests(world, words, true).boxed_local()
}

fn kept_requests<'a>(
    world: &'a mut World,
    words: &'a Words,
) -> LocalBoxFuture<'a, Result<(), StepError>> {
    requests(world, words, false).boxed_local()
}

async fn requests(
    world: &mut World,
    words: &Words,
    fresh_connections: bool,
) -> Result<(), StepError> {
    let session = world.session()?;
    let (port, rate) = (words.number("port")?, words.number("rate")?);
    session.start_traffic(port, rate, fresh_connections).await?;
    session.await_answers().await?;
    Ok(())
}
