//! Waiting for a criterion, and asking for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::criteria::{Cause, Status, Verdict, judge};
use crate::history::criterion::{Asked, Bar, Criterion, Expected};
use crate::history::{Entry, History, Record};

/// After each look a wait rests this many times as long as the look took, so that judging never
/// takes more than a fifth of a core from the traffic that is being judged.
const REST: u32 = 4;

/// Asks for a verdict in the history, and returns it.
pub async fn ask(history: &History, asked: Asked) -> Verdict {
    let at = history.append(Entry::Asked(asked.clone()));
    let mut records = history.records();
    let is_ours = |record: &Arc<Record>| {
        record.at == at && matches!(&record.entry, Entry::Asked(other) if *other == asked)
    };
    records.truncate(records.iter().rposition(is_ours).unwrap_or(records.len()));
    off_the_runtime(move || judge(&asked, at, &records)).await
}

/// Waits until a verdict is as expected, cannot become so any more, or the limit has passed. Returns
/// whether it was decided in time.
pub async fn wait(history: &History, asked: &Asked, limit: Duration) -> bool {
    let decided = async || is_decided(&judge_now(history, asked.clone()).await);
    look_until(history, decided, limit).await
}

/// Looks whenever there is news, until what is looked for is there or the limit has passed. Returns
/// whether it is there.
async fn look_until(
    history: &History,
    mut found: impl AsyncFnMut() -> bool,
    limit: Duration,
) -> bool {
    let deadline = Instant::now() + limit;
    let mut news = history.news();
    loop {
        let began = Instant::now();
        // Under traffic there is always news, so that the deadline must be looked at by itself.
        if found().await {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        let rested = Instant::now() + began.elapsed() * REST;
        sleep_until(rested.min(deadline)).await;
        if !news.next(deadline).await {
            return false;
        }
    }
}

/// The verdict as things stand, which nobody has asked for.
pub async fn judge_now(history: &History, asked: Asked) -> Verdict {
    let (now, records) = (history.clock().now(), history.records());
    off_the_runtime(move || judge(&asked, now, &records)).await
}

/// Judges where it delays no request: a long history takes milliseconds.
async fn off_the_runtime<T: Send + 'static>(judge: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(judge).await {
        Ok(judged) => judged,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A part of a lab, with the criteria that it must meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Version 1 is deployed.
    Deployment,
    /// It is updated to version 2.
    Update,
}

impl Stage {
    /// The criteria of the stage for the main tutorial's services.
    #[must_use]
    pub fn criteria(self, deployment: &str) -> Vec<Criterion> {
        let deployment = || deployment.to_owned();
        let answers = |service: &str, version: &str| Criterion::OnlyAnswers {
            service: service.to_owned(),
            version: version.to_owned(),
            deployment: deployment(),
        };
        let complete = Criterion::RolloutComplete {
            deployment: deployment(),
        };
        match self {
            Self::Deployment => vec![complete, answers("user-service", "1.0.0")],
            Self::Update => vec![
                complete,
                answers("payment-service", "2.0.0"),
                Criterion::PodStates {
                    deployment: deployment(),
                },
                Criterion::BothAnswered {
                    deployment: deployment(),
                },
                Criterion::Envelope {
                    deployment: deployment(),
                    max_surge: 1,
                    max_unavailable: 1,
                },
                Criterion::SingleActiveReplicaSet {
                    deployment: deployment(),
                },
                Criterion::Availability {
                    bar: Bar::Measured,
                    deployment: deployment(),
                },
            ],
        }
    }
}

/// Waits until, of some criteria, just the one of a name fails, and for a cause; then asks for it.
/// Returns its verdict and those others that fail all the same.
pub async fn ask_for_the_only_failure(
    history: &History,
    criteria: &[Criterion],
    name: &str,
    cause: Cause,
    limit: Duration,
) -> Option<(Verdict, Vec<Verdict>)> {
    let meant = criteria.iter().find(|criterion| criterion.name() == name)?;
    let only_meant = async || {
        let (found, others): (Vec<_>, Vec<_>) = failures(history, criteria)
            .await
            .into_iter()
            .partition(|verdict| verdict.asked.criterion.name() == name);
        let is_found = found
            .first()
            .is_some_and(|verdict| verdict.cause == Some(cause));
        is_found && others.is_empty()
    };
    // Without it the verdicts are what they are then.
    look_until(history, only_meant, limit).await;
    let asked = Asked {
        criterion: meant.clone(),
        expected: Expected::Fails,
    };
    let verdict = ask(history, asked).await;
    let mut others = failures(history, criteria).await;
    others.retain(|other| other.asked.criterion.name() != name);
    Some((verdict, others))
}

/// The criteria that fail as things stand.
async fn failures(history: &History, criteria: &[Criterion]) -> Vec<Verdict> {
    let (now, records) = (history.clock().now(), history.records());
    let criteria = criteria.to_vec();
    off_the_runtime(move || {
        let verdicts = criteria.into_iter().map(|criterion| {
            let asked = Asked {
                criterion,
                expected: Expected::Holds,
            };
            judge(&asked, now, &records)
        });
        verdicts
            .filter(|verdict| verdict.status == Status::Fail)
            .collect()
    })
    .await
}

fn is_decided(verdict: &Verdict) -> bool {
    verdict.is_as_expected() || (verdict.is_final && verdict.asked.expected == Expected::Holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::record::Note;
    use crate::history::{Clock, Sink};

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_its_limit_though_news_never_ends() {
        let history = History::new(0, Clock::start(), Sink::none());
        let mut looks = 0;
        let found = async || {
            looks += 1;
            history.append(Entry::Note(Note {
                text: "while it was looked".to_owned(),
            }));
            sleep_until(Instant::now() + Duration::from_millis(10)).await;
            false
        };
        let began = Instant::now();
        look_until(&history, found, Duration::from_millis(100)).await;
        assert_eq!(began.elapsed(), Duration::from_millis(110));
        // Each look is followed by a rest of four times its length.
        assert_eq!(looks, 3);
    }
}
