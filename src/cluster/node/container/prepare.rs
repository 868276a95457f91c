//! From a specification to a program that can run: pull, configure, create, start.
//!
//! Source: `pkg/kubelet/images/image_manager.go` for the texts of pulls.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{Api, ResourceExt as _};
use tokio::time::Instant;

use super::Life;
use crate::cluster::node::image::image_id;
use crate::cluster::node::{Program, environment, timing};

impl Life {
    /// Pulls, configures, creates and starts; tries again for ever what does not work.
    pub(super) async fn prepare(&mut self) -> (Arc<dyn Program>, BTreeMap<String, String>) {
        let program = self.pull().await;
        let env = self.configure().await;
        let host = self.place.host.clone();
        host.clock.sleep(timing::CREATE).await;
        self.state.id = format!("rollout-lab://{}", uuid::Uuid::new_v4().simple());
        host.recorder
            .normal(self.about(), "Created", "Container created");
        host.clock.sleep(timing::START).await;
        host.recorder
            .normal(self.about(), "Started", "Container started");
        (program, env)
    }

    async fn pull(&mut self) -> Arc<dyn Program> {
        let host = self.place.host.clone();
        let image = self.state.image.clone();
        let policy = self
            .place
            .spec
            .image_pull_policy
            .clone()
            .unwrap_or_default();
        loop {
            let present = host.pulled.has(&image);
            if policy == "Never" && !present {
                self.wait_for_image_that_is_never_pulled(&image).await;
                continue;
            }
            let began = Instant::now();
            let pulling = policy == "Always" || !present;
            if pulling {
                let text = format!("Pulling image \"{image}\"");
                host.recorder.normal(self.about(), "Pulling", text);
            }
            match host.images.find(&image) {
                Ok(program) => {
                    let text = if pulling {
                        host.clock.sleep(timing::PULL).await;
                        host.pulled.add(&image);
                        let took = host.clock.simulated_since(began).as_secs_f64();
                        format!(
                            "Successfully pulled image \"{image}\" in {took:.3}s ({took:.3}s \
                             including waiting). Image size: 0 bytes."
                        )
                    } else {
                        format!(
                            "Container image \"{image}\" already present on machine and can be \
                             accessed by the pod"
                        )
                    };
                    host.recorder.normal(self.about(), "Pulled", text);
                    self.state.image_id = image_id(&image);
                    return program;
                }
                Err(why) => self.pull_failed(&image, &why).await,
            }
        }
    }

    async fn wait_for_image_that_is_never_pulled(&mut self, image: &str) {
        let host = self.place.host.clone();
        let text = format!("Container image \"{image}\" is not present with pull policy of Never");
        host.recorder
            .warning(self.about(), "ErrImageNeverPull", text.clone());
        host.recorder
            .warning(self.about(), "Failed", "Error: ErrImageNeverPull");
        self.wait_state("ErrImageNeverPull", Some(text));
        host.clock.sleep(timing::CONFIG_RETRY).await;
    }

    async fn pull_failed(&mut self, image: &str, why: &str) {
        let host = self.place.host.clone();
        let recorder = &host.recorder;
        recorder.warning(
            self.about(),
            "Failed",
            format!("Failed to pull image \"{image}\": {why}"),
        );
        recorder.warning(self.about(), "Failed", "Error: ErrImagePull");
        self.wait_state("ErrImagePull", Some(why.to_owned()));
        let wait = self.pulls.after_failed_pull();
        // The back-off shows with the next look at the pod.
        host.clock.sleep(timing::NOTICE_EXIT).await;
        recorder.normal(
            self.about(),
            "BackOff",
            format!("Back-off pulling image \"{image}\""),
        );
        recorder.warning(self.about(), "Failed", "Error: ImagePullBackOff");
        let text = format!("Back-off pulling image \"{image}\": ErrImagePull: {why}");
        self.wait_state("ImagePullBackOff", Some(text));
        host.clock
            .sleep(wait.saturating_sub(timing::NOTICE_EXIT))
            .await;
    }

    async fn configure(&mut self) -> BTreeMap<String, String> {
        let host = self.place.host.clone();
        loop {
            let why = match self.environment().await {
                Ok(env) => return env,
                Err(why) => why,
            };
            host.recorder
                .warning(self.about(), "Failed", format!("Error: {why}"));
            self.wait_state("CreateContainerConfigError", Some(why));
            host.clock.sleep(timing::CONFIG_RETRY).await;
        }
    }

    async fn environment(&self) -> Result<BTreeMap<String, String>, String> {
        let pod = &self.place.pod;
        let namespace = pod.namespace().unwrap_or_default();
        let api: Api<ConfigMap> = Api::namespaced(self.place.host.client.clone(), &namespace);
        let mut found = BTreeMap::new();
        for name in environment::configmaps(&self.place.spec) {
            if let Some(configmap) = api.get_opt(name).await.map_err(|error| error.to_string())? {
                found.insert(name.to_owned(), configmap);
            }
        }
        let mut pod = Pod::clone(pod);
        pod.status.get_or_insert_default().pod_ip = Some(self.place.address.to_string());
        environment::resolve(&self.place.spec, &pod, &found)
    }
}
