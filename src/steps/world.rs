//! What cucumber carries from step to step: the scenario's session and its limits.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::StepError;
use crate::history::History;
use crate::lab::Session;

/// The state of a scenario. Empty until the run has set its scene.
#[derive(Debug, Default, cucumber::World)]
pub struct World {
    scene: Option<Scene>,
}

/// What a run gives a scenario.
#[derive(Debug)]
pub struct Scene {
    /// The scenario's session.
    pub session: Session,
    /// Ends the scenario early.
    pub cancel: CancellationToken,
    /// How long a step may take.
    pub step_limit: Duration,
}

impl World {
    /// Sets the scene, before the first step.
    pub fn set(&mut self, scene: Scene) {
        self.scene = Some(scene);
    }

    /// Takes the scene away, after the last step.
    pub fn take(&mut self) -> Option<Scene> {
        self.scene.take()
    }

    /// The session of the scenario.
    ///
    /// # Errors
    /// The scene was not set.
    pub fn session(&mut self) -> Result<&mut Session, StepError> {
        self.scene
            .as_mut()
            .map(|scene| &mut scene.session)
            .ok_or_else(no_scene)
    }

    pub(super) fn history(&self) -> Result<History, StepError> {
        let scene = self.scene.as_ref().ok_or_else(no_scene)?;
        Ok(scene.session.history().clone())
    }

    pub(super) fn limits(&self) -> Result<(CancellationToken, Duration), StepError> {
        let scene = self.scene.as_ref().ok_or_else(no_scene)?;
        Ok((scene.cancel.clone(), scene.step_limit))
    }
}

fn no_scene() -> StepError {
    StepError("the scenario has no cluster".to_owned())
}
