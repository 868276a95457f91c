//! In which form a client wants its answer.
//!
//! Source: `staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go`.

use crate::cluster::object::refusal::{self, Refusal};

/// The form of an answer. All of them are JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object or list itself.
    Plain,
    /// Rows and columns for printing.
    Table,
    /// Only `metadata`, one object or a list.
    Metadata,
}

/// Chooses the first acceptable form of an `Accept` header. No header accepts anything.
///
/// # Errors
/// A 406 when nothing in the header can be served.
pub(crate) fn form(accept: Option<&str>) -> Result<Form, Refusal> {
    let Some(accept) = accept.filter(|text| !text.trim().is_empty()) else {
        return Ok(Form::Plain);
    };
    accept.split(',').find_map(acceptable).ok_or_else(|| {
        refusal::not_acceptable(
            "only the following media types are accepted: application/json, application/yaml, \
             application/vnd.kubernetes.protobuf",
        )
    })
}

fn acceptable(clause: &str) -> Option<Form> {
    let mut parameters = clause.split(';').map(str::trim);
    let media = parameters.next()?;
    if !matches!(
        media,
        "application/json" | "application/*" | "*/*" | "text/plain"
    ) {
        return None;
    }
    let mut form = Form::Plain;
    for parameter in parameters {
        match parameter {
            "as=Table" => form = Form::Table,
            "as=PartialObjectMetadata" | "as=PartialObjectMetadataList" => form = Form::Metadata,
            "g=meta.k8s.io" | "v=v1" | "v=v1beta1" | "charset=utf-8" => {}
            quality if quality.starts_with("q=") || quality.starts_with("stream=") => {}
            _ => return None,
        }
    }
    Some(form)
}

/// Whether the client prefers the aggregated discovery of `apidiscovery.k8s.io/v2`.
pub(crate) fn wants_aggregated_discovery(accept: Option<&str>) -> bool {
    accept.is_some_and(|accept| {
        accept.split(',').any(|clause| {
            ["as=APIGroupDiscoveryList", "g=apidiscovery.k8s.io", "v=v2"]
                .iter()
                .all(|wanted| clause.split(';').any(|part| part.trim() == *wanted))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_servable_form_wins() {
        for (accept, expected) in [
            (None, Form::Plain),
            (Some("application/json"), Form::Plain),
            (Some("application/json, */*"), Form::Plain),
            (
                Some("application/vnd.kubernetes.protobuf,application/json"),
                Form::Plain,
            ),
            (
                Some(
                    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;\
                     v=v1beta1;g=meta.k8s.io,application/json",
                ),
                Form::Table,
            ),
            (
                Some("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
                Form::Metadata,
            ),
        ] {
            assert_eq!(form(accept).unwrap(), expected, "{accept:?}");
        }
        assert_eq!(form(Some("image/png")).unwrap_err().code, 406);
    }

    #[test]
    fn aggregated_discovery_is_served_in_its_second_version_only() {
        let v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        assert!(wants_aggregated_discovery(Some(&format!(
            "{v2},{beta},application/json"
        ))));
        assert!(!wants_aggregated_discovery(Some(&format!(
            "{beta},application/json"
        ))));
        assert!(!wants_aggregated_discovery(None));
    }
}
