//! What must hold then: criteria, each judged on the history, and a few plain facts.

use std::time::Duration;

use futures::future::{FutureExt as _, LocalBoxFuture};

use super::sentence::{Keyword, Sentence, Words};
use super::{StepError, World};
use crate::criteria::Verdict;
use crate::criteria::phrase::Language;
use crate::history::criterion::{Bar, Criterion, Expected};
use crate::lab::judge::{Stage, ask_for_the_only_failure};
use crate::provider::embedded::NODE_PORT;

/// How long a criterion may take to come true whose sentence sets no limit. A pod that ignores
/// SIGTERM is killed after 30 s.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests a second where a criterion needs some and none flow.
const RATE: f64 = 200.0;

type Ran<'a> = LocalBoxFuture<'a, Result<(), StepError>>;

#[expect(
    clippy::too_many_lines,
    reason = "a table, and the order of its rows matters to readers"
)]
pub(super) fn sentences() -> Vec<Sentence> {
    vec![
        Sentence {
            keyword: Keyword::Then,
            en: "the rollout of {deployment} completes within {seconds} seconds",
            ja: "{deployment} のロールアウトが {seconds} 秒以内に完了する",
            example_en: "the rollout of \"user-service\" completes within 300 seconds",
            example_ja: "\"user-service\" のロールアウトが 300 秒以内に完了する",
            about_en: "rollout-complete: kubectl's own rule; hopeless pods end the wait early.",
            about_ja: "rollout-complete: kubectl と同じ規則。望みのない Pod があれば待たずに終わる。",
            run: rollout_completes,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "the undo of {deployment} completes within {seconds} seconds",
            ja: "{deployment} の取り消しが {seconds} 秒以内に完了する",
            example_en: "the undo of \"user-service\" completes within 300 seconds",
            example_ja: "\"user-service\" の取り消しが 300 秒以内に完了する",
            about_en: "undo-complete: besides, the old template is back in its old ReplicaSet, \
                       under a new revision.",
            about_ja: "undo-complete: さらに、元の ReplicaSet で元のテンプレートが新しいリビジョンになる。",
            run: undo_completes,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "{count} pods of {deployment} are ready without a restart",
            ja: "{deployment} の Pod {count} 個が再起動なしで Ready になっている",
            example_en: "3 pods of \"user-service\" are ready without a restart",
            example_ja: "\"user-service\" の Pod 3 個が再起動なしで Ready になっている",
            about_en: "As kubectl get pods shows it: READY 1/1, STATUS Running, RESTARTS 0.",
            about_ja: "kubectl get pods の READY 1/1、STATUS Running、RESTARTS 0 にあたる。",
            run: pods_are_ready,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "only {service} {version} answers on node port {port}",
            ja: "NodePort {port} では {service} {version} だけが応答する",
            example_en: "only \"user-service\" \"1.0.0\" answers on node port 30000",
            example_ja: "NodePort 30000 では \"user-service\" \"1.0.0\" だけが応答する",
            about_en: "only-answers: once the path has settled, at least 30 requests on fresh \
                       connections, all answered by this version.",
            about_ja: "only-answers: 経路が落ち着いた後、新しい接続で 30 回以上、すべてこのバージョンが応答する。",
            run: only_answers,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "the pods of {deployment} went through the states of a rolling update",
            ja: "{deployment} の Pod がローリングアップデートの状態を順にたどった",
            example_en: "the pods of \"user-service\" went through the states of a rolling update",
            example_ja: "\"user-service\" の Pod がローリングアップデートの状態を順にたどった",
            about_en: "pod-states: new pods ContainerCreating, Running; old ones Running, \
                       Terminating.",
            about_ja: "pod-states: 新しい Pod は ContainerCreating、Running。古い Pod は Running、Terminating。",
            run: pod_states,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "both versions of {deployment} answered during the update",
            ja: "更新中、{deployment} の両方のバージョンが応答した",
            example_en: "both versions of \"user-service\" answered during the update",
            example_ja: "更新中、\"user-service\" の両方のバージョンが応答した",
            about_en: "both-answered: at least one answer of each; tells the mixed window.",
            about_ja: "both-answered: それぞれ 1 回以上の応答。混在区間を示す。",
            run: both_answered,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "the rollout of {deployment} kept within maxSurge {surge} and maxUnavailable \
                 {unavailable}",
            ja: "{deployment} のロールアウトは maxSurge {surge}、maxUnavailable {unavailable} \
                 の範囲に収まった",
            example_en: "the rollout of \"user-service\" kept within maxSurge 1 and maxUnavailable 1",
            example_ja: "\"user-service\" のロールアウトは maxSurge 1、maxUnavailable 1 の範囲に収まった",
            about_en: "envelope: over every watch event.",
            about_ja: "envelope: すべての watch イベントで確かめる。",
            run: envelope,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "one ReplicaSet of {deployment} is active and nothing is left of the others",
            ja: "{deployment} の有効な ReplicaSet は一つで、ほかには何も残っていない",
            example_en: "one ReplicaSet of \"user-service\" is active and nothing is left of the \
                         others",
            example_ja: "\"user-service\" の有効な ReplicaSet は一つで、ほかには何も残っていない",
            about_en: "single-active-replicaset: waits for pods that are still terminating.",
            about_ja: "single-active-replicaset: 終了中の Pod がなくなるまで待つ。",
            run: single_active,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "the availability of {deployment} during the update is reported",
            ja: "更新中の {deployment} の可用性を報告する",
            example_en: "the availability of \"user-service\" during the update is reported",
            example_ja: "更新中の \"user-service\" の可用性を報告する",
            about_en: "availability: failures by class, longest outage, and what the sample cannot \
                       show.",
            about_ja: "availability: 失敗の内訳、最長の停止、標本では分からない範囲。",
            run: availability,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "not one request to {deployment} failed during the update",
            ja: "更新中、{deployment} へのリクエストは一つも失敗しなかった",
            example_en: "not one request to \"user-service\" failed during the update",
            example_ja: "更新中、\"user-service\" へのリクエストは一つも失敗しなかった",
            about_en: "availability, with no failure allowed.",
            about_ja: "availability: 失敗を一つも許さない。",
            run: none_failed,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "requests to {deployment} failed during the update because of {cause}",
            ja: "更新中、{cause} のため {deployment} へのリクエストが失敗した",
            example_en: "requests to \"user-service\" failed during the update because of \
                         \"no-readiness-probe\"",
            example_ja: "更新中、\"no-readiness-probe\" のため \"user-service\" へのリクエストが失敗した",
            about_en: "availability: a claim of zero downtime is refuted, and the cause named.",
            about_ja: "availability: 「無停止」の主張を、原因とともに否定する。",
            run: some_failed,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "nothing is left after {seconds} seconds, and node port {port} is free",
            ja: "{seconds} 秒後には何も残らず、NodePort {port} が空いている",
            example_en: "nothing is left after 120 seconds, and node port 30000 is free",
            example_ja: "120 秒後には何も残らず、NodePort 30000 が空いている",
            about_en: "clean: the namespace is gone, and the cluster holds what it held before.",
            about_ja: "clean: 名前空間が消え、クラスタの中身が元どおり。",
            run: clean,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "of the deployment's criteria only {criterion} fails within {seconds} seconds, \
                 because of {cause}",
            ja: "展開の判定基準のうち、{cause} のため {criterion} だけが {seconds} 秒以内に不合格になる",
            example_en: "of the deployment's criteria only \"only-answers\" fails within 8 \
                         seconds, because of \"wrong-selector\"",
            example_ja: "展開の判定基準のうち、\"wrong-selector\" のため \"only-answers\" だけが 8 \
                         秒以内に不合格になる",
            about_en: "For seeded faults: this criterion must fail, for this cause, and no other.",
            about_ja: "仕込んだ不具合用: この基準だけが、この原因で不合格にならなければならない。",
            run: only_deployment_fails,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "of the update's criteria only {criterion} fails within {seconds} seconds, because \
                 of {cause}",
            ja: "更新の判定基準のうち、{cause} のため {criterion} だけが {seconds} 秒以内に不合格になる",
            example_en: "of the update's criteria only \"envelope\" fails within 8 seconds, \
                         because of \"max-unavailable\"",
            example_ja: "更新の判定基準のうち、\"max-unavailable\" のため \"envelope\" だけが 8 \
                         秒以内に不合格になる",
            about_en: "The same for an update.",
            about_ja: "更新について同じ。",
            run: only_update_fails,
        },
        Sentence {
            keyword: Keyword::Then,
            en: "the clean-up fails within {seconds} seconds, because of {cause}",
            ja: "{cause} のため、後片付けが {seconds} 秒以内に不合格になる",
            example_en: "the clean-up fails within 5 seconds, because of \"finalizer\"",
            example_ja: "\"finalizer\" のため、後片付けが 5 秒以内に不合格になる",
            about_en: "The same for clean.",
            about_ja: "clean について同じ。",
            run: clean_fails,
        },
    ]
}

