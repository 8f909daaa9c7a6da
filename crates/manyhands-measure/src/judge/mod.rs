//! What follows from the rounds: who is faster, by how much, and how sure
//! that is.

mod state;

pub use self::state::State;
use self::state::of_one_state;
use crate::round::nanos;
use crate::stats::{holm, median};
use crate::{FEWEST, Ratio, Round, Spent};

/// The baseline's place among the contenders.
const BASELINE: usize = 0;

/// What follows from the rounds of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// One a contender, in their order.
    pub rows: Vec<Row>,
    /// The baseline against itself: what the machine does to two runs of the
    /// same thing.
    pub noise: Option<Ratio>,
    /// True if that is more than 3 % in either direction: then nobody is
    /// ranked.
    pub is_refused: bool,
    /// The fastest. `None` if nobody is ranked, or there are fewer than
    /// [`FEWEST`] rounds.
    pub best: Option<Best>,
    /// In which state of the machine that was.
    pub state: State,
}

/// What follows for one contender.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The median of its times, in nanoseconds.
    pub wall: Option<f64>,
    /// The median of its CPU times, in nanoseconds.
    pub cpu: Option<f64>,
    /// The median of how many cores it got: CPU time over wall time.
    pub cores_got: Option<f64>,
    /// The medians of how often its threads lost their core in a run: by
    /// waiting, and by another that was given it.
    pub switches: Option<(f64, f64)>,
    /// How many times as fast as the baseline in the same round. `None` for
    /// one that stopped.
    pub speed: Option<Ratio>,
    /// That in a word.
    pub verdict: Verdict,
}

/// A contender in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What the others are compared with.
    Baseline,
    /// Faster than the baseline.
    Faster,
    /// Slower than the baseline.
    Slower,
    /// The interval holds 1, or the difference is within the noise, or too
    /// small for as many comparisons as there are.
    CannotTell,
    /// The noise is too much to say anything.
    NotRanked,
    /// It left out work, as it is meant to: its time is that of less work,
    /// and compares with nothing.
    Stopped,
    /// Interrupted before its first run.
    NotMeasured,
}

/// The fastest, and which others may as well be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Best {
    /// The one with the greatest speed.
    pub who: usize,
    /// Those of which it cannot be told that they are slower.
    pub alike: Vec<usize>,
}

/// Judges rounds, of which each has a run of the same contenders: the first
/// is the baseline, the last is the baseline again. `stopped` are those that
/// left out work and have a time only.
pub fn judge(rounds: &[Round], stopped: &[bool]) -> Judgement {
    let contenders = stopped.len();
    let again = contenders.checked_sub(1).filter(|last| *last != BASELINE);
    let (rounds, state) = of_one_state(rounds);
    let speed = |who: usize| match stopped[who] {
        true => None,
        false => speed(&rounds, who, BASELINE),
    };
    let noise = again.and_then(speed);
    let is_refused = noise.is_some_and(|noise| is_too_much(&noise));

    let speeds: Vec<Option<Ratio>> = (0..contenders).map(speed).collect();
    let is_compared = |who: usize| who != BASELINE && Some(who) != again;
    let compared: Vec<(usize, Ratio)> = (0..contenders)
        .filter(|&who| is_compared(who))
        .filter_map(|who| Some((who, speeds[who]?)))
        .collect();
    let told = told_apart(&compared, noise.as_ref());
    let verdict = |who: usize| {
        if !rounds.iter().any(|round| round.runs[who].is_some()) {
            Verdict::NotMeasured
        } else if stopped[who] {
            Verdict::Stopped
        } else if who == BASELINE {
            Verdict::Baseline
        } else if is_refused {
            Verdict::NotRanked
        } else if Some(who) == again {
            // Not held against itself: here the noise is to be seen.
            speeds[who].map_or(Verdict::CannotTell, |it| word(&it))
        } else {
            let told = told.iter().find(|(told, _)| *told == who);
            told.map_or(Verdict::CannotTell, |(_, speed)| word(speed))
        }
    };
    let row = |who| Row::of(who, &rounds, speeds[who], verdict(who));
    let rows = (0..contenders).map(row).collect();
    let has_best = !is_refused && rounds.len() >= FEWEST;
    let ranked: Vec<(usize, Ratio)> = (0..contenders)
        .filter(|&who| Some(who) != again)
        .filter_map(|who| Some((who, speeds[who]?)))
        .collect();
    let best =
        if has_best { best(&rounds, &ranked, noise.as_ref()) } else { None };
    Judgement { rows, noise, is_refused, best, state }
}

