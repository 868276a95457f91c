//! Tables of histories with the verdict that each must get.

use super::Scene;
use crate::criteria::phrase::{Language, Phrase};
use crate::criteria::{Cause, Status, Verdict};
use crate::history::criterion::Criterion;

/// The verdict that a history must get. Texts are parts of what the verdict says was seen.
#[derive(Debug, Clone, Copy)]
pub(in crate::criteria) enum Want {
    Pass(&'static str),
    Unknown(&'static str),
    Fail {
        object: &'static str,
        seen: &'static str,
        cause: Option<Cause>,
    },
}

/// Judges a criterion on each history of a table.
#[track_caller]
pub(in crate::criteria) fn check(
    criterion: &Criterion,
    wanted: &str,
    rows: &[(&str, Scene, Want)],
) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(name, scene, want)| {
            let verdict = scene.judge(criterion);
            let why = complaints(&verdict, wanted, want);
            (!why.is_empty()).then(|| {
                let told = verdict.explanation(Language::English);
                format!("{name}: {}\n{:?} {told}", why.join("; "), verdict.status)
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn complaints(verdict: &Verdict, wanted: &str, want: &Want) -> Vec<String> {
    let mut why = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            why.push(what);
        }
    };
    let (status, seen) = match want {
        Want::Pass(seen) => (Status::Pass, seen),
        Want::Unknown(seen) => (Status::Unknown, seen),
        Want::Fail { seen, .. } => (Status::Fail, seen),
    };
    must(verdict.status == status, format!("not {status:?}"));
    must(
        verdict.wanted.en.contains(wanted),
        format!("does not want {wanted}"),
    );
    must(
        verdict.seen.en.contains(seen),
        format!("does not see {seen}"),
    );
    if let Want::Fail { object, cause, .. } = want {
        must(
            verdict.object.as_deref() == Some(*object),
            format!("not about {object}"),
        );
        must(verdict.cause == *cause, format!("not because of {cause:?}"));
        let told = verdict.explanation(Language::English);
        let hint = cause.map(|cause| cause.hint().en).unwrap_or_default();
        must(told.contains(&hint), format!("does not hint: {hint}"));
        must(
            told.contains(&format!("object: {object}")),
            "does not tell its object".to_owned(),
        );
    }
    let said = verdict.evidence.iter().map(|evidence| &evidence.text);
    for phrase in said.chain([&verdict.wanted, &verdict.seen]) {
        if let Some(slip) = slip(phrase) {
            must(false, slip);
        }
    }
    let are_finite = verdict.figures.values().all(|figure| figure.is_finite());
    must(are_finite, format!("{:?}", verdict.figures));
    why
}

/// What breaks the house style of a sentence in both languages: Japanese is plain style, with a
/// space between Japanese and Latin text and full-width marks.
pub(in crate::criteria) fn slip(phrase: &Phrase) -> Option<String> {
    let ja = &phrase.ja;
    if phrase.en.is_empty() || ja.is_empty() {
        return Some("a sentence is missing".to_owned());
    }
    let polite = ["です", "ます", "ません", "ました", "ください"];
    if let Some(word) = polite.iter().find(|word| ja.contains(*word)) {
        return Some(format!("polite {word}: {ja}"));
    }
    let is_japanese = |c: char| matches!(c, 'ぁ'..='ヿ' | '一'..='鿿');
    let letters: Vec<char> = ja.chars().collect();
    let touching = letters.windows(2).find(|pair| {
        let (one, other) = (pair[0], pair[1]);
        is_japanese(one) && (other.is_ascii_alphanumeric() || ";,(.".contains(other))
            || one.is_ascii_alphanumeric() && is_japanese(other)
    });
    touching.map(|pair| format!("{}{} touch: {ja}", pair[0], pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::scene::story::deployed;

    #[test]
    fn a_wrong_row_is_complained_of() {
        let criterion = Criterion::RolloutComplete {
            deployment: "web".to_owned(),
        };
        let verdict = deployed().judge(&criterion);
        let fail = |object, cause| Want::Fail {
            object,
            seen: "complete",
            cause,
        };
        for (wanted, want, count) in [
            ("completes", Want::Pass("complete after"), 0),
            ("completes", Want::Pass("complete before"), 1),
            ("something else", Want::Pass("complete after"), 1),
            ("completes", Want::Unknown("complete after"), 1),
            // Status, object, cause, and neither hint nor object in the explanation.
            ("completes", fail("pod/a", Some(Cause::ImagePull)), 5),
        ] {
            let why = complaints(&verdict, wanted, &want);
            assert_eq!(why.len(), count, "{want:?}: {why:?}");
        }
    }

    #[test]
    fn a_slip_of_style_is_found() {
        for (ja, is_slip) in [
            ("Pod が 3 個（最大 4 個）、Ready な Pod なし", false),
            ("Podが3 個", true),
            ("Pod が 3個", true),
            ("残っています", true),
            ("上限(4 個)", true),
            ("終わり. 次", true),
            ("", true),
        ] {
            let found = slip(&Phrase::new("three pods", ja));
            assert_eq!(found.is_some(), is_slip, "{ja}: {found:?}");
        }
    }
}
