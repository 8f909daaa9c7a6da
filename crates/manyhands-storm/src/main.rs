//! Faults for durable queues, and an oracle that says what was lost.

#![forbid(unsafe_code)]

mod ledger;
mod oracle;

fn main() {}
