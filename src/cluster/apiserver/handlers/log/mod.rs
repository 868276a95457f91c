//! `pods/NAME/log`: what a container has printed, and what it prints until it ends.

mod excerpt;
mod source;
#[cfg(test)]
mod tests;

use std::io;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use http::StatusCode;
use tokio::sync::watch;

use self::excerpt::Excerpt;
use super::Call;
use super::update::current;
use crate::cluster::apiserver::reply::{Content, Reply};
use crate::cluster::clock;
use crate::cluster::logs::{Log, Reader};
use crate::cluster::object::meta;
use crate::cluster::object::refusal::Refusal;

/// The type of a log, which upstream serves without a character set.
const PLAIN: &str = "text/plain";

pub(super) fn log(call: &Call<'_>) -> Result<Reply, Refusal> {
    let key = call.key();
    let options = &call.options.log;
    options.check(&key.name)?;
    let pod = current(call, &call.server.store.begin())?;
    let container = source::container(&pod.value, options.container.as_deref())?;
    if pod.value["spec"]["nodeName"].is_null() {
        return Ok(Reply::whole(PLAIN, Bytes::new()).with_code(StatusCode::NO_CONTENT));
    }
    let run = source::run(&pod.value, container, options)?;
    let log = call
        .server
        .logs
        .find(meta::uid(&pod.value), container, run)
        // The node has just taken the pod away; the pod's status comes after.
        .unwrap_or_else(Log::ended);
    let mut excerpt = Excerpt::new(options, clock::timestamp());
    let mut reader = log.reader();
    let first = excerpt.take(&reader.ready());
    if !options.follow {
        return Ok(Reply::whole(PLAIN, first));
    }
    let tail = Tail {
        reader,
        excerpt,
        cuts: call.server.sessions.cuts(),
        cut: false,
    };
    let head = stream::iter((!first.is_empty()).then_some(Ok(first)));
    let stream = head.chain(stream::unfold(tail, Tail::next)).boxed();
    Ok(Reply {
        code: StatusCode::OK,
        content: Content::Stream(PLAIN, stream),
        warnings: Vec::new(),
    })
}

/// What is followed: it ends with the container, or when the connection is cut.
struct Tail {
    reader: Reader,
    excerpt: Excerpt,
    cuts: watch::Receiver<u64>,
    cut: bool,
}

impl Tail {
    async fn next(mut self) -> Option<(Result<Bytes, io::Error>, Self)> {
        if self.cut || self.excerpt.is_full() {
            return None;
        }
        tokio::select! {
            lines = self.reader.next() => {
                let bytes = self.excerpt.take(&lines?);
                Some((Ok(bytes), self))
            }
            _ = self.cuts.changed() => {
                self.cut = true;
                let cut = io::Error::new(io::ErrorKind::ConnectionReset, "connection cut");
                Some((Err(cut), self))
            }
        }
    }
}
