//! The ids whose completions are still to come.

use std::collections::VecDeque;
use std::ops::Range;

use crate::JobId;

/// A set of ids. They are added in rising order and come back about in that
/// order.
///
/// A bit an id, and 64 of them a word; a word without a bit goes when it comes
/// to the front, or when too many such wait for a job that takes long. So it
/// costs a few instructions a job, and memory for what is owed.
#[derive(Default)]
pub(crate) struct Owed {
    words: VecDeque<Word>,
    /// How many words have a bit.
    full: usize,
    /// How many ids are owed.
    open: usize,
}

struct Word {
    /// Its ids are from 64 times this on.
    number: u64,
    bits: u64,
}

impl Owed {
    /// How many words without a bit may wait even beside a single other one.
    const SPARE: usize = 64;

    /// All of them are above those that were added before.
    pub(crate) fn add(&mut self, ids: Range<JobId>) {
        let (mut next, end) = (ids.start.get(), ids.end.get());
        while next < end {
            let (number, bit) = (next / 64, next % 64);
            let count = (64 - bit).min(end - next);
            let bits = (u64::MAX >> (64 - count)) << bit;
            match self.words.back_mut() {
                Some(word) if word.number == number => {
                    self.full += usize::from(word.bits == 0);
                    word.bits |= bits;
                }
                _ => {
                    self.words.push_back(Word { number, bits });
                    self.full += 1;
                }
            }
            self.open += count as usize;
            next += count;
        }
    }

    /// False for an id that is not owed.
    pub(crate) fn settle(&mut self, id: JobId) -> bool {
        let open = self.open;
        self.settle_all([id]);
        self.open < open
    }

    /// Ids that are not owed make no difference.
    pub(crate) fn settle_all(&mut self, ids: impl IntoIterator<Item = JobId>) {
        let mut these = Word { number: 0, bits: 0 };
        for id in ids {
            let (number, bit) = (id.get() / 64, 1 << (id.get() % 64));
            if number != these.number {
                self.settle_word(&these);
                these = Word { number, bits: 0 };
            }
            these.bits |= bit;
        }
        self.settle_word(&these);
    }

    fn settle_word(&mut self, these: &Word) {
        if these.bits == 0 {
            return;
        }
        let Some(at) = self.position(these.number) else { return };
        let word = &mut self.words[at];
        let settled = word.bits & these.bits;
        word.bits &= !settled;
        let emptied = settled != 0 && word.bits == 0;
        self.open -= settled.count_ones() as usize;
        if emptied {
            self.emptied();
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn len(&self) -> usize {
        self.open
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open == 0
    }

    fn emptied(&mut self) {
        self.full -= 1;
        while self.words.front().is_some_and(|word| word.bits == 0) {
            self.words.pop_front();
        }
        // More than half of them, so that this costs a step a word.
        if self.words.len() > 2 * self.full + Self::SPARE {
            self.words.retain(|word| word.bits != 0);
        }
    }

    fn position(&self, number: u64) -> Option<usize> {
        // Where it is if nobody else submits, and the words have no gaps.
        let first = self.words.front()?.number;
        let guess = usize::try_from(number.checked_sub(first)?).ok()?;
        if self.words.get(guess).is_some_and(|word| word.number == number) {
            return Some(guess);
        }
        self.words.binary_search_by_key(&number, |word| word.number).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ids(range: Range<u64>) -> Range<JobId> {
        JobId::new(range.start)..JobId::new(range.end)
    }

    /// Against a set of the standard library, with gaps, ids of others, ids
    /// twice, and one that outlasts all.
    #[test]
    fn it_holds_what_a_set_would_hold() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..50 {
            let (mut owed, mut set) = (Owed::default(), BTreeSet::new());
            owed.add(ids(0..1));
            let mut next = 1;
            for _ in 0..300 {
                next += random.u64(0..3) * random.u64(0..100);
                let end = next + random.u64(0..200);
                owed.add(ids(next..end));
                set.extend(next..end);
                next = end;
                for _ in 0..random.u64(0..300) {
                    let id = random.u64(next.saturating_sub(400)..=next);
                    if id > 0 {
                        let held = owed.settle(JobId::new(id));
                        assert_eq!(held, set.remove(&id), "{id}");
                    }
                }
                assert_eq!(owed.len(), set.len() + 1);
            }
            assert!(owed.words.len() <= 2 * owed.full + Owed::SPARE);
            assert!(owed.settle(JobId::new(0)) && !owed.settle(JobId::new(0)));
            for id in set {
                assert!(owed.settle(JobId::new(id)), "{id}");
            }
            assert!(owed.is_empty() && owed.words.is_empty());
        }
    }
}
