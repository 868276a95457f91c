//! Watches: the past from the store, then each change as it comes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Call;
use super::read::{check_fields, is_selected};
use crate::cluster::apiserver::negotiate::Form;
use crate::cluster::apiserver::options::{Options, Revision};
use crate::cluster::apiserver::registry::Resource;
use crate::cluster::apiserver::reply::{self, Content, JSON, Reply};
use crate::cluster::apiserver::table;
use crate::cluster::object::refusal::{self, Refusal};
use crate::cluster::store::{Change, ChangeKind, Cursor, Expired, Stored};

/// How often a quiet watch tells its client the newest revision.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
/// How long a watch lasts whose client does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);

pub(super) fn watch(call: &Call<'_>) -> Result<Reply, Refusal> {
    check_fields(call.resource, &call.options)?;
    let asked = call.options.revision()?;
    let mut encoder = Encoder {
        resource: call.resource,
        options: call.options.clone(),
        namespace: call.path.namespace.map(str::to_owned),
        form: call.form,
        columns_sent: false,
    };
    let transaction = call.server.store.begin();
    let current = transaction.revision();
    // Without a revision, and for a streamed list, the present state comes first.
    let initial = asked == Revision::Any || call.options.watch.send_initial_events == Some(true);
    let mut first = BytesMut::new();
    let start = match asked {
        _ if initial => {
            for (_, object) in transaction.list(call.resource.collection, call.path.namespace) {
                if is_selected(call.resource, &call.options, &object.value) {
                    encoder.event(&mut first, "ADDED", object);
                }
            }
            if call.options.watch.send_initial_events == Some(true) && call.options.watch.bookmarks
            {
                encoder.bookmark(&mut first, current, true);
            }
            current
        }
        Revision::Exact(revision) | Revision::NotOlderThan(revision) => revision,
        Revision::Any => current,
    };
    drop(transaction);
    let timeout = call
        .options
        .watch
        .timeout_seconds
        .map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let tail = Tail {
        cursor: call.server.store.watch(call.resource.collection, start),
        cuts: call.server.sessions.cuts(),
        encoder,
        revision: start,
        end: Instant::now() + timeout,
        done: false,
    };
    let head = stream::iter((!first.is_empty()).then(|| Ok(first.freeze())));
    let stream = head.chain(stream::unfold(tail, Tail::next)).boxed();
    Ok(Reply {
        code: StatusCode::OK,
        content: Content::Stream(JSON, stream),
        warnings: Vec::new(),
    })
}

/// The live part of a watch.
struct Tail {
    cursor: Cursor,
    cuts: tokio::sync::watch::Receiver<u64>,
    encoder: Encoder,
    /// The newest revision that this watch has seen.
    revision: u64,
    end: Instant,
    done: bool,
}

impl Tail {
    /// The next chunk: all changes that are there, a bookmark, or an error that ends the stream.
    async fn next(mut self) -> Option<(Result<Bytes, io::Error>, Self)> {
        if self.done {
            return None;
        }
        let mut chunk = BytesMut::new();
        while chunk.is_empty() {
            let bookmark = Instant::now() + BOOKMARK_PERIOD;
            tokio::select! {
                changes = self.cursor.next() => match changes {
                    Ok(changes) => self.encode(&mut chunk, &changes),
                    Err(expired) => self.expire(&mut chunk, expired),
                },
                () = tokio::time::sleep_until(bookmark.min(self.end)) => {
                    if self.encoder.options.watch.bookmarks {
                        self.encoder.bookmark(&mut chunk, self.revision, false);
                    }
                    if Instant::now() >= self.end {
                        self.done = true;
                        break;
                    }
                }
                _ = self.cuts.changed() => {
                    self.done = true;
                    let cut = io::Error::new(io::ErrorKind::ConnectionReset, "connection cut");
                    return Some((Err(cut), self));
                }
            }
        }
        if chunk.is_empty() {
            None
        } else {
            Some((Ok(chunk.freeze()), self))
        }
    }

    fn encode(&mut self, chunk: &mut BytesMut, changes: &[Arc<Change>]) {
        for change in changes {
            self.revision = change.revision();
            if let Some((kind, object)) = self.encoder.visible(change) {
                self.encoder.event(chunk, kind, object);
            }
        }
    }

    fn expire(&mut self, chunk: &mut BytesMut, expired: Expired) {
        self.done = true;
        let status = reply::status_value(&refusal::expired(expired.to_string()));
        Encoder::line(chunk, "ERROR", status.to_string().as_bytes());
    }
}

/// Writes events in the form that the client asked for, one JSON text a line.
struct Encoder {
    resource: &'static Resource,
    options: Options,
    namespace: Option<String>,
    form: Form,
    columns_sent: bool,
}

impl Encoder {
    /// The event that a change is for this watch. An object that begins to match is added, one
    /// that no longer matches is deleted; what never matched is not shown.
    fn visible<'c>(&self, change: &'c Change) -> Option<(&'static str, &'c Stored)> {
        if self
            .namespace
            .as_ref()
            .is_some_and(|namespace| *namespace != change.key.namespace)
        {
            return None;
        }
        let selected = |object: &Stored| is_selected(self.resource, &self.options, &object.value);
        let before = change
            .previous
            .as_ref()
            .is_some_and(|previous| selected(previous));
        let after = change.kind != ChangeKind::Deleted && selected(&change.object);
        match (before, after) {
            (false, true) => Some(("ADDED", &change.object)),
            (true, true) => Some(("MODIFIED", &change.object)),
            (true, false) => Some(("DELETED", &change.object)),
            (false, false) => None,
        }
    }

    fn event(&mut self, chunk: &mut BytesMut, kind: &str, object: &Stored) {
        match self.form {
            Form::Plain => Self::line(chunk, kind, &reply::with_type(self.resource, object)),
            Form::Metadata => {
                let json = table::partial_metadata(&object.value).to_string();
                Self::line(chunk, kind, json.as_bytes());
            }
            Form::Table => {
                let table = self.rows(Some(object), object.revision);
                Self::line(chunk, kind, table.to_string().as_bytes());
            }
        }
    }

    fn bookmark(&mut self, chunk: &mut BytesMut, revision: u64, initial_end: bool) {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.form {
            Form::Table => {
                let mut table = self.rows(None, revision);
                table["metadata"] = metadata;
                table
            }
            Form::Plain => json!({
                "kind": self.resource.kind,
                "apiVersion": self.resource.api_version(),
                "metadata": metadata,
            }),
            Form::Metadata => json!({
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata,
            }),
        };
        Self::line(chunk, "BOOKMARK", object.to_string().as_bytes());
    }

    fn rows(&mut self, object: Option<&Stored>, revision: u64) -> Value {
        let with_columns = !std::mem::replace(&mut self.columns_sent, true);
        table::table(
            self.resource.strategy.printer(),
            &self.resource.api_version(),
            self.resource.kind,
            object.into_iter(),
            self.options.include_object,
            json!({"resourceVersion": revision.to_string()}),
            with_columns,
        )
    }

    fn line(chunk: &mut BytesMut, kind: &str, object: &[u8]) {
        chunk.put_slice(b"{\"type\":\"");
        chunk.put_slice(kind.as_bytes());
        chunk.put_slice(b"\",\"object\":");
        chunk.put_slice(object);
        chunk.put_slice(b"}\n");
    }
}