impl Row {
    fn of(
        who: usize,
        rounds: &[&Round],
        speed: Option<Ratio>,
        verdict: Verdict,
    ) -> Self {
        let runs = rounds.iter().filter_map(|round| round.runs[who]);
        let runs: Vec<Spent> = runs.collect();
        let of = |what: fn(&Spent) -> Option<f64>| {
            median(&mut runs.iter().filter_map(what).collect::<Vec<_>>())
        };
        let switches = (
            of(|run| Some(run.switches?.voluntary as f64)),
            of(|run| Some(run.switches?.involuntary as f64)),
        );
        Self {
            wall: of(|run| Some(nanos(run.wall))),
            cpu: of(|run| Some(run.cpu?.as_nanos() as f64)),
            cores_got: of(Spent::cores_got),
            switches: switches.0.zip(switches.1),
            speed,
            verdict,
        }
    }
}

impl Verdict {
    /// As it stands in a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::CannotTell => "cannot tell",
            Self::NotRanked => "not ranked",
            Self::Stopped => "stopped at first error",
            Self::NotMeasured => "not measured",
        }
    }
}

/// How many times as fast one contender was as another.
fn speed(rounds: &[&Round], who: usize, than: usize) -> Option<Ratio> {
    let last = rounds.iter().map(|round| round.process).max()?;
    let mut processes = vec![Vec::new(); last];
    for round in rounds {
        processes[round.process - 1].extend(round.log_ratio(who, than));
    }
    Ratio::of_logs(&processes)
}

/// True if the baseline differs from itself by more than nobody would mind.
fn is_too_much(noise: &Ratio) -> bool {
    noise.interval.is_some_and(|(low, high)| low < 0.97 || 1.03 < high)
}

/// Of comparisons that are made together, those that show a difference: by
/// Holm, by the interval, and by the noise, than which the ratio must be
/// further from 1.
fn told_apart(
    compared: &[(usize, Ratio)],
    noise: Option<&Ratio>,
) -> Vec<(usize, Ratio)> {
    let reach = noise.map_or(Some(1.0), Ratio::reach);
    let reach = reach.unwrap_or(f64::INFINITY);
    let is_beyond = |ratio: &Ratio| {
        ratio.is_above_one() && ratio.estimate > reach
            || ratio.is_below_one() && ratio.estimate < 1.0 / reach
    };
    let chances: Vec<f64> = compared.iter().map(|it| it.1.chance).collect();
    let believed = compared.iter().zip(holm(&chances));
    believed
        .filter(|((_, ratio), believed)| *believed && is_beyond(ratio))
        .map(|(compared, _)| *compared)
        .collect()
}

/// By the interval alone.
fn word(ratio: &Ratio) -> Verdict {
    match (ratio.is_below_one(), ratio.is_above_one()) {
        (true, _) => Verdict::Slower,
        (_, true) => Verdict::Faster,
        _ => Verdict::CannotTell,
    }
}

