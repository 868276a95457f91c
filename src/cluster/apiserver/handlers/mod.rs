//! One file per verb or subresource. A handler runs to its end under one transaction; only
//! watches, followed logs and forwarded ports outlive it, as streams and sessions.

mod apply;
mod create;
mod delete;
mod log;
mod other;
mod portforward;
mod read;
mod scale;
#[cfg(test)]
mod tests;
mod update;
mod watch;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use hyper::upgrade::OnUpgrade;

use super::ApiServer;
use super::apply::{Claim, MEDIA_TYPE, Scope};
use super::body;
use super::discovery;
use super::negotiate::{self, Form};
use super::options::Options;
use super::registry::{self, Resource, Subresource};
use super::reply::Reply;
use super::request::{self, ResourcePath, Target, Verb};
use super::schema;
use crate::cluster::object::refusal::{self, Refusal};
use crate::cluster::store::Key;

/// Subresources of a pod that are a conversation with its processes.
const SESSIONS: [&str; 2] = ["attach", "exec"];

/// A request to a resource, understood.
struct Call<'a> {
    server: &'a ApiServer,
    resource: &'static Resource,
    path: ResourcePath<'a>,
    options: Options,
    form: Form,
    headers: &'a HeaderMap,
    body: &'a Bytes,
    /// What becomes of the connection when the answer changes the protocol, where it can.
    upgrade: Option<OnUpgrade>,
}

impl Call<'_> {
    /// The key of the object that the path names.
    fn key(&self) -> Key {
        Key::new(
            self.path.namespace.unwrap_or_default(),
            self.path.name.unwrap_or_default(),
        )
    }

    /// Who writes, as `managedFields` names it: what the client says, else the program before the
    /// slash of its `User-Agent`.
    fn manager(&self) -> &str {
        let agent = || header(self.headers, USER_AGENT)?.split('/').next();
        self.options
            .write
            .field_manager
            .as_deref()
            .or_else(agent)
            .filter(|manager| !manager.is_empty())
            .unwrap_or("unknown")
    }

    /// Whether a patch is a configuration to apply.
    fn applies(&self) -> bool {
        body::media_type(self.headers) == MEDIA_TYPE
    }

    /// What this request may own of the object that it writes.
    fn claim(&self, subresource: Option<Subresource>) -> Claim<'_> {
        Claim {
            schema: schema::of(self.resource),
            manager: self.manager(),
            api_version: self.resource.api_version(),
            subresource: subresource.map_or("", Subresource::name),
            scope: match subresource {
                Some(Subresource::Status) => Scope::Status,
                _ if self.resource.strategy.has_status() => Scope::AllButStatus,
                _ => Scope::Whole,
            },
            time: create::now(),
        }
    }
}

/// Answers a request.
///
/// # Errors
/// The refusal that becomes the response.
pub(super) fn handle(server: &ApiServer, parts: &Parts, body: &Bytes) -> Result<Reply, Refusal> {
    let path = match request::target(parts.uri.path()) {
        Target::Resource(path) => path,
        Target::Other(path) => return Ok(other::answer(path, parts)),
    };
    if discovery::resources(path.group, path.version).is_none() {
        return Ok(other::not_found());
    }
    let resource = registry::find(path.group, path.version, path.resource)
        .ok_or_else(refusal::unknown_resource)?;
    if path.namespace.is_some() && !resource.is_namespaced() {
        return Err(refusal::unknown_resource());
    }
    let options = Options::parse(parts.uri.query().unwrap_or_default())?;
    let form = negotiate::form(header(&parts.headers, ACCEPT))?;
    let verb = request::verb(&parts.method, &path, options.watch.asked)
        .ok_or_else(refusal::method_not_allowed)?;
    let subresource = match path.subresource {
        Some(name) if resource.kind == "Pod" && SESSIONS.contains(&name) => {
            return Err(refusal::no_session(name));
        }
        Some(name) => Some(
            resource
                .subresource(name)
                .ok_or_else(refusal::unknown_resource)?,
        ),
        None => None,
    };
    let call = Call {
        server,
        resource,
        path,
        options,
        form,
        headers: &parts.headers,
        body,
        upgrade: parts.extensions.get().cloned(),
    };
    match (subresource, verb) {
        (None | Some(Subresource::Status), Verb::Get) => read::get(&call),
        (None, Verb::List) => read::list(&call),
        (None, Verb::Watch) => watch::watch(&call),
        (None, Verb::Create) => create::create(&call),
        (None | Some(Subresource::Status | Subresource::Finalize), Verb::Update) => {
            update::replace(&call, subresource)
        }
        (None | Some(Subresource::Status), Verb::Patch) if call.applies() => {
            apply::apply(&call, subresource)
        }
        (None | Some(Subresource::Status), Verb::Patch) => update::patch(&call, subresource),
        (None, Verb::Delete) => delete::delete(&call),
        (None, Verb::DeleteCollection) => delete::delete_collection(&call),
        (Some(Subresource::Scale), Verb::Get | Verb::Update | Verb::Patch) => {
            scale::scale(&call, verb)
        }
        (Some(Subresource::Binding), Verb::Create) => update::bind(&call),
        (Some(Subresource::Log), Verb::Get) => log::log(&call),
        (Some(Subresource::PortForward), Verb::Get | Verb::Create) => {
            portforward::port_forward(&call)
        }
        _ => Err(refusal::method_not_allowed()),
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
