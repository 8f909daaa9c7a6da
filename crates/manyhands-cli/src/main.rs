//! The program `manyhands`. All of it is in the library beside this file, so
//! that what fuzzes its parsers reaches the very code that runs.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    manyhands_cli::main()
}
