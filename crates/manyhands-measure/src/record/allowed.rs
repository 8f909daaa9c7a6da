//! What may stand in a record, and one line for what may not.

use std::ops::RangeInclusive;

use crate::Machine;

/// How long a name may be, in characters: more than any is.
pub(super) const NAME: RangeInclusive<u64> = 1..=64;
/// How long the compiler's may be.
const RUSTC: RangeInclusive<u64> = 1..=128;

/// Checks a number of any size.
///
/// # Errors
///
/// The number, and what is allowed.
pub fn amount(what: &str, number: f64) -> Result<(), String> {
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
pub fn machine(machine: &Machine) -> Result<(), String> {
    name("os", &machine.os)?;
    name("arch", &machine.arch)?;
    within("cores", machine.cores, &(1..=u64::MAX))?;
    length("rustc", &machine.rustc, &RUSTC)?;
    machine.revision.as_ref().map_or(Ok(()), |it| name("revision", it))
}

/// Checks a number.
///
/// # Errors
///
/// The number, and what is allowed.
pub fn within(
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
pub fn name(what: &str, name: &str) -> Result<(), String> {
    length(what, name, &NAME)
}

/// Checks how long a text is, in characters.
pub(super) fn length(
    what: &str,
    text: &str,
    allowed: &RangeInclusive<u64>,
) -> Result<(), String> {
    let length = text.chars().count() as u64;
    within(&format!("the length of {what}"), length, allowed)
}
