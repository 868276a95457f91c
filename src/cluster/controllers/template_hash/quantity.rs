//! Resource quantities as Go holds them: `1536Mi` is a number, a scale, a format and sometimes its
//! own text.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go`.

use std::fmt::Write as _;

/// Decimal digits that surely fit the 64 bits of the fast form.
const FAST_DIGITS: i32 = 18;
/// Nothing is kept below 10⁻⁹.
const NANO: i32 = -9;
/// Suffixes by their power of 1000, from 10⁻⁹ on.
const DECIMAL_SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// Suffixes by their power of 1024.
const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// How a quantity likes to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Format {
    /// Only the bare `0` has none.
    #[default]
    None,
    /// `100m`, `2k`.
    DecimalSi,
    /// `1e3`.
    DecimalExponent,
    /// `64Mi`.
    BinarySi,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::DecimalSi => "DecimalSI",
            Self::DecimalExponent => "DecimalExponent",
            Self::BinarySi => "BinarySI",
        }
    }
}

/// A quantity: `digits` × 10^`exponent` × 1024^`binary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Quantity {
    digits: i128,
    exponent: i32,
    binary: u32,
    format: Format,
}

impl Quantity {
    /// Reads a quantity; `None` where the text is none or its number is beyond all sense.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, unsigned) = match text.as_bytes().first()? {
            b'-' => (-1, &text[1..]),
            b'+' => (1, &text[1..]),
            _ => (1, text),
        };
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let (exponent, binary, format) = read_suffix(suffix)?;
        let format = if text == "0" { Format::None } else { format };
        Some(Self {
            digits: sign * digits,
            exponent: exponent - i32::try_from(fraction.len()).ok()?,
            binary,
            format,
        })
    }

    /// A text that quantities of the same amount have in common: `1Gi` and `1073741824`.
    pub(super) fn amount(self) -> String {
        let (digits, exponent) = self.decimal();
        format!("{digits}e{exponent}")
    }

    /// The amount as digits that do not end in zero, and their power of ten.
    fn decimal(self) -> (i128, i32) {
        let mut digits = self.digits.saturating_mul(1024_i128.pow(self.binary));
        let mut exponent = self.exponent;
        if digits == 0 {
            return (0, 0);
        }
        // What is too small is rounded up, so that who asks for something gets something.
        while exponent < NANO && digits.abs() > 1 {
            digits = digits / 10 + (digits % 10).signum();
            exponent += 1;
        }
        exponent = exponent.max(NANO);
        while digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        (digits, exponent)
    }

    /// The quantity as the API server serves it: `1024Mi` is `1Gi`, `0.5` is `500m`.
    ///
    /// Worked example: 1536Mi is 1610612736, which 1024 divides twice, and no third time; so it
    /// stays `1536Mi`. 0.5Ki is 512, below 1024, so it is written decimally: `512`.
    fn canonical(self) -> Self {
        let (mut digits, mut exponent) = self.decimal();
        if digits == 0 {
            return Self::default();
        }
        if self.format == Format::BinarySi
            && exponent >= 0
            && let Some(mut whole) = 10_i128
                .checked_pow(exponent.unsigned_abs())
                .and_then(|power| digits.checked_mul(power))
            && whole.abs() >= 1024
        {
            let mut binary = 0;
            while whole % 1024 == 0 && binary < 6 {
                whole /= 1024;
                binary += 1;
            }
            return Self {
                digits: whole,
                exponent: 0,
                binary,
                // Without a suffix it is read as decimal again.
                format: if binary > 0 {
                    Format::BinarySi
                } else {
                    Format::DecimalSi
                },
            };
        }
        while exponent.rem_euclid(3) != 0 {
            digits = digits.saturating_mul(10);
            exponent -= 1;
        }
        let format = match self.format {
            Format::DecimalExponent => Format::DecimalExponent,
            _ => Format::DecimalSi,
        };
        Self {
            digits,
            exponent,
            binary: 0,
            format,
        }
    }

    /// The text of a canonical quantity.
    fn text(self) -> String {
        let suffix = match self.format {
            _ if self.exponent == 0 && self.binary == 0 => String::new(),
            Format::BinarySi => at(&BINARY_SUFFIXES, self.binary).to_owned(),
            Format::DecimalSi if (NANO..=18).contains(&self.exponent) => {
                at(&DECIMAL_SUFFIXES, (self.exponent / 3 + 3).unsigned_abs()).to_owned()
            }
            _ => format!("e{}", self.exponent),
        };
        format!("{}{suffix}", self.digits)
    }

    /// The quantity as Go prints the struct that it reads the canonical text into.
    pub(super) fn go(self) -> String {
        let canonical = self.canonical();
        let digits = canonical.digits.unsigned_abs().to_string();
        let text = canonical.text();
        let whole = canonical.digits * 1024_i128.pow(canonical.binary);
        let (amount, decimal, cached) = if canonical.is_fast(digits.len()) {
            // The text is kept where a quick look says that it is canonical.
            let kept = match canonical.format {
                Format::BinarySi => canonical.digits & 7 != 0,
                _ => !digits.ends_with("000"),
            };
            let cached = if kept { text.as_str() } else { "" };
            ((whole, canonical.exponent), "<nil>".to_owned(), cached)
        } else {
            ((0, 0), big_decimal(whole, canonical.exponent), "")
        };
        format!(
            "{{i:(resource.int64Amount){{value:(int64){} scale:(resource.Scale){}}} \
             d:(resource.infDecAmount){{Dec:(*inf.Dec){decimal}}} s:(string){cached} \
             Format:(resource.Format){}}}",
            amount.0,
            amount.1,
            canonical.format.name(),
        )
    }

    /// Whether Go reads the canonical text into 64 bits. Its guess at the room that a binary suffix
    /// takes is generous: `1Pi` and `100Ti` are already too large.
    fn is_fast(self, digits: usize) -> bool {
        let digits = i32::try_from(digits).unwrap_or(i32::MAX);
        let room = match self.format {
            Format::BinarySi => 15 - 1 - i32::try_from(self.binary * 3).unwrap_or(i32::MAX),
            _ => FAST_DIGITS,
        };
        digits <= room
    }
}

