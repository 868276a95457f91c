//! What a handler answers, and how it becomes an HTTP response.

use std::io;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::header::{CONTENT_TYPE, WARNING};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use serde::Serialize as _;
use serde_json::{Value, json};

use super::registry::Resource;
use crate::cluster::object::Refusal;
use crate::cluster::store::Stored;

pub(crate) type ReplyBody = UnsyncBoxBody<Bytes, io::Error>;

/// A successful answer.
pub(crate) struct Reply {
    pub(crate) code: StatusCode,
    pub(crate) content: Content,
    /// Texts for `Warning` headers, which kubectl prints.
    pub(crate) warnings: Vec<String>,
}

pub(crate) enum Content {
    /// A whole document with its content type.
    Whole(&'static str, Bytes),
    Text(String),
    /// Lines as they come.
    Stream(&'static str, BoxStream<'static, Result<Bytes, io::Error>>),
    /// Nothing more in HTTP: the headers name the protocol that goes on.
    Switch(HeaderMap),
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    pub(crate) fn json(value: &Value) -> Self {
        Self::bytes(Bytes::from(value.to_string()))
    }

    pub(crate) fn bytes(bytes: Bytes) -> Self {
        Self::whole(JSON, bytes)
    }

    /// A whole document of a content type of its own.
    pub(crate) fn whole(content_type: &'static str, bytes: Bytes) -> Self {
        Self {
            code: StatusCode::OK,
            content: Content::Whole(content_type, bytes),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            code: StatusCode::OK,
            content: Content::Text(text.into()),
            warnings: Vec::new(),
        }
    }

    /// A change of the protocol, with the headers that say to which.
    pub(crate) fn switch(headers: HeaderMap) -> Self {
        Self {
            code: StatusCode::SWITCHING_PROTOCOLS,
            content: Content::Switch(headers),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn object(resource: &Resource, object: &Stored) -> Self {
        Self::bytes(with_type(resource, object))
    }

    pub(crate) fn with_code(mut self, code: StatusCode) -> Self {
        self.code = code;
        self
    }

    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }
}

/// The JSON of an object with its `kind` and `apiVersion` put in front, without encoding it again.
pub(crate) fn with_type(resource: &Resource, object: &Stored) -> Bytes {
    let json = object.json();
    let mut bytes = BytesMut::with_capacity(json.len() + 64);
    let head = format!(
        "{{\"kind\":\"{}\",\"apiVersion\":\"{}\",",
        resource.kind,
        resource.api_version()
    );
    bytes.put_slice(head.as_bytes());
    // A stored object always has metadata, so the comma above is always followed by a field.
    bytes.put_slice(&json[1..]);
    bytes.freeze()
}

/// A list of objects, whose items carry no type, as upstream's do not.
pub(crate) fn list(resource: &Resource, metadata: &Value, objects: &[Arc<Stored>]) -> Bytes {
    let head = json!({
        "kind": format!("{}List", resource.kind),
        "apiVersion": resource.api_version(),
        "metadata": metadata,
    })
    .to_string();
    let size = objects
        .iter()
        .map(|object| object.json().len() + 1)
        .sum::<usize>();
    let mut bytes = BytesMut::with_capacity(head.len() + size + 16);
    bytes.put_slice(&head.as_bytes()[..head.len() - 1]);
    bytes.put_slice(b",\"items\":[");
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            bytes.put_u8(b',');
        }
        bytes.put_slice(object.json());
    }
    bytes.put_slice(b"]}");
    bytes.freeze()
}

/// The `Status` of a refusal as a JSON value with its type.
pub(crate) fn status_value(refusal: &Refusal) -> Value {
    let mut value = json!({"kind": "Status", "apiVersion": "v1"});
    if let Ok(Value::Object(fields)) = refusal.serialize(serde_json::value::Serializer)
        && let Value::Object(status) = &mut value
    {
        status.extend(fields);
    }
    value
}

/// Makes the HTTP response of an answer or a refusal.
pub(crate) fn respond(reply: Result<Reply, Refusal>) -> Response<ReplyBody> {
    let reply = reply.unwrap_or_else(|refusal| {
        let code = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Reply::json(&status_value(&refusal)).with_code(code)
    });
    let (content_type, body) = match reply.content {
        Content::Whole(content_type, bytes) => (content_type, full(bytes)),
        Content::Text(text) => (TEXT, full(Bytes::from(text))),
        Content::Stream(content_type, stream) => {
            let frames = StreamBody::new(stream.map(|chunk| chunk.map(Frame::data)));
            (content_type, frames.boxed_unsync())
        }
        Content::Switch(headers) => {
            let mut response = Response::new(empty());
            *response.status_mut() = reply.code;
            *response.headers_mut() = headers;
            return response;
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.code;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for warning in reply.warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::try_from(format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
    response
}

fn empty() -> ReplyBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

fn full(bytes: Bytes) -> ReplyBody {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}
