//! Micro benchmarks: `cargo bench -p manyhands-benches`, or one group of them
//! with `cargo bench -p manyhands-benches -- dispatch`.
//!
//! Every measurement asserts its answer. Contenders are run one after the
//! other, so what differs between two of them by less than the machine wanders
//! in the meantime says nothing; to compare pools, take `manyhands compare`,
//! which alternates.

#![forbid(unsafe_code)]

mod cpu;
mod dispatch;
mod pool;

use std::time::Duration;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20) // 100
        .warm_up_time(Duration::from_millis(500)) // 3 s
        .measurement_time(Duration::from_secs(2)) // 5 s
        .configure_from_args();
    dispatch::define(&mut criterion);
    cpu::define(&mut criterion);
    criterion.final_summary();
}