/// The power of ten, the power of 1024 and the format of a suffix.
fn read_suffix(suffix: &str) -> Option<(i32, u32, Format)> {
    if suffix.is_empty() {
        return Some((0, 0, Format::DecimalSi));
    }
    if let Some(binary) = position(&BINARY_SUFFIXES, suffix) {
        return Some((0, u32::try_from(binary).ok()?, Format::BinarySi));
    }
    if let Some(decimal) = position(&DECIMAL_SUFFIXES, suffix) {
        let power = i32::try_from(decimal).ok()? * 3 + NANO;
        return Some((power, 0, Format::DecimalSi));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((exponent, 0, Format::DecimalExponent))
}

fn position(suffixes: &[&str], suffix: &str) -> Option<usize> {
    suffixes.iter().position(|known| *known == suffix)
}

fn at<'a>(suffixes: &[&'a str], index: u32) -> &'a str {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    suffixes.get(index).copied().unwrap_or_default()
}

/// A number that is too large for the fast form, as Go prints its arbitrary precision: sign, 64-bit
/// words from the lowest on, and the negated power of ten.
fn big_decimal(digits: i128, exponent: i32) -> String {
    let mut words = String::new();
    let mut rest = digits.unsigned_abs();
    while rest > 0 {
        let space = if words.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(words, "{space}{}", rest & u128::from(u64::MAX));
        rest >>= 64;
    }
    format!(
        "{{unscaled:(big.Int){{neg:(bool){} abs:(big.nat)[{words}]}} scale:(inf.Scale){}}}",
        digits < 0,
        -exponent
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Quantity::parse(text).unwrap().canonical().text()
    }

    #[test]
    fn quantities_are_written_in_their_canonical_form() {
        for (text, expected) in [
            ("0", "0"),
            ("0Mi", "0"),
            ("1", "1"),
            ("100m", "100m"),
            ("0.5", "500m"),
            ("1.5", "1500m"),
            ("1000", "1k"),
            ("10000", "10k"),
            ("1000m", "1"),
            ("1000000", "1M"),
            ("1e3", "1e3"),
            ("10e2", "1e3"),
            ("1024Mi", "1Gi"),
            ("1536Mi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("0.5Ki", "512"),
            ("1.5Ki", "1536"),
            ("1e-999999999", "1e-9"),
            ("-2", "-2"),
            ("1n", "1n"),
            ("0.1n", "1n"),
            ("2E", "2E"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn the_same_amount_may_be_written_in_many_ways() {
        for (left, right, same) in [
            ("1Gi", "1073741824", true),
            ("1", "1000m", true),
            ("1e3", "1k", true),
            ("1Ki", "1k", false),
            ("0", "0Mi", true),
        ] {
            let amount = |text| Quantity::parse(text).unwrap().amount();
            assert_eq!(amount(left) == amount(right), same, "{left} {right}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "one", "1 Gi", "1.2.3", "5q", "Mi", "1e"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn go_keeps_the_text_of_some_and_the_number_of_most() {
        for (text, value, scale, cached, format) in [
            ("100m", 100, -3, "100m", "DecimalSI"),
            ("1Gi", 1_073_741_824, 0, "1Gi", "BinarySI"),
            ("128Mi", 134_217_728, 0, "", "BinarySI"),
            ("100Mi", 104_857_600, 0, "100Mi", "BinarySI"),
            ("1e9", 1, 9, "1e9", "DecimalExponent"),
            ("0", 0, 0, "0", ""),
        ] {
            assert_eq!(
                Quantity::parse(text).unwrap().go(),
                format!(
                    "{{i:(resource.int64Amount){{value:(int64){value} \
                     scale:(resource.Scale){scale}}} \
                     d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){cached} \
                     Format:(resource.Format){format}}}"
                )
            );
        }
        let large = Quantity::parse("100Ti").unwrap().go();
        assert!(
            large.contains("value:(int64)0 scale:(resource.Scale)0"),
            "{large}"
        );
        assert!(
            large.contains("abs:(big.nat)[109951162777600]} scale:(inf.Scale)0}"),
            "{large}"
        );
    }
}
