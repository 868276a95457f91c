//! The random ends of generated names.

use rand::RngExt as _;

/// Letters and digits that spell no words. Source:
/// `staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go`.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const LENGTH: usize = 5;
/// How much of a prefix is kept, so that the name still fits where only 63 characters do.
const PREFIX_LENGTH: usize = 58;

/// A name that begins with a prefix and ends in five random characters.
pub(crate) fn after(prefix: &str) -> String {
    let mut name: String = prefix.chars().take(PREFIX_LENGTH).collect();
    let mut random = rand::rng();
    for _ in 0..LENGTH {
        name.push(char::from(ALPHABET[random.random_range(..ALPHABET.len())]));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_prefix_and_fits_a_label() {
        let name = after("web-");
        assert!(name.starts_with("web-") && name.len() == 9, "{name}");
        assert_eq!(after(&"x".repeat(80)).len(), 63);
    }
}
