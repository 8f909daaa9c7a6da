//! When a schedule is due: stands in for what is written elsewhere.

use std::time::{Duration, SystemTime};

use crate::Error;

pub(crate) fn next_after(
    _expression: &str,
    time: SystemTime,
) -> Result<SystemTime, Error> {
    Ok(time + Duration::from_secs(60))
}
