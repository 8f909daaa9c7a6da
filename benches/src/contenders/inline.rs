//! No pool: each job runs where it is submitted. The 1.00 of every table.

use manyhands::Job;

use super::{BASELINE, Contender, Way};
use crate::drive::Drive;
use crate::work::{Answer, Source, Stops};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new(BASELINE, Way::Single, |_| Inline)
            .bends("a plain loop on the caller's thread"),
    ]
}

struct Inline;

impl Drive for Inline {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        for index in 0..jobs {
            sink(0, source.task(index).run());
        }
    }

    fn fail_fast(&mut self, source: &Stops, jobs: u64) -> bool {
        let _ = (0..jobs).try_for_each(|i| source.task(i).run().map(drop));
        true
    }
}