/// The one with the greatest speed, compared with each other one in the same
/// rounds, all these comparisons together.
fn best(
    rounds: &[&Round],
    ranked: &[(usize, Ratio)],
    noise: Option<&Ratio>,
) -> Option<Best> {
    let by_speed = |a: &&(usize, Ratio), b: &&(usize, Ratio)| {
        a.1.estimate.total_cmp(&b.1.estimate)
    };
    let &(who, _) = ranked.iter().max_by(by_speed)?;
    let others = ranked.iter().filter(|(other, _)| *other != who);
    let ahead: Vec<(usize, Ratio)> = others
        .filter_map(|&(other, _)| Some((other, speed(rounds, who, other)?)))
        .collect();
    let mut behind = told_apart(&ahead, noise);
    behind.retain(|(_, ratio)| ratio.is_above_one());
    let is_behind = |other| behind.iter().any(|(it, _)| *it == other);
    let others = ranked.iter().map(|(other, _)| *other);
    let alike = others.filter(|&it| it != who && !is_behind(it)).collect();
    Some(Best { who, alike })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Rounds of three processes by turns, in which the baseline, two others
    /// and the baseline again took so long.
    fn rounds<const N: usize>(walls: &[[u64; N]]) -> Vec<Round> {
        let round = |(at, walls): (usize, &[u64; N])| Round {
            process: at % 3 + 1,
            order: (0..N).collect(),
            runs: walls.map(|it| Some(spent(it))).to_vec(),
            cache_line: Some((60.0, 60.0)),
            load: None,
        };
        walls.iter().enumerate().map(round).collect()
    }

    fn spent(micros: u64) -> Spent {
        let wall = Duration::from_micros(micros);
        Spent { wall, cpu: Some(wall * 2), ..Spent::default() }
    }

    fn judged<const N: usize>(walls: &[[u64; N]]) -> Judgement {
        judge(&rounds(walls), &[false; N])
    }

    fn verdicts(judgement: &Judgement) -> Vec<Verdict> {
        judgement.rows.iter().map(|row| row.verdict).collect()
    }

    use Verdict::{Baseline, CannotTell, Faster, NotRanked, Slower};

    #[test]
    fn what_is_beyond_the_noise_has_a_verdict() {
        // The rounds differ by far more than the contenders within one do.
        let rounds: Vec<_> = (1..=12)
            .map(|n| n * n * 1000)
            .map(|base| [base, base / 2, base * 2, base + base / 100])
            .collect();
        let judgement = judged(&rounds);
        let expected = [Baseline, Faster, Slower, Slower];
        assert_eq!(verdicts(&judgement), expected);
        let speed = judgement.rows[1].speed.unwrap();
        assert!((speed.estimate - 2.0).abs() < 0.05, "{speed:?}");
        let best = Best { who: 1, alike: Vec::new() };
        assert_eq!(judgement.best, Some(best));
        assert!(!judgement.is_refused);
        assert_eq!(judgement.rows[1].cores_got, Some(2.0));
    }

    #[test]
    fn what_is_within_the_noise_has_none() {
        // 0.5 % faster in each round, but the baseline differs from itself
        // by 1 %, now in the one direction and now in the other.
        let rounds: Vec<_> = (0..24)
            .map(|n| [1000, 995, 1200, if n % 2 == 0 { 990 } else { 1010 }])
            .collect();
        let judgement = judged(&rounds);
        let expected = [Baseline, CannotTell, Slower, CannotTell];
        assert_eq!(verdicts(&judgement), expected);
        let best = Best { who: 1, alike: vec![0] };
        assert_eq!(judgement.best, Some(best));
    }

    #[test]
    fn a_baseline_that_differs_from_itself_ranks_nobody_and_keeps_the_times() {
        let rounds: Vec<_> = (0..24)
            .map(|n| [1000, 10, 9000, if n % 2 == 0 { 900 } else { 1100 }])
            .collect();
        let judgement = judged(&rounds);
        assert!(judgement.is_refused);
        let expected = [Baseline, NotRanked, NotRanked, NotRanked];
        assert_eq!(verdicts(&judgement), expected);
        assert_eq!(judgement.best, None);
        assert_eq!(judgement.rows[1].wall, Some(10_000.0));
        assert!(judgement.rows[1].speed.is_some());
        // By less than 3 %, in each round: that is known, and is no refusal.
        let steady = judged(&[[1000, 10, 9000, 1029]; 24]);
        assert!(!steady.is_refused);
        assert!(judged(&[[1000, 10, 9000, 1032]; 24]).is_refused);
    }

    #[test]
    fn an_interval_that_holds_1_gives_no_verdict() {
        let rounds: Vec<_> = (0..10)
            .map(|n| [1000, if n < 7 { 500 } else { 1500 }, 1000, 1000])
            .collect();
        let judgement = judged(&rounds);
        let speed = judgement.rows[1].speed.unwrap();
        assert!(speed.estimate > 1.9);
        assert_eq!(judgement.rows[1].verdict, CannotTell);
    }

    #[test]
    fn few_rounds_give_no_verdict_and_no_best() {
        let judgement = judged(&[[1000, 10, 10, 1000]; FEWEST - 1]);
        let expected = [Baseline, CannotTell, CannotTell, CannotTell];
        assert_eq!(verdicts(&judgement), expected);
        assert_eq!(judgement.best, None);
    }

    /// What one comparison shows by itself, ten together do not.
    #[test]
    fn more_comparisons_ask_for_more() {
        let walls = |n: u64| 900 + 10 * (n % 3);
        let few: Vec<_> =
            (0..9).map(|n| [1000, walls(n), 2000, 1000]).collect();
        let many: Vec<_> = (0..9)
            .map(|n| {
                let mut all = [walls(n); 22];
                (all[0], all[21]) = (1000, 1000);
                all
            })
            .collect();
        let interval = |it: &Judgement| it.rows[1].speed.unwrap().interval;
        let (few, many) = (judged(&few), judged(&many));
        assert_eq!(interval(&few), interval(&many));
        assert!(few.rows[1].speed.unwrap().is_above_one(), "{few:?}");
        assert_eq!(few.rows[1].verdict, Faster);
        assert_eq!(many.rows[1].verdict, CannotTell);
    }

    #[test]
    fn one_that_stopped_has_a_time_and_no_rank() {
        let rounds = rounds(&[[1000, 1, 2000, 1000]; 12]);
        let judgement = judge(&rounds, &[false, true, false, false]);
        let row = &judgement.rows[1];
        assert_eq!(row.verdict, Verdict::Stopped);
        assert_eq!((row.wall, row.speed), (Some(1000.0), None));
        assert_eq!(judgement.best.unwrap().who, 0);
    }

    #[test]
    fn rounds_in_another_state_of_the_machine_are_left_out() {
        let mut rounds = rounds(&[[1000, 500, 1000, 1000]; 12]);
        // One all in the slow state, and one in which it came.
        let slow = [1000, 2000, 1000, 1000].map(|it| Some(spent(it)));
        rounds[3].runs = slow.to_vec();
        rounds[3].cache_line = Some((190.0, 200.0));
        rounds[4].runs = slow.to_vec();
        rounds[4].cache_line = Some((60.0, 200.0));
        let judgement = judge(&rounds, &[false; 4]);
        let state = State {
            cache_line: Some((60.0, 60.0)),
            used: 10,
            left_out: 2,
            is_mixed: false,
        };
        assert_eq!(judgement.state, state);
        assert_eq!(
            judgement.rows[1].speed.unwrap().interval,
            Some((2.0, 2.0))
        );

        // With none that is mostly there, all count.
        for (at, round) in rounds.iter_mut().enumerate() {
            round.cache_line = Some([(60.0, 60.0), (200.0, 200.0)][at % 2]);
        }
        let state = judge(&rounds, &[false; 4]).state;
        assert!(state.is_mixed && state.used == 12, "{state:?}");
        assert_eq!(state.cache_line, Some((60.0, 200.0)));
    }

    #[test]
    fn nothing_follows_from_nothing() {
        let judgement = judge(&[], &[false; 4]);
        assert_eq!(verdicts(&judgement), [Verdict::NotMeasured; 4]);
        assert_eq!(judgement.best, None);
        assert_eq!(judge(&[], &[]).rows, []);
    }
}
