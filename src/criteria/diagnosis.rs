//! What is wrong with the pods of a rollout that does not get on.

use crate::history::State;
use crate::history::facts::{ContainerFacts, PodFacts};

use super::cause::Cause;
use super::phrase::Phrase;

/// Something that keeps a pod from running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) pod: String,
    pub(super) cause: Cause,
    pub(super) text: Phrase,
}

/// What is wrong with the first troubled pod of a ReplicaSet. A container that cannot run says
/// more than a pod that waits for its place.
pub(super) fn trouble(state: &State, replicaset_uid: &str) -> Option<Trouble> {
    let first = |of_pod: fn(&PodFacts) -> Option<(Cause, Phrase)>| {
        state.pods_of(replicaset_uid).find_map(|(name, pod)| {
            if pod.facts.terminating {
                return None;
            }
            let (cause, text) = of_pod(&pod.facts)?;
            Some(Trouble {
                pod: name.clone(),
                cause,
                text,
            })
        })
    };
    first(of_containers).or_else(|| first(of_place))
}

fn of_containers(pod: &PodFacts) -> Option<(Cause, Phrase)> {
    pod.containers.iter().find_map(|container| {
        let cause = of_container(container)?;
        let text = if container.message.is_empty() {
            format!("container {}: {}", container.name, container.state)
        } else {
            format!(
                "container {}: {}: {}",
                container.name, container.state, container.message
            )
        };
        Some((cause, Phrase::same(text)))
    })
}

fn of_container(container: &ContainerFacts) -> Option<Cause> {
    match container.state.as_str() {
        "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => Some(Cause::ImagePull),
        "CreateContainerConfigError" => Some(Cause::MissingConfigMap),
        "CrashLoopBackOff" => Some(Cause::CrashAtStart),
        // What is still tried for the first time may yet succeed.
        _ => None,
    }
}

fn of_place(pod: &PodFacts) -> Option<(Cause, Phrase)> {
    let text = Phrase::new("it has no node", "ノードが決まっていない");
    pod.node.is_none().then_some((Cause::Unschedulable, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_container_names_the_cause() {
        for (state, expected) in [
            ("ImagePullBackOff", Some(Cause::ImagePull)),
            ("InvalidImageName", Some(Cause::ImagePull)),
            ("ErrImageNeverPull", Some(Cause::ImagePull)),
            ("ErrImagePull", None),
            ("CreateContainerConfigError", Some(Cause::MissingConfigMap)),
            ("CrashLoopBackOff", Some(Cause::CrashAtStart)),
            ("Error", None),
            ("ContainerCreating", None),
            ("running", None),
        ] {
            let container = ContainerFacts {
                state: state.to_owned(),
                ..ContainerFacts::default()
            };
            assert_eq!(of_container(&container), expected, "{state}");
        }
    }
}
