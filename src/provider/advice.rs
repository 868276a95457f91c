//! What to do next, by what a tool printed before it failed.
//!
//! The tools of the field print what went wrong in their own words, or in those of the engine below
//! them. What a person can do about it is known for the usual causes.

/// Words that a tool prints, and what to do then. The first that fits is taken.
const KNOWN: &[(&[&str], &str)] = &[
    (
        &["no space left on device", "RSRC_DOCKER_STORAGE"],
        "free some disk space where the engine keeps its images (docker system df; docker system \
         prune)",
    ),
    (
        &[
            "permission denied while trying to connect to the docker",
            "PROVIDER_DOCKER_NEWGRP",
        ],
        "let this user talk to the engine (usually: add it to the group docker and log in again)",
    ),
    (
        &[
            "Cannot connect to the Docker daemon",
            "failed to connect to the docker API at",
            "PROVIDER_DOCKER_NOT_RUNNING",
            "Is the docker daemon running",
            "unable to connect to Podman",
        ],
        "start the container engine, and see that this user may use it",
    ),
    (
        &["port is already allocated", "address already in use"],
        "stop what holds the port, or choose another with --publish ADDRESS:PORT=30000",
    ),
    (
        &["DRV_AS_ROOT"],
        "run it as another user than root: minikube's docker driver refuses root",
    ),
    (
        &[
            "RSRC_INSUFFICIENT",
            "insufficient memory",
            "not enough memory",
        ],
        "give the engine more memory and processors, or make the cluster smaller with --nodes",
    ),
    (
        &[
            "failed to pull image",
            "no such host",
            "Temporary failure in name resolution",
            "INET_",
            "i/o timeout",
            "TLS handshake timeout",
        ],
        "an image could not be fetched: check that this machine is online, or pull the image \
         beforehand and name it with --node-image",
    ),
    (
        &["too many open files"],
        "raise the limits of inotify (sysctl fs.inotify.max_user_instances=512 \
         fs.inotify.max_user_watches=524288)",
    ),
];

/// What to do about a failure, where its words are known.
pub(super) fn on(printed: &str) -> Option<&'static str> {
    // The same words are written with other capitals from release to release.
    let printed = printed.to_lowercase();
    let fits = |signs: &[&str]| {
        signs
            .iter()
            .any(|sign| printed.contains(&sign.to_lowercase()))
    };
    KNOWN
        .iter()
        .find(|(signs, _)| fits(signs))
        .map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_causes_have_a_next_step() {
        for (printed, advice) in [
            (
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker \
                 daemon running?",
                "start the container engine",
            ),
            (
                "failed to pull image \"kindest/node:v9.9.9\": command \"docker pull\" failed",
                "an image could not be fetched",
            ),
            (
                "Bind for 127.0.0.1:30000 failed: port is already allocated",
                "choose another with --publish",
            ),
            (
                "write /var/lib/containerd/x: no space left on device",
                "free some disk space",
            ),
            (
                "Exiting due to DRV_AS_ROOT: the \"docker\" driver",
                "another user than root",
            ),
        ] {
            assert!(on(printed).unwrap().contains(advice), "{printed}");
        }
        assert_eq!(on("ERROR: unknown flag: --nodez"), None);
    }
}
