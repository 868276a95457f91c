//! Quantities: `100m`, `1.5Gi`, `1e3`.
//!
//! A quantity is a number with one of three families of suffixes. It is served in canonical form:
//! no fraction, no lost precision, the largest suffix that allows both. Source:
//! `staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go`.

use std::cmp::Ordering;
use std::fmt;

/// The finest part of a number that is kept; anything finer is rounded away from zero.
const NANOS: i128 = 1_000_000_000;
/// No quantity is larger in magnitude.
const LIMIT: i128 = i64::MAX as i128 * NANOS;

/// The family of suffixes in which a quantity was written, and is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Powers of ten: `n u m k M G T P E`.
    DecimalSi,
    /// Powers of two: `Ki Mi Gi Ti Pi Ei`.
    BinarySi,
    /// Powers of ten as an exponent: `e3`.
    DecimalExponent,
}

/// A number of a resource. Quantities compare by value, whatever their suffixes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quantity {
    nanos: i128,
    format: Format,
}

/// Why a text is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QuantityError {
    #[error(
        "quantities must match the regular expression \
         '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

impl Quantity {
    pub(crate) const ZERO: Self = Self {
        nanos: 0,
        format: Format::DecimalSi,
    };

    /// Reads a quantity.
    ///
    /// # Errors
    /// [`QuantityError`] with the text that the API server answers with.
    pub(crate) fn parse(text: &str) -> Result<Self, QuantityError> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || whole.len() + fraction.len() == 0 {
            return Err(QuantityError::Format);
        }
        let (base, exponent, format) = interpret(suffix)?;
        let mut nanos = scale(whole, fraction, base, exponent);
        if text.starts_with('-') {
            nanos = -nanos;
        }
        // A fraction of a byte is shown in decimals, which can say it.
        let is_fraction = 0 < nanos && nanos < NANOS;
        let format = if format == Format::BinarySi && is_fraction {
            Format::DecimalSi
        } else {
            format
        };
        Ok(Self { nanos, format })
    }

    pub(crate) fn is_negative(self) -> bool {
        self.nanos < 0
    }

    pub(crate) fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whether the number has no fraction.
    pub(crate) fn is_whole(self) -> bool {
        self.nanos % NANOS == 0
    }

    /// The number in thousandths, rounded up: millicores of CPU.
    pub(crate) fn millis(self) -> i128 {
        const MILLI: i128 = NANOS / 1000;
        self.nanos.div_euclid(MILLI) + i128::from(self.nanos.rem_euclid(MILLI) > 0)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl std::ops::Add for Quantity {
    type Output = Self;

    /// The sum, in the format of the left side unless that is zero.
    fn add(self, other: Self) -> Self {
        let format = if self.is_zero() {
            other.format
        } else {
            self.format
        };
        Self {
            nanos: (self.nanos + other.nanos).clamp(-LIMIT, LIMIT),
            format,
        }
    }
}

/// The canonical form.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let is_small = self.nanos.abs() < 1024 * NANOS;
        if self.format == Format::BinarySi && !is_small && self.is_whole() {
            return binary(f, self.nanos / NANOS);
        }
        let exponent_form = self.format == Format::DecimalExponent;
        decimal(f, self.nanos, exponent_form)
    }
}

/// Base, exponent and family of a suffix: `Mi` is 2^20, `m` is 10^-3, `e2` is 10^2.
fn interpret(suffix: &str) -> Result<(u32, i32, Format), QuantityError> {
    let decimal = |exponent| Ok((10, exponent, Format::DecimalSi));
    let binary = |exponent| Ok((2, exponent, Format::BinarySi));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let shaped = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
            let digits = shaped.strip_prefix(['+', '-']).unwrap_or(shaped);
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(QuantityError::Format);
            }
            let exponent = suffix
                .strip_prefix(['e', 'E'])
                .and_then(|exponent| exponent.parse().ok())
                .ok_or(QuantityError::Suffix)?;
            Ok((10, exponent, Format::DecimalExponent))
        }
    }
}

