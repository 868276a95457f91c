//! What is done: apply, undo, delete.

use futures::future::{FutureExt as _, LocalBoxFuture};

use super::sentence::{Keyword, Sentence, Words};
use super::{StepError, World};

pub(super) fn sentences() -> Vec<Sentence> {
    vec![
        Sentence {
            keyword: Keyword::When,
            en: "I apply {file}",
            ja: "{file} を適用する",
            example_en: "I apply \"k8s/base/deployment-v2.yaml\"",
            example_ja: "\"k8s/base/deployment-v2.yaml\" を適用する",
            about_en: "Applies all objects of a manifest file, found beside the feature or in a \
                       folder above it.",
            about_ja: "マニフェストの全オブジェクトを適用する。ファイルはフィーチャの隣か、その上のフォルダで探す。",
            run: apply,
        },
        Sentence {
            keyword: Keyword::When,
            en: "I undo the rollout of {deployment}",
            ja: "{deployment} のロールアウトを取り消す",
            example_en: "I undo the rollout of \"user-service\"",
            example_ja: "\"user-service\" のロールアウトを取り消す",
            about_en: "Goes back to the revision before, as kubectl rollout undo does.",
            about_ja: "kubectl rollout undo と同じく、一つ前のリビジョンに戻す。",
            run: undo,
        },
        Sentence {
            keyword: Keyword::When,
            en: "I undo the rollout of {deployment} to revision {revision}",
            ja: "{deployment} をリビジョン {revision} に戻す",
            example_en: "I undo the rollout of \"user-service\" to revision 1",
            example_ja: "\"user-service\" をリビジョン 1 に戻す",
            about_en: "Goes back to a revision, as kubectl rollout undo --to-revision does.",
            about_ja: "kubectl rollout undo --to-revision と同じく、指定のリビジョンに戻す。",
            run: undo_to,
        },
        Sentence {
            keyword: Keyword::When,
            en: "I delete the namespace",
            ja: "名前空間を削除する",
            example_en: "I delete the namespace",
            example_ja: "名前空間を削除する",
            about_en: "Deletes the scenario's namespace with all that is in it.",
            about_ja: "シナリオの名前空間を中身ごと削除する。",
            run: delete_namespace,
        },
        Sentence {
            keyword: Keyword::When,
            en: "the requests stop",
            ja: "リクエストを止める",
            example_en: "the requests stop",
            example_ja: "リクエストを止める",
            about_en: "Ends the flow of requests and waits for the last answers.",
            about_ja: "リクエストの流れを止め、残りの応答を待つ。",
            run: stop_traffic,
        },
        Sentence {
            keyword: Keyword::When,
            en: "the connection to the API breaks",
            ja: "API への接続が切れる",
            example_en: "the connection to the API breaks",
            example_ja: "API への接続が切れる",
            about_en: "Breaks every open watch of an embedded cluster; the observer must resume.",
            about_ja: "組み込みクラスタの watch をすべて切る。観測は再開されなければならない。",
            run: cut,
        },
    ]
}

fn apply<'a>(world: &'a mut World, words: &'a Words) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async { Ok(world.session()?.apply(words.text("file")).await?) }.boxed_local()
}

fn undo<'a>(world: &'a mut World, words: &'a Words) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async {
        Ok(world
            .session()?
            .undo(words.text("deployment"), None)
            .await?)
    }
    .boxed_local()
}

fn undo_to<'a>(
    world: &'a mut World,
    words: &'a Words,
) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async {
        let revision = words.number("revision")?;
        Ok(world
            .session()?
            .undo(words.text("deployment"), Some(revision))
            .await?)
    }
    .boxed_local()
}

fn delete_namespace<'a>(
    world: &'a mut World,
    _: &'a Words,
) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async { Ok(world.session()?.delete_namespace().await?) }.boxed_local()
}

fn stop_traffic<'a>(
    world: &'a mut World,
    _: &'a Words,
) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async {
        world.session()?.stop_traffic().await;
        Ok(())
    }
    .boxed_local()
}

fn cut<'a>(world: &'a mut World, _: &'a Words) -> LocalBoxFuture<'a, Result<(), StepError>> {
    async {
        world.session()?.cluster().cut_connections();
        Ok(())
    }
    .boxed_local()
}
