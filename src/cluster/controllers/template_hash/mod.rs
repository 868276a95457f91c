//! The `pod-template-hash`: which version of a pod template a `ReplicaSet` runs, in a short name.
//!
//! Upstream hashes the text that a debugger would print of the Go struct. That text is an accident
//! of Go, but the hash is in every pod's name, and `kubectl` output, tutorials and recordings show
//! it; so this module writes the same text. All files here are pure.
//!
//! ```text
//! defaulted template ─► text (driven by fields.txt) ─► FNV-1a ─► letters that spell no words
//! ```
//!
//! Source: `pkg/controller/controller_utils.go`, `ComputeHash`; `k8s.io/utils/dump`, `ForHash`;
//! `staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go`, `SafeEncodeString`.

mod fields;
mod quantity;
mod text;

use serde_json::Value;

pub(super) use self::text::meaning;

const FNV_OFFSET: u32 = 2_166_136_261;
const FNV_PRIME: u32 = 16_777_619;
/// Letters and digits that spell no words, the same that generated names use.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a defaulted template, as JSON. Two different templates of one `Deployment` may have
/// the same; `collision_count` then makes another.
pub(super) fn template_hash(template: &Value, collision_count: Option<i32>) -> String {
    let mut hash = fnv(FNV_OFFSET, text::template_text(template).as_bytes());
    if let Some(count) = collision_count {
        // Eight bytes, of which a 32-bit count fills the first four.
        hash = fnv(hash, &count.to_le_bytes());
        hash = fnv(hash, &[0; 4]);
    }
    encode(&hash.to_string())
}

/// FNV-1a over more bytes, from the hash of those before.
fn fnv(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(FNV_PRIME)
    })
}

/// Replaces each character by a letter of the alphabet: `3826002220` becomes `7d6b446664`.
fn encode(digits: &str) -> String {
    digits
        .bytes()
        .map(|digit| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()]))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vector {
        name: String,
        template: Value,
        text: String,
        hash: String,
        with_collision_count: Vec<String>,
    }

    fn vectors() -> Vec<Vector> {
        let json = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/golden/hash/vectors.json"
        ));
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn recorded_templates_have_their_recorded_text_and_hashes() {
        let vectors = vectors();
        assert_eq!(vectors.len(), 56);
        for vector in vectors {
            let name = &vector.name;
            assert_eq!(text::template_text(&vector.template), vector.text, "{name}");
            assert_eq!(template_hash(&vector.template, None), vector.hash, "{name}");
            for (count, hash) in (0..).zip(&vector.with_collision_count) {
                assert_eq!(
                    &template_hash(&vector.template, Some(count)),
                    hash,
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn fnv_has_its_published_values() {
        assert_eq!(fnv(FNV_OFFSET, b""), 2_166_136_261);
        assert_eq!(fnv(FNV_OFFSET, b"a"), 0xe40c_292c);
        assert_eq!(encode(&fnv(FNV_OFFSET, b"a").to_string()), "7d6b446664");
    }
}