/// `whole.fraction × base^exponent` in nanos, rounded up and capped.
///
/// `1.5Ki`: 15 × 10^-1 × 2^10 = 1536, that is 1 536 000 000 000 nanos.
fn scale(whole: &str, fraction: &str, base: u32, exponent: i32) -> i128 {
    // Digits far behind a nano only decide whether it is rounded up.
    let kept = fraction.len().min(20);
    let significant = fraction[..kept].trim_end_matches('0');
    let digits = format!("{whole}{significant}");
    let Ok(mantissa) = digits.trim_start_matches('0').parse::<i128>() else {
        // No digit but zeros, or too many to fit.
        let zero = digits.bytes().all(|digit| digit == b'0');
        return if zero { 0 } else { LIMIT };
    };
    let fraction_digits = i32::try_from(significant.len()).unwrap_or(i32::MAX);
    let tens = 9_i32.saturating_sub(fraction_digits);
    let (twos, tens) = if base == 2 {
        (exponent, tens)
    } else {
        (0, tens.saturating_add(exponent))
    };
    let power = |base: i128, exponent: i32| base.checked_pow(exponent.unsigned_abs());
    let scaled = power(2, twos)
        .and_then(|factor| mantissa.checked_mul(factor))
        .and_then(|doubled| match (tens < 0, power(10, tens)) {
            (false, factor) => doubled.checked_mul(factor?),
            (true, Some(divisor)) => Some(doubled / divisor + i128::from(doubled % divisor > 0)),
            // Smaller than any nano, and still not nothing.
            (true, None) => Some(1),
        });
    scaled.map_or(LIMIT, |nanos| nanos.min(LIMIT))
}

fn binary(f: &mut fmt::Formatter<'_>, mut units: i128) -> fmt::Result {
    let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].into_iter();
    let mut suffix = suffixes.next().unwrap_or_default();
    while units % 1024 == 0
        && let Some(larger) = suffixes.next()
    {
        units /= 1024;
        suffix = larger;
    }
    write!(f, "{units}{suffix}")
}

fn decimal(f: &mut fmt::Formatter<'_>, mut number: i128, exponent_form: bool) -> fmt::Result {
    let mut exponent = -9;
    while number % 1000 == 0 && exponent < 18 {
        number /= 1000;
        exponent += 3;
    }
    let suffix = match (exponent_form, exponent) {
        (_, 0) => "",
        (true, _) => return write!(f, "{number}e{exponent}"),
        (false, -9) => "n",
        (false, -6) => "u",
        (false, -3) => "m",
        (false, 3) => "k",
        (false, 6) => "M",
        (false, 9) => "G",
        (false, 12) => "T",
        (false, 15) => "P",
        (false, _) => "E",
    };
    write!(f, "{number}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn the_canonical_form_has_no_fraction_and_the_largest_suffix() {
        for (text, canonical) in [
            ("0", "0"),
            ("0Mi", "0"),
            ("100m", "100m"),
            ("0.5", "500m"),
            (".5", "500m"),
            ("5.", "5"),
            ("1000m", "1"),
            ("1000", "1k"),
            ("1500", "1500"),
            ("12000", "12k"),
            ("+2", "2"),
            ("-1.5", "-1500m"),
            ("1024Mi", "1Gi"),
            ("0.5Gi", "512Mi"),
            ("1.5Gi", "1536Mi"),
            ("128Mi", "128Mi"),
            ("1000Ki", "1000Ki"),
            ("0.5Ki", "512"),
            ("0.0005Ki", "512m"),
            ("1.0005Ki", "1024512m"),
            ("1e3", "1e3"),
            ("12E2", "1200"),
            ("1e-3", "1e-3"),
            ("5e0", "5"),
            ("1E", "1E"),
            ("0.1n", "1n"),
            ("1e-20", "1e-9"),
            ("9223372036854775808", "9223372036854775807"),
            ("1e99", "9223372036854775807"),
            ("10000Ei", "9223372036854775807"),
            (
                "99999999999999999999999999999999999999999",
                "9223372036854775807",
            ),
        ] {
            assert_eq!(parse(text).to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn quantities_compare_by_value() {
        assert_eq!(parse("1Ki"), parse("1024"));
        assert_eq!(parse("1"), parse("1000m"));
        assert!(parse("1M") < parse("1Mi"));
        assert!(parse("-1").is_negative());
        assert_eq!(
            (parse("100m") + parse("0.4")).to_string(),
            "500m",
            "sums keep their format"
        );
        assert_eq!((Quantity::ZERO + parse("1Gi")).to_string(), "1Gi");
    }

    #[test]
    fn fractions_are_rounded_up() {
        for (text, millis) in [
            ("100m", 100),
            ("1.5", 1500),
            ("-1.5", -1500),
            ("1u", 1),
            ("64Mi", 67_108_864_000),
        ] {
            assert_eq!(parse(text).millis(), millis, "{text}");
        }
        assert!(parse("2k").is_whole() && !parse("2m").is_whole());
    }

    #[test]
    fn what_is_no_quantity_is_refused_in_the_words_of_the_api() {
        for (text, error) in [
            ("", QuantityError::Format),
            ("lots", QuantityError::Format),
            ("-", QuantityError::Format),
            ("1.2.3", QuantityError::Format),
            ("1 Gi", QuantityError::Format),
            ("1GB", QuantityError::Format),
            ("1mm", QuantityError::Suffix),
            ("1ki", QuantityError::Suffix),
            ("1e", QuantityError::Suffix),
        ] {
            assert_eq!(Quantity::parse(text).unwrap_err(), error, "{text}");
        }
    }
}
