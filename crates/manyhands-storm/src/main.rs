//! Faults for durable queues, and an oracle that says what was lost.
//!
//! `storm run` starts processes that submit and work, as a service would, and
//! does to them what the world does: see README.md.

#![forbid(unsafe_code)]

mod broken;
mod fleet;
mod follow;
mod job;
mod ledger;
mod oracle;
mod plan;
mod producer;
mod proxy;
mod scenes;
mod server;
mod storm;
mod target;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Faults for durable queues, and an oracle that says what was lost.
#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A process that works.
    #[command(hide = true)]
    Worker(worker::Worker),
    /// A process that submits.
    #[command(hide = true)]
    Producer(producer::Producer),
    Run(storm::Run),
    Soak(Soak),
}

/// Kills at random until the time is up, and says what that broke.
#[derive(Args)]
struct Soak {
    /// For how long.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    #[command(flatten)]
    run: storm::Run,
}

fn main() -> Result<ExitCode> {
    let holds = match Program::parse().command {
        Command::Worker(worker) => worker.run().map(|()| true),
        Command::Producer(producer) => producer.run().map(|()| true),
        Command::Run(run) => run.go(),
        Command::Soak(mut soak) => {
            soak.run.minutes = Some(soak.minutes);
            soak.run.go()
        }
    }?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
