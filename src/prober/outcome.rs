//! What an answer or an error means.

use std::error::Error;
use std::io::{self, ErrorKind};

use serde::Deserialize;

use crate::history::record::{Answer, FailureClass, Outcome};

/// Characters of a bad answer that are kept.
const EXCERPT: usize = 80;

/// What a service must say of itself; the rest of its answer is its own affair.
#[derive(Deserialize)]
struct Body {
    service: String,
    version: String,
    pod: Option<String>,
}

/// What a complete answer means.
pub(super) fn of_answer(status: u16, body: &[u8]) -> Outcome {
    let excerpt = || {
        String::from_utf8_lossy(body)
            .chars()
            .take(EXCERPT)
            .collect::<String>()
    };
    if status != 200 {
        return failed(
            FailureClass::Http,
            format!("status {status}: {}", excerpt()),
        );
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body {
            service,
            version,
            pod,
        }) => Outcome::Answered(Answer {
            service,
            version,
            pod,
        }),
        Err(error) => failed(FailureClass::BadBody, format!("{error}: {}", excerpt())),
    }
}

/// What an error of connecting, sending or reading means; `None` where this host, not the service,
/// is at its limits.
pub(super) fn of_error(error: &(dyn Error + 'static)) -> Option<Outcome> {
    let io = chain(error).find_map(|cause| cause.downcast_ref::<io::Error>());
    let class = match io.map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => FailureClass::Refused,
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => FailureClass::NoRoute,
        Some(ErrorKind::TimedOut) => FailureClass::Timeout,
        Some(ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse) => return None,
        _ if io.is_some_and(is_out_of_files) => return None,
        // A connection that ended before its answer did, in whichever way.
        _ => FailureClass::Reset,
    };
    let causes: Vec<String> = chain(error).map(ToString::to_string).collect();
    Some(failed(class, causes.join(": ")))
}

pub(super) fn timed_out() -> Outcome {
    failed(FailureClass::Timeout, "no answer in time".to_owned())
}

fn failed(class: FailureClass, detail: String) -> Outcome {
    Outcome::Failed { class, detail }
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// `EMFILE` or `ENFILE`, which have no kind of their own.
fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_200_that_says_who_answers_is_an_answer() {
        let good = of_answer(200, br#"{"service":"s","version":"1","extra":true}"#);
        assert!(matches!(good, Outcome::Answered(Answer { pod: None, .. })));
        for (status, body, class) in [
            (503, "busy", FailureClass::Http),
            (200, r#"{"ok":true}"#, FailureClass::BadBody),
            (200, "<html>", FailureClass::BadBody),
        ] {
            let outcome = of_answer(status, body.as_bytes());
            assert!(matches!(outcome, Outcome::Failed { class: found, .. } if found == class));
        }
    }

    #[test]
    fn errors_are_told_apart() {
        for (kind, class) in [
            (ErrorKind::ConnectionRefused, Some(FailureClass::Refused)),
            (ErrorKind::ConnectionReset, Some(FailureClass::Reset)),
            (ErrorKind::UnexpectedEof, Some(FailureClass::Reset)),
            (ErrorKind::NetworkUnreachable, Some(FailureClass::NoRoute)),
            (ErrorKind::AddrNotAvailable, None),
        ] {
            let found = of_error(&io::Error::from(kind)).map(|outcome| match outcome {
                Outcome::Failed { class, .. } => class,
                Outcome::Answered(_) => unreachable!(),
            });
            assert_eq!(found, class, "{kind}");
        }
        assert!(of_error(&io::Error::from_raw_os_error(24)).is_none());
    }
}
