//! N queens on a board of N by N, none of which attacks another: how many
//! ways there are.

use super::Source;
use crate::Answer;
use crate::arithmetic::mix;

/// A job has the first two queens placed, and counts the ways for the rest.
/// Some boards die early and some have many ways, so jobs differ.
pub(crate) struct Queens {
    size: u32,
    /// Where the first two queens stand, in the first two rows.
    starts: Vec<(u32, u32)>,
}

/// How many ways there are on a board of 0, 1, 2 and more: A000170 of the
/// On-Line Encyclopedia of Integer Sequences.
const KNOWN: [u64; 17] = [
    1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2_680, 14_200, 73_712, 365_596,
    2_279_184, 14_772_512,
];

impl Queens {
    /// Smaller ones have a job of no length; the largest takes seconds.
    pub(crate) const SIZES: std::ops::RangeInclusive<u32> = 4..=16;

    pub(crate) fn new(size: u32) -> Self {
        let apart = |&(a, b): &(u32, u32)| a.abs_diff(b) > 1;
        let pairs = (0..size).flat_map(|a| (0..size).map(move |b| (a, b)));
        Self { size, starts: pairs.filter(apart).collect() }
    }

    /// How many ways there are from this start.
    fn ways(&self, index: u64) -> u64 {
        let (first, second) = self.starts[index as usize % self.starts.len()];
        let whole = (1 << self.size) - 1;
        let (first, second) = (1_u32 << first, 1_u32 << second);
        // What a queen attacks moves by a column from row to row.
        let down = first | second;
        let left = (first << 2) | (second << 1);
        let right = (first >> 2) | (second >> 1);
        ways(whole, down, left, right)
    }
}

/// How many ways there are to fill the rows that are left, where these columns
/// are attacked.
fn ways(whole: u32, down: u32, left: u32, right: u32) -> u64 {
    if down == whole {
        return 1;
    }
    let mut free = whole & !(down | left | right);
    let mut sum = 0;
    while free != 0 {
        let queen = free & free.wrapping_neg();
        free ^= queen;
        sum += ways(
            whole,
            down | queen,
            (left | queen) << 1,
            (right | queen) >> 1,
        );
    }
    sum
}

impl Source for Queens {
    fn len(&self) -> usize {
        self.starts.len()
    }

    fn summary(&self, jobs: usize) -> String {
        let size = self.size;
        let known = KNOWN[size as usize];
        let all = self.starts.len();
        let part = if jobs == all {
            format!("{known} ways in all")
        } else {
            format!("there are {all} starts")
        };
        format!("{jobs} starts of {size} queens, {part}")
    }

    fn describe(&self, index: u64) -> String {
        let (first, second) = self.starts[index as usize % self.starts.len()];
        format!("queens in columns {first} and {second} (job {index})")
    }

    fn expected(&self, index: u64) -> Answer {
        let digest = mix(index ^ mix(self.ways(index)));
        Answer { digest, bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starts_together_have_as_many_ways_as_are_known() {
        for size in 4..=11 {
            let queens = Queens::new(size);
            let all = 0..queens.len() as u64;
            let sum: u64 = all.map(|index| queens.ways(index)).sum();
            assert_eq!(sum, KNOWN[size as usize], "{size} queens");
        }
    }

    #[test]
    fn jobs_differ_and_begin_again_after_the_last() {
        let queens = Queens::new(8);
        let len = queens.len() as u64;
        let ways: Vec<u64> = (0..len).map(|it| queens.ways(it)).collect();
        assert!(ways.iter().max() > ways.iter().min());
        assert_eq!(queens.ways(len + 3), ways[3]);
        // Each has an answer of its own, the same ways or not.
        let [a, b] = [3, len + 3].map(|index| queens.expected(index));
        assert_ne!(a, b);
    }
}
