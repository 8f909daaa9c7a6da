//! When a schedule is due: the same for every store.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::Error;
use crate::status::{millis, time_of};

/// The first time after `time` that `expression` means. Its five fields are
/// minute, hour, day of month, month and day of week, in UTC; if both days are
/// said, either will do.
///
/// # Errors
///
/// When it is no such expression, or there is no such time.
pub(crate) fn next_after(
    expression: &str,
    time: SystemTime,
) -> Result<SystemTime, Error> {
    let cron = parse(expression)?;
    let invalid = |what: &str| invalid(expression, what);
    let time: DateTime<Utc> = DateTime::from_timestamp_millis(millis(time))
        .ok_or_else(|| invalid("the time is out of range"))?;
    let next = cron
        .find_next_occurrence(&time, false)
        .map_err(|_| invalid("there is no such time"))?;
    Ok(time_of(next.timestamp_millis()))
}

fn parse(expression: &str) -> Result<Cron, Error> {
    // Words like `@daily`, and whatever else a field may hold some day, are
    // for the parser to know; a count of fields it takes more than one of.
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(expression)
        .map_err(|error| invalid(expression, &error.to_string()))
}

fn invalid(expression: &str, what: &str) -> Error {
    Error::Invalid(format!(
        "cron {expression:?}: {what}; it is five fields in UTC: minute, \
         hour, day of month, month, day of week"
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 2026-01-31, a Saturday, 23:59:30.
    const TIME: i64 = 1_769_903_970_000;

    fn next(expression: &str) -> Result<i64, Error> {
        let next = next_after(expression, time_of(TIME))?;
        Ok((millis(next) - TIME) / 1000)
    }

    #[test]
    fn fields_are_minute_hour_day_month_weekday_in_utc() {
        const DAY: i64 = 24 * 3600;
        assert_eq!(next("* * * * *"), Ok(30));
        assert_eq!(next("*/15 * * * *"), Ok(30));
        assert_eq!(next("5,10 0 * * *"), Ok(30 + 5 * 60));
        assert_eq!(next("0 7 * * *"), Ok(30 + 7 * 3600));
        assert_eq!(next("0 0 * * MON"), Ok(30 + DAY));
        assert_eq!(next("0 0 1 3 *"), Ok(30 + 28 * DAY));
        // Either of the days: the third is a Tuesday.
        assert_eq!(next("0 0 15 * TUE"), Ok(30 + 2 * DAY));
        // 2028 is the next leap year.
        assert_eq!(next("0 0 29 2 *"), Ok(30 + 758 * DAY));
    }

    #[test]
    fn a_time_that_is_due_is_not_the_next() {
        let due = next_after("* * * * *", time_of(TIME)).unwrap();
        let next = next_after("* * * * *", due).unwrap();
        assert_eq!(next, due + Duration::from_secs(60));
    }

    #[test]
    fn what_is_no_expression_is_named() {
        let wrong = [
            "",
            "tomorrow",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* * * * 9",
            "0 0 30 2 *",
        ];
        for expression in wrong {
            let error = next(expression).unwrap_err().to_string();
            assert!(error.contains(&format!("{expression:?}")), "{error}");
            assert!(error.contains("five fields"), "{error}");
        }
    }
}
