//! `cargo test --test e04`: the checks of exercise 4, on `answer.rs`.

use std::process::ExitCode;

#[allow(unused, unreachable_pub, reason = "the reader is not done yet")]
#[allow(clippy::todo, clippy::unwrap_used, reason = "the same")]
mod answer;
#[allow(unreachable_pub, reason = "a module of several programs")]
mod checks;

fn main() -> ExitCode {
    exercises::main(&checks::checks())
}
