//! `rollout-lab app`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::interrupt::{Signal, Signals};
use super::{Ended, Failure};
use crate::app::{OnSigterm, PORT, SampleService, Settings, boot_seconds};
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(super) struct AppArgs {
    /// Which service
    #[arg(value_enum)]
    service: SampleService,
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = PORT)]
    port: u16,
    /// Address to listen on
    #[arg(long, env = "HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Version to answer with
    #[arg(long, env = "VERSION", default_value = "1.0.0")]
    version: String,
    /// Name of the pod to answer with
    #[arg(long, env = "HOSTNAME", default_value = "local")]
    pod: String,
    // A person who starts it wants it at once, and without a fight to end it.
    /// Seconds from the start until it listens
    #[arg(long, env = "BOOT_SECONDS", default_value = "0", value_parser = boot_seconds)]
    boot_seconds: Duration,
    /// What to do about a SIGTERM
    #[arg(long, env = "ON_SIGTERM", value_enum, default_value_t = OnSigterm::End)]
    on_sigterm: OnSigterm,
}

pub(super) async fn app(args: AppArgs) -> Ended {
    let settings = Settings {
        port: args.port,
        version: args.version,
        pod: args.pod,
        boot: args.boot_seconds,
        on_sigterm: Some(args.on_sigterm),
    };
    let failed = Failure::failed;
    let signals = Signals::listen().map_err(|error| failed(error.into()))?;
    let mut end = std::pin::pin!(end(signals, args.service.ends_on_sigterm(&settings)));
    if let Ok(exit) = timeout(settings.boot, &mut end).await {
        return Ok(exit);
    }
    let place = (args.host, args.port);
    let listener = TcpListener::bind(place).await.map_err(|error| {
        let place = format!("{}:{}", args.host, args.port);
        let text = format!("could not listen on {place}; choose another with --port");
        failed(anyhow::Error::new(error).context(text))
    })?;
    println!("{}", args.service.greeting(&settings));
    tokio::select! {
        () = args.service.serve(listener, &settings) => Ok(Exit::Held),
        exit = end => Ok(exit),
    }
}

/// Waits for a signal that ends the service.
///
/// It has a handler for each signal: as process 1 of a container it would get none of them
/// otherwise, and anywhere else it would end by them.
async fn end(mut signals: Signals, ends_on_sigterm: bool) -> Exit {
    loop {
        match signals.next().await {
            Signal::Interrupt => return Exit::Held,
            Signal::Terminate if ends_on_sigterm => return Exit::Terminated,
            Signal::Terminate => {}
        }
    }
}
