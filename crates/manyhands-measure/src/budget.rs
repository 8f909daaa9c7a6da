//! How many rounds.

use std::time::Duration;

use crate::FEWEST;

/// When it is enough: whichever of the two comes first.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// After so many rounds.
    pub rounds: usize,
    /// When another round would probably end later than this.
    pub time: Option<Duration>,
}

impl Budget {
    /// Most rounds that can be asked for.
    pub const MOST_ROUNDS: usize = 1000;

    /// Most rounds if nothing is said: with as many, what processes differ by
    /// is more than what rounds do, and more rounds would not narrow an
    /// interval any more.
    pub const DEFAULT_ROUNDS: usize = 200;

    /// How long if nothing is said: about as long as one likes to wait.
    pub const DEFAULT_TIME: Duration = Duration::from_secs(20);

    /// Whether there is room for a round after so many, and so much time.
    ///
    /// The first round always has room. The first [`FEWEST`], without which
    /// there is no interval, may take twice the time.
    pub fn has_room(&self, done: usize, elapsed: Duration) -> bool {
        let Some(time) = self.time else { return done < self.rounds };
        let Some(per_round) = elapsed.checked_div(done as u32) else {
            return self.rounds > 0;
        };
        let most = if done < FEWEST { time * 2 } else { time };
        done < self.rounds && elapsed + per_round <= most
    }

    /// How far along that is, from 0 to 1.
    pub(crate) fn part(&self, rounds: f64, elapsed: Duration) -> f64 {
        let by_rounds = rounds / self.rounds.max(1) as f64;
        let by_time = match self.time {
            Some(time) => elapsed.as_secs_f64() / time.as_secs_f64(),
            None => 0.0,
        };
        by_rounds.max(by_time).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const BUDGET: Budget = Budget { rounds: 100, time: Some(seconds(20)) };

    #[test]
    fn the_first_round_runs_however_short_the_time() {
        let budget =
            Budget { rounds: 9, time: Some(Duration::from_millis(1)) };
        assert!(budget.has_room(0, seconds(60)));
        assert!(!budget.has_room(1, seconds(60)));
    }

    #[test]
    fn a_round_that_would_end_too_late_does_not_begin() {
        assert!(BUDGET.has_room(9, seconds(18)));
        assert!(!BUDGET.has_room(10, seconds(19)));
    }

    #[test]
    fn the_rounds_that_an_interval_needs_may_take_twice_the_time() {
        assert!(BUDGET.has_room(FEWEST - 1, seconds(30)));
        assert!(!BUDGET.has_room(FEWEST, seconds(30)));
        assert!(!BUDGET.has_room(FEWEST - 1, seconds(39)));
    }

    #[test]
    fn rounds_alone_know_no_time() {
        let budget = Budget { rounds: 3, time: None };
        assert!(budget.has_room(2, seconds(1_000_000)));
        assert!(!budget.has_room(3, seconds(0)));
        assert!(!BUDGET.has_room(100, seconds(1)));
    }

    #[test]
    fn progress_goes_by_what_will_end_first() {
        assert_eq!(BUDGET.part(0.0, seconds(0)), 0.0);
        assert_eq!(BUDGET.part(50.0, seconds(1)), 0.5);
        assert_eq!(BUDGET.part(1.0, seconds(10)), 0.5);
        assert_eq!(BUDGET.part(5.0, seconds(35)), 1.0);
    }
}