fn rollout_completes<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    async {
        let criterion = Criterion::RolloutComplete {
            deployment: deployment(words),
        };
        hold(world, criterion, limit(words)?).await
    }
    .boxed_local()
}

fn undo_completes<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    async {
        let criterion = Criterion::UndoComplete {
            deployment: deployment(words),
        };
        hold(world, criterion, limit(words)?).await
    }
    .boxed_local()
}

fn pods_are_ready<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    async {
        let count = words.number("count")?;
        Ok(world
            .session()?
            .await_ready_pods(words.text("deployment"), count, PATIENCE)
            .await?)
    }
    .boxed_local()
}

fn only_answers<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    async {
        let deployment = world.session()?.deployment()?;
        let criterion = Criterion::OnlyAnswers {
            service: words.text("service").to_owned(),
            version: words.text("version").to_owned(),
            deployment,
        };
        let own_traffic = ensure_traffic(world, words).await?;
        let held = hold(world, criterion, PATIENCE).await;
        if own_traffic {
            world.session()?.stop_traffic().await;
        }
        held
    }
    .boxed_local()
}

fn pod_states<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    let criterion = Criterion::PodStates {
        deployment: deployment(words),
    };
    hold(world, criterion, PATIENCE).boxed_local()
}

fn both_answered<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    let criterion = Criterion::BothAnswered {
        deployment: deployment(words),
    };
    hold(world, criterion, Duration::ZERO).boxed_local()
}

