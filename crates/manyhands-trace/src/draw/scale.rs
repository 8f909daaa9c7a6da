//! Where a value is drawn, and where ticks are.

use std::time::Duration;

/// Values along a line of the picture.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    from: f64,
    to: f64,
    is_log: bool,
    start: f64,
    end: f64,
}

impl Scale {
    /// Equal differences are equally far apart. Drawn from 0 to 1 until it
    /// is told [where](Self::over).
    pub fn linear(from: f64, to: f64) -> Self {
        // What has no extent has its scale all the same.
        let to = to.max(from + f64::MIN_POSITIVE.max(from.abs() * 1e-9));
        Self { from, to, is_log: false, start: 0.0, end: 1.0 }
    }

    /// Equal ratios are equally far apart.
    pub fn log(from: f64, to: f64) -> Self {
        let from = from.max(f64::MIN_POSITIVE);
        let to = to.max(from * (1.0 + 1e-9));
        Self { from, to, is_log: true, start: 0.0, end: 1.0 }
    }

    /// Drawn from `start` to `end`, which may lie before it.
    #[must_use]
    pub fn over(self, start: f64, end: f64) -> Self {
        Self { start, end, ..self }
    }

    /// Where a value is; at the near end if it is beyond it.
    pub fn at(&self, value: f64) -> f64 {
        let part = match self.is_log {
            true => (value / self.from).ln() / (self.to / self.from).ln(),
            false => (value - self.from) / (self.to - self.from),
        };
        let part = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
        self.start + part * (self.end - self.start)
    }

    /// About `count` round values.
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        match self.is_log {
            true => self.log_ticks(count),
            false => self.linear_ticks(count),
        }
    }

    fn linear_ticks(&self, count: usize) -> Vec<f64> {
        let whole = self.to - self.from;
        let rough = whole / count.max(1) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = round.into_iter().find(|&step| step >= rough);
        let step = step.unwrap_or(10.0 * power);
        let first = (self.from / step - 1e-9).ceil();
        let last = (self.to / step + 1e-9).floor();
        // Multiplied and not added up, so that no error does.
        let ticks = 0..=(last - first).max(0.0) as u64;
        ticks.map(|n| (first + n as f64) * step).collect()
    }

    fn log_ticks(&self, count: usize) -> Vec<f64> {
        let decades = (self.to / self.from).log10();
        // As many a decade as there is room for.
        let factors: &[f64] = match count as f64 / decades {
            a_decade if a_decade >= 3.0 => &[1.0, 2.0, 5.0],
            a_decade if a_decade >= 2.0 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let every = (decades / count.max(1) as f64).ceil().max(1.0) as usize;
        let first = self.from.log10().floor() as i32;
        let last = self.to.log10().ceil() as i32;
        let within = |tick: &f64| {
            (self.from * (1.0 - 1e-9)..=self.to * (1.0 + 1e-9)).contains(tick)
        };
        (first..=last)
            .step_by(every)
            .flat_map(|power| {
                let ten = 10_f64.powi(power);
                factors.iter().map(move |factor| factor * ten)
            })
            .filter(within)
            .collect()
    }
}

/// A span of time for people: three digits and a unit.
pub fn span(time: Duration) -> String {
    seconds(time.as_secs_f64())
}

/// The same of seconds.
pub fn seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s <= 0.0 => return "0".to_owned(),
        s if s < 0.999_5e-6 => (s * 1e9, "ns"),
        s if s < 0.999_5e-3 => (s * 1e6, "µs"),
        s if s < 0.999_5 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    format!("{} {unit}", short(value))
}

/// A number of three digits, without zeros at its end.
pub fn short(value: f64) -> String {
    let digits = match value.abs() {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    let mut text = format!("{value:.digits$}");
    if text.contains('.') {
        let kept = text.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(kept);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_where_its_part_of_the_scale_is() {
        let linear = Scale::linear(0.0, 10.0).over(100.0, 200.0);
        for (value, at) in
            [(0.0, 100.0), (5.0, 150.0), (10.0, 200.0), (99.0, 200.0)]
        {
            assert!((linear.at(value) - at).abs() < 1e-9, "{value}");
        }
        // Upwards, where what is more has less of the picture above it.
        let log = Scale::log(1.0, 100.0).over(80.0, 20.0);
        for (value, at) in [(1.0, 80.0), (10.0, 50.0), (100.0, 20.0)] {
            assert!((log.at(value) - at).abs() < 1e-9, "{value}");
        }
        assert!((log.at(0.0) - 80.0).abs() < 1e-9);
        let nothing = Scale::linear(0.0, 0.0).over(0.0, 1.0);
        assert!(nothing.at(0.0).is_finite());
    }

    #[test]
    fn ticks_are_round_and_within() {
        let near = |found: Vec<f64>, ticks: &[f64]| {
            assert_eq!(found.len(), ticks.len(), "{found:?}");
            for (found, tick) in found.iter().zip(ticks) {
                assert!((found / tick - 1.0).abs() < 1e-9 || found == tick);
            }
        };
        near(Scale::linear(0.0, 2.0).ticks(8), &[0.0, 0.5, 1.0, 1.5, 2.0]);
        near(Scale::linear(3.0, 11.0).ticks(4), &[4.0, 6.0, 8.0, 10.0]);
        near(Scale::log(0.3, 4.0).ticks(6), &[0.5, 1.0, 2.0]);
        near(Scale::log(1e-6, 1e-2).ticks(5), &[1e-6, 1e-5, 1e-4, 1e-3, 1e-2]);
        near(Scale::log(1.0, 1e8).ticks(4), &[1.0, 1e2, 1e4, 1e6, 1e8]);
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (time, text) in [
            (0.0, "0"),
            (1.5e-9, "1.5 ns"),
            (12.34e-6, "12.3 µs"),
            (0.999_6e-3, "1 ms"),
            (0.25, "250 ms"),
            (2.0, "2 s"),
        ] {
            assert_eq!(seconds(time), text);
        }
    }
}
