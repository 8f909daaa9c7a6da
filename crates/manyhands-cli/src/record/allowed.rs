//! What may stand in a record, and one line for what may not.

use std::ops::RangeInclusive;

use manyhands_measure::Machine;

use super::Record;

/// Checks a number of any size.
///
/// # Errors
///
/// The number, and what is allowed.
pub(crate) fn amount(what: &str, number: f64) -> Result<(), String> {
    match number.is_finite() && number >= 0.0 {
        true => Ok(()),
        false => Err(format!("{what} is {number}, allowed is 0 and up")),
    }
}

/// Checks what is said of a machine.
///
/// # Errors
///
/// What is wrong, and what is allowed.
pub(crate) fn machine(machine: &Machine) -> Result<(), String> {
    name("os", &machine.os)?;
    name("arch", &machine.arch)?;
    within("cores", machine.cores, &(1..=u64::MAX))?;
    let length = machine.rustc.chars().count() as u64;
    within("the length of rustc", length, &Record::RUSTC)?;
    machine.revision.as_ref().map_or(Ok(()), |it| name("revision", it))
}

/// Checks a number.
///
/// # Errors
///
/// The number, and what is allowed.
pub(crate) fn within(
    what: &str,
    number: u64,
    allowed: &RangeInclusive<u64>,
) -> Result<(), String> {
    if allowed.contains(&number) {
        return Ok(());
    }
    let (least, most) = (allowed.start(), allowed.end());
    Err(format!("{what} is {number}, allowed is {least} to {most}"))
}

/// Checks a name.
///
/// # Errors
///
/// How long it is, and what is allowed.
pub(crate) fn name(what: &str, name: &str) -> Result<(), String> {
    let length = name.chars().count() as u64;
    within(&format!("the length of {what}"), length, &Record::NAME)
}
