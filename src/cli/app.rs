//! `rollout-lab app`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use super::interrupt::on_signals;
use super::{Ended, Failure};
use crate::app::{SampleService, Settings};
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(super) struct AppArgs {
    /// Which service
    #[arg(value_enum)]
    service: SampleService,
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 3000)]
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
}

pub(super) async fn app(args: AppArgs) -> Ended {
    let settings = Settings {
        port: args.port,
        version: args.version,
        pod: args.pod,
        // A person who starts it wants it at once, and Ctrl+C to end it.
        boot: Duration::ZERO,
        ends_on_sigterm: Some(true),
    };
    let listener = TcpListener::bind((args.host, args.port))
        .await
        .map_err(|error| {
            let place = format!("{}:{}", args.host, args.port);
            let text = format!("could not listen on {place}; choose another with --port");
            Failure::new(Exit::Failed, anyhow::Error::new(error).context(text))
        })?;
    println!("{}", args.service.greeting(&settings));
    let stop = on_signals(Vec::new()).map_err(|error| Failure::new(Exit::Failed, error))?;
    tokio::select! {
        () = args.service.serve(listener, &settings) => {}
        () = stop.cancelled() => {}
    }
    Ok(Exit::Held)
}
