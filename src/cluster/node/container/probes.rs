//! The probes of a running container, and what their findings change.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Life;
use crate::cluster::node::probe::{self, Finding, Purpose};

impl Life {
    /// Takes note of a probe's finding; returns whether the container must be restarted.
    pub(super) fn note(&mut self, finding: &Finding, stopping: bool, probes: &mut Probes) -> bool {
        let recorder = &self.place.host.recorder;
        if let Some(why) = &finding.failure {
            let text = format!("{} probe failed: {why}", finding.purpose.name());
            recorder.warning(self.about(), "Unhealthy", text);
        }
        match (finding.purpose, finding.holds) {
            (Purpose::Readiness, Some(ready)) if ready != self.state.ready => {
                self.state.ready = ready;
                self.publish();
                false
            }
            (Purpose::Startup, Some(true)) if !self.state.started => {
                self.state.started = true;
                self.state.ready = self.place.spec.readiness_probe.is_none();
                probes.start_main(self);
                self.publish();
                false
            }
            (Purpose::Startup | Purpose::Liveness, Some(false)) if !stopping => {
                let text = format!(
                    "Container {} failed {} probe, will be restarted",
                    self.state.name,
                    finding.purpose.name().to_lowercase()
                );
                recorder.normal(self.about(), "Killing", text);
                true
            }
            _ => false,
        }
    }
}

/// The probes of a running container; they end when this is dropped.
pub(super) struct Probes {
    pub(super) findings: mpsc::UnboundedSender<Finding>,
    pub(super) tasks: JoinSet<()>,
}

impl Probes {
    /// Readiness and liveness, which wait for a startup probe.
    pub(super) fn start_main(&mut self, life: &Life) {
        self.tasks.abort_all();
        self.start(Purpose::Readiness, life);
        self.start(Purpose::Liveness, life);
    }

    /// A container that is being stopped may still become unready.
    pub(super) fn start_only_readiness(&mut self, life: &Life) {
        if life.place.spec.startup_probe.is_some() || life.place.spec.liveness_probe.is_some() {
            self.tasks.abort_all();
            self.start(Purpose::Readiness, life);
        }
    }

    pub(super) fn start(&mut self, purpose: Purpose, life: &Life) {
        let spec = &life.place.spec;
        let probe = match purpose {
            Purpose::Startup => &spec.startup_probe,
            Purpose::Readiness => &spec.readiness_probe,
            Purpose::Liveness => &spec.liveness_probe,
        };
        if let Some(probe) = probe.clone() {
            let clock = life.place.host.clock.clone();
            let findings = self.findings.clone();
            self.tasks
                .spawn(probe::repeat(purpose, probe, life.asked(), clock, findings));
        }
    }
}
