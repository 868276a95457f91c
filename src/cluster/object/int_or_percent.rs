//! Numbers that may be given as a percentage of a whole: `maxSurge: 1` or `maxSurge: 25%`.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go`.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Which way a part of a pod is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    Up,
    Down,
}

/// A text that is no percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PercentError {
    /// It does not end in `%`.
    #[error("invalid value for IntOrString: invalid type: string is not a percentage")]
    NoPercentage,
    /// What stands before the `%` is no number.
    #[error(
        "invalid value for IntOrString: invalid value \"{0}\": strconv.Atoi: parsing \"{1}\": \
         invalid syntax"
    )]
    NoNumber(String, String),
}

/// The number that is meant, given the whole that percentages refer to.
///
/// `25%` of 10 is 2.5: 3 rounded up (surge), 2 rounded down (unavailable).
///
/// # Errors
/// [`PercentError`] for a text that is no percentage.
pub(crate) fn resolve(value: &IntOrString, total: i32, round: Round) -> Result<i32, PercentError> {
    let percent = match value {
        IntOrString::Int(number) => return Ok(*number),
        IntOrString::String(text) => percentage(text)?,
    };
    let hundredths = i64::from(percent) * i64::from(total);
    let rounded = match round {
        Round::Down => hundredths.div_euclid(100),
        Round::Up => -(-hundredths).div_euclid(100),
    };
    Ok(i32::try_from(rounded).unwrap_or(i32::MAX))
}

/// Whether a text is written as a percentage must be: digits and a `%`.
pub(crate) fn is_percentage(text: &str) -> bool {
    text.strip_suffix('%').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn percentage(text: &str) -> Result<i32, PercentError> {
    let number = text.strip_suffix('%').ok_or(PercentError::NoPercentage)?;
    number
        .parse()
        .map_err(|_| PercentError::NoNumber(text.to_owned(), number.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> IntOrString {
        IntOrString::String(text.to_owned())
    }

    #[test]
    fn percentages_are_rounded_up_for_surge_and_down_for_unavailable() {
        for (value, total, up, down) in [
            (IntOrString::Int(3), 10, 3, 3),
            (text("25%"), 1, 1, 0),
            (text("25%"), 2, 1, 0),
            (text("25%"), 3, 1, 0),
            (text("25%"), 4, 1, 1),
            (text("25%"), 5, 2, 1),
            (text("25%"), 10, 3, 2),
            (text("0%"), 10, 0, 0),
            (text("100%"), 7, 7, 7),
            (text("150%"), 3, 5, 4),
            (text("50%"), 0, 0, 0),
        ] {
            let resolved = [Round::Up, Round::Down].map(|round| resolve(&value, total, round));
            assert_eq!(resolved, [Ok(up), Ok(down)], "{value:?} of {total}");
        }
    }

    #[test]
    fn a_text_that_is_no_percentage_is_refused() {
        let refusal = |value: &str| {
            resolve(&text(value), 10, Round::Up)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refusal("5"),
            "invalid value for IntOrString: invalid type: string is not a percentage"
        );
        assert_eq!(
            refusal("a%"),
            "invalid value for IntOrString: invalid value \"a%\": strconv.Atoi: parsing \"a\": \
             invalid syntax"
        );
        for (value, good) in [
            ("1%", true),
            ("150%", true),
            ("%", false),
            ("-1%", false),
            ("5", false),
        ] {
            assert_eq!(is_percentage(value), good, "{value}");
        }
    }
}
