//! Whose log a request means: the container, and which run of it.
//!
//! Source: `validateContainer` of `pkg/registry/core/pod/strategy.go` and
//! `validateContainerLogStatus` of `pkg/kubelet/kubelet_pods.go`.

use serde_json::Value;

use crate::cluster::apiserver::options::LogOptions;
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, Refusal};

/// The container that is asked for, or the only one.
///
/// # Errors
/// A 400 where the pod has no such container, or several and none is named.
pub(super) fn container<'a>(pod: &'a Value, asked: Option<&str>) -> Result<&'a str, Refusal> {
    let name = meta::name(pod);
    let names: Vec<&str> = pod["spec"]["containers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|container| container["name"].as_str())
        .collect();
    match (asked, names.as_slice()) {
        (Some(asked), _) => names
            .into_iter()
            .find(|name| *name == asked)
            .ok_or_else(|| format!("container {asked} is not valid for pod {name}")),
        (None, [only]) => Ok(*only),
        (None, _) => Err(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            names.join(" ")
        )),
    }
    .map_err(refusal::bad_request)
}

/// The id of the run whose log is meant: the present one, else the last; or the one before.
///
/// # Errors
/// A 400 where there was no such run.
pub(super) fn run<'a>(
    pod: &'a Value,
    container: &str,
    options: &LogOptions,
) -> Result<&'a str, Refusal> {
    let name = meta::name(pod);
    let which = format!("container \"{container}\" in pod \"{name}\"");
    let status = pod["status"]["containerStatuses"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|status| status["name"] == container)
        .ok_or_else(|| refusal::bad_request(format!("{which} is not available")))?;
    let id = |part: &'a Value| {
        part["containerID"]
            .as_str()
            .filter(|container| !container.is_empty())
    };
    let last = id(&status["lastState"]["terminated"]);
    let state = &status["state"];
    let found = if options.previous {
        last.ok_or_else(|| format!("previous terminated {which} not found"))
    } else if state["running"].is_object() {
        id(status).ok_or_else(|| format!("{which} is not available"))
    } else if state["terminated"].is_object() {
        let ended = id(&state["terminated"]).or(last);
        ended.ok_or_else(|| format!("{which} is terminated"))
    } else if let Some(last) = last {
        Ok(last)
    } else {
        let why = match state["waiting"]["reason"].as_str() {
            Some("ErrImagePull") => ": image can't be pulled".to_owned(),
            Some("ImagePullBackOff") => ": trying and failing to pull image".to_owned(),
            Some(reason) => format!(": {reason}"),
            None => " - no logs yet".to_owned(),
        };
        Err(format!("{which} is waiting to start{why}"))
    };
    found.map_err(refusal::bad_request)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::apiserver::options::Options;

    fn mk_options(previous: bool) -> LogOptions {
        let query = format!("previous={previous}");
        Options::parse(&query).unwrap().log
    }

    fn mk_pod(containers: &[&str], status: &Value) -> Value {
        let containers: Vec<Value> = containers
            .iter()
            .map(|name| json!({"name": name}))
            .collect();
        json!({
            "metadata": {"name": "p"},
            "spec": {"containers": containers},
            "status": {"containerStatuses": [status]},
        })
    }

    #[test]
    fn a_container_is_named_or_the_only_one() {
        let (one, two) = (
            mk_pod(&["app"], &json!({})),
            mk_pod(&["app", "side"], &json!({})),
        );
        assert_eq!(container(&one, None).unwrap(), "app");
        assert_eq!(container(&two, Some("side")).unwrap(), "side");
        for (pod, asked, expected) in [
            (&one, Some("x"), "container x is not valid for pod p"),
            (
                &two,
                None,
                "a container name must be specified for pod p, choose one of: [app side]",
            ),
        ] {
            let refused = container(pod, asked).unwrap_err();
            assert_eq!((refused.code, refused.message.as_str()), (400, expected));
        }
    }

    #[test]
    fn the_present_run_is_read_else_the_last_and_the_one_before_on_demand() {
        let ended = |id: &str| json!({"terminated": {"containerID": id}});
        let running = json!({"running": {}});
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        for (state, last, previous, expected) in [
            (&running, json!({}), false, "now"),
            (&running, ended("before"), false, "now"),
            (&running, ended("before"), true, "before"),
            (&ended("end"), ended("before"), false, "end"),
            (&ended(""), ended("before"), false, "before"),
            (&waiting, ended("before"), false, "before"),
            (&waiting, ended("before"), true, "before"),
        ] {
            let status =
                json!({"name": "app", "containerID": "now", "state": state, "lastState": last});
            let options = mk_options(previous);
            let pod = mk_pod(&["app"], &status);
            assert_eq!(run(&pod, "app", &options).unwrap(), expected, "{status}");
        }
    }

    #[test]
    fn what_never_ran_has_no_log() {
        let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
        let which = "container \"app\" in pod \"p\"";
        for (state, previous, expected) in [
            (
                waiting("ContainerCreating"),
                false,
                format!("{which} is waiting to start: ContainerCreating"),
            ),
            (
                waiting("ErrImagePull"),
                false,
                format!("{which} is waiting to start: image can't be pulled"),
            ),
            (
                waiting("ImagePullBackOff"),
                false,
                format!("{which} is waiting to start: trying and failing to pull image"),
            ),
            (
                json!({}),
                false,
                format!("{which} is waiting to start - no logs yet"),
            ),
            (
                json!({"terminated": {}}),
                false,
                format!("{which} is terminated"),
            ),
            (
                json!({"running": {}}),
                true,
                format!("previous terminated {which} not found"),
            ),
        ] {
            let options = mk_options(previous);
            let pod = mk_pod(&["app"], &json!({"name": "app", "state": state}));
            let refused = run(&pod, "app", &options).unwrap_err();
            assert_eq!((refused.code, refused.message), (400, expected));
        }
        let unknown = mk_pod(&["app"], &json!({"name": "other"}));
        let refused = run(&unknown, "app", &LogOptions::default()).unwrap_err();
        assert_eq!(refused.message, format!("{which} is not available"));
    }
}