fn envelope<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    async {
        let criterion = Criterion::Envelope {
            deployment: deployment(words),
            max_surge: words.number("surge")?,
            max_unavailable: words.number("unavailable")?,
        };
        hold(world, criterion, Duration::ZERO).await
    }
    .boxed_local()
}

fn single_active<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    let criterion = Criterion::SingleActiveReplicaSet {
        deployment: deployment(words),
    };
    hold(world, criterion, PATIENCE).boxed_local()
}

fn availability<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    let criterion = Criterion::Availability {
        bar: Bar::Measured,
        deployment: deployment(words),
    };
    hold(world, criterion, Duration::ZERO).boxed_local()
}

fn none_failed<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    let criterion = Criterion::Availability {
        bar: Bar::NoneFails,
        deployment: deployment(words),
    };
    hold(world, criterion, Duration::ZERO).boxed_local()
}

fn some_failed<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    async {
        let cause = words.cause()?;
        let criterion = Criterion::Availability {
            bar: Bar::SomeFail,
            deployment: deployment(words),
        };
        let verdict = world
            .session()?
            .ask(criterion, Expected::Holds, Duration::ZERO)
            .await;
        expect(&verdict)?;
        expect_cause(&verdict, cause)
    }
    .boxed_local()
}

fn clean<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    async {
        let session = world.session()?;
        let namespace = session.namespace()?;
        session.await_removal(limit(words)?).await?;
        let criterion = Criterion::Clean {
            namespace,
            node_port: words.number("port")?,
        };
        hold(world, criterion, Duration::ZERO).await
    }
    .boxed_local()
}

