//! Field selectors: `metadata.name=a,status.phase!=Running`.
//!
//! Which fields a kind offers is the kind's own affair; this file only reads and compares.

/// A conjunction of comparisons on single fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldSelector(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    field: String,
    equal: bool,
    value: String,
}

impl FieldSelector {
    /// Reads `a=b,c==d,e!=f`.
    ///
    /// # Errors
    /// The text that the API server answers with.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let terms = text.split(',').filter(|term| !term.trim().is_empty());
        let comparisons = terms.map(|term| {
            let (field, equal, value) = if let Some((field, value)) = term.split_once("!=") {
                (field, false, value)
            } else if let Some((field, value)) = term.split_once("==") {
                (field, true, value)
            } else if let Some((field, value)) = term.split_once('=') {
                (field, true, value)
            } else {
                return Err(format!(
                    "invalid selector: '{text}'; can't understand '{term}'"
                ));
            };
            Ok(Comparison {
                field: field.trim().to_owned(),
                equal,
                value: value.trim().to_owned(),
            })
        });
        Ok(Self(comparisons.collect::<Result<_, _>>()?))
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|comparison| comparison.field.as_str())
    }

    /// Whether every comparison holds for the values that `value_of` gives; a field without a
    /// value compares as the empty text.
    pub(crate) fn matches(&self, value_of: impl Fn(&str) -> String) -> bool {
        self.0
            .iter()
            .all(|comparison| (value_of(&comparison.field) == comparison.value) == comparison.equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_joined_by_and() {
        let selector = FieldSelector::parse("spec.nodeName=n1,status.phase!=Running").unwrap();
        let pod = |node: &'static str, phase: &'static str| {
            move |field: &str| match field {
                "spec.nodeName" => node.to_owned(),
                _ => phase.to_owned(),
            }
        };
        assert!(selector.matches(pod("n1", "Pending")));
        assert!(!selector.matches(pod("n1", "Running")));
        assert!(!selector.matches(pod("n2", "Pending")));
    }

    #[test]
    fn a_term_without_an_operator_is_refused() {
        assert_eq!(
            FieldSelector::parse("spec.nodeName").unwrap_err(),
            "invalid selector: 'spec.nodeName'; can't understand 'spec.nodeName'"
        );
    }
}
