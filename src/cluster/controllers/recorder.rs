//! Writes Events: what the controllers, the scheduler and the nodes tell about an object.
//!
//! Source: `staging/src/k8s.io/client-go/tools/record/event.go`.

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Resource};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::correlator::{Correlator, Decision};
use crate::cluster::clock::{self, Clock};

/// Something worth telling about an object.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) component: &'static str,
    /// The node, for notes of a kubelet.
    pub(crate) host: Option<String>,
    pub(crate) about: ObjectReference,
    pub(crate) kind: NoteKind,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoteKind {
    Normal,
    Warning,
}

impl NoteKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

impl Note {
    /// Who tells it, about what.
    pub(super) fn identity(&self) -> String {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        format!(
            "{}|{}|{}|{}|{}|{}|{}",
            self.component,
            text(&self.host),
            text(&self.about.kind),
            text(&self.about.namespace),
            text(&self.about.name),
            text(&self.about.uid),
            text(&self.about.field_path),
        )
    }
}

/// Hands notes to the task that writes them, in order, without waiting.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    component: &'static str,
    host: Option<String>,
    notes: mpsc::UnboundedSender<Note>,
}

impl Recorder {
    /// A recorder and the task that writes for it; the task ends with the last recorder.
    pub(crate) fn new(client: Client, clock: Clock, component: &'static str) -> Self {
        let (notes, inbox) = mpsc::unbounded_channel();
        tokio::spawn(write(client, clock, inbox));
        Self {
            component,
            host: None,
            notes,
        }
    }

    /// The same recorder for a node's kubelet.
    pub(crate) fn on_host(self, host: &str) -> Self {
        Self {
            host: Some(host.to_owned()),
            ..self
        }
    }

    pub(crate) fn normal(
        &self,
        about: ObjectReference,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        self.tell(about, NoteKind::Normal, reason, message.into());
    }

    pub(crate) fn warning(
        &self,
        about: ObjectReference,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        self.tell(about, NoteKind::Warning, reason, message.into());
    }

    fn tell(&self, about: ObjectReference, kind: NoteKind, reason: &'static str, message: String) {
        let note = Note {
            component: self.component,
            host: self.host.clone(),
            about,
            kind,
            reason,
            message,
        };
        // The writer outlives all recorders, so the note always arrives.
        let _ = self.notes.send(note);
    }
}

/// The reference by which an event names an object.
pub(crate) fn reference<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    ObjectReference {
        resource_version: object.meta().resource_version.clone(),
        ..object.object_ref(&())
    }
}

async fn write(client: Client, clock: Clock, mut inbox: mpsc::UnboundedReceiver<Note>) {
    let mut correlator = Correlator::default();
    while let Some(note) = inbox.recv().await {
        let namespace = note.about.namespace.as_deref().unwrap_or("default");
        let events: Api<Event> = Api::namespaced(client.clone(), namespace);
        match correlator.judge(&note, Instant::now(), clock.pace()) {
            Decision::Drop => {}
            Decision::Create { key, message } => {
                let event = event(&note, namespace, message);
                let name = event.metadata.name.clone().unwrap_or_default();
                // Refused in a namespace that goes away: nobody could read it there.
                if events.create(&PostParams::default(), &event).await.is_ok() {
                    correlator.created(key, name);
                }
            }
            Decision::Count {
                name,
                count,
                message,
            } => {
                let again = json!({
                    "count": count,
                    "message": message,
                    "lastTimestamp": Time(clock::timestamp()),
                });
                let patch = Patch::Merge(again);
                if events
                    .patch(&name, &PatchParams::default(), &patch)
                    .await
                    .is_err()
                {
                    correlator.gone(&name);
                }
            }
        }
    }
}

fn event(note: &Note, namespace: &str, message: String) -> Event {
    let now = clock::timestamp();
    let about = note.about.name.clone().unwrap_or_default();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{about}.{:x}", now.as_nanosecond())),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: note.about.clone(),
        reason: Some(note.reason.to_owned()),
        message: Some(message),
        source: Some(EventSource {
            component: Some(note.component.to_owned()),
            host: note.host.clone(),
        }),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        count: Some(1),
        type_: Some(note.kind.name().to_owned()),
        reporting_component: Some(note.component.to_owned()),
        reporting_instance: note.host.clone(),
        ..Event::default()
    }
}