fn only_deployment_fails<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    only_fails(world, words, Stage::Deployment).boxed_local()
}

fn only_update_fails<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    only_fails(world, words, Stage::Update).boxed_local()
}

fn clean_fails<'a>(world: &'a mut World, words: &'a Words) -> Ran<'a> {
    async {
        let session = world.session()?;
        let namespace = session.namespace()?;
        let criterion = Criterion::Clean {
            namespace,
            node_port: crate::provider::embedded::NODE_PORT,
        };
        session.await_removal(limit(words)?).await?;
        let verdict = session
            .ask(criterion, Expected::Fails, Duration::ZERO)
            .await;
        expect(&verdict)?;
        expect_cause(&verdict, words.cause()?)
    }
    .boxed_local()
}

/// One criterion of a stage must fail for its cause, and no other may.
async fn only_fails(world: &mut World, words: &Words, stage: Stage) -> Result<(), StepError> {
    let cause = words.cause()?;
    let name = words.text("criterion");
    let session = world.session()?;
    let criteria = stage.criteria(&session.deployment()?);
    if !session.has_traffic() {
        session.start_traffic(NODE_PORT, RATE, true).await?;
    }
    let history = session.history();
    let found = ask_for_the_only_failure(history, &criteria, name, cause, limit(words)?).await;
    let Some((verdict, others)) = found else {
        let names: Vec<&str> = criteria.iter().map(Criterion::name).collect();
        return Err(StepError(format!(
            "\"{name}\" is no criterion of this stage; there are {}",
            names.join(", ")
        )));
    };
    expect(&verdict)?;
    expect_cause(&verdict, cause)?;
    if others.is_empty() {
        return Ok(());
    }
    let others: Vec<String> = others
        .iter()
        .map(|other| format!("{}: {}", other.asked.criterion.name(), other.seen.en))
        .collect();
    Err(StepError(format!(
        "only {name} should fail, but so did {}",
        others.join("; ")
    )))
}

async fn hold(world: &mut World, criterion: Criterion, limit: Duration) -> Result<(), StepError> {
    let verdict = world
        .session()?
        .ask(criterion, Expected::Holds, limit)
        .await;
    expect(&verdict)
}

/// Starts a flow for a criterion that needs answers, unless one flows already.
async fn ensure_traffic(world: &mut World, words: &Words) -> Result<bool, StepError> {
    let session = world.session()?;
    if session.has_traffic() {
        return Ok(false);
    }
    let port = words.number("port")?;
    session.start_traffic(port, RATE, true).await?;
    Ok(true)
}

fn expect(verdict: &Verdict) -> Result<(), StepError> {
    if verdict.is_as_expected() {
        Ok(())
    } else {
        Err(StepError(verdict.explanation(Language::English)))
    }
}

fn expect_cause(verdict: &Verdict, cause: crate::criteria::Cause) -> Result<(), StepError> {
    if verdict.cause == Some(cause) {
        return Ok(());
    }
    let found = verdict
        .cause
        .map_or("no cause", crate::criteria::Cause::name);
    Err(StepError(format!(
        "{}: expected the cause {}, found {found}: {}",
        verdict.asked.criterion.name(),
        cause.name(),
        verdict.seen.en
    )))
}

fn deployment(words: &Words) -> String {
    words.text("deployment").to_owned()
}

fn limit(words: &Words) -> Result<Duration, StepError> {
    Ok(Duration::from_secs_f64(words.number("seconds")?))
}
