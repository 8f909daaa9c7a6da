//! Programs: sequences of calls, and how they are made up.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy};
use proptest::prop_oneof;

/// What a job is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Answers.
    Plain,
    /// Waits at the gate, then answers.
    Wait,
    /// Answers with an error.
    Error,
    Panic,
    /// Panics with what panics when it is dropped.
    HostilePayload,
    /// Answers with what panics when it is dropped.
    HostileResult,
    /// Captured what panics when it is dropped.
    HostileCapture,
}

/// A call. One that the model cannot show to return is left out.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Submit(Kind),
    TrySubmit(Kind),
    SubmitAll(Vec<Kind>),
    Recv,
    RecvMany(usize),
    /// Waits until as many jobs are at the gate as can be.
    Arrive,
    /// Opens the gate, and puts up another for later jobs.
    Open,
    Close,
    Cancel,
}

/// What comes after the last call, and after opening the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// Close, and receive everything.
    Drain,
    /// Cancel, and receive everything.
    Cancel,
    /// Drop the pool, with all that is unread.
    Drop,
}

/// A program for one thread.
#[derive(Clone, Debug)]
pub(crate) struct Alone {
    pub(crate) workers: usize,
    pub(crate) queue: usize,
    pub(crate) ops: Vec<Op>,
    pub(crate) last: Last,
}

/// A program for several threads at once.
#[derive(Clone, Debug)]
pub(crate) struct Together {
    pub(crate) workers: usize,
    pub(crate) queue: usize,
    pub(crate) threads: Vec<Vec<Op>>,
    pub(crate) last: Last,
}

/// A program that can be made simpler.
pub(crate) trait Program: Clone + Debug + Send + 'static {
    /// How many calls it has; one for each job.
    fn calls(&self) -> usize;

    /// The programs that are one step simpler: a thread less, fewer calls,
    /// or a call that can do less.
    fn simpler(&self) -> Vec<Self>;
}

impl Program for Alone {
    fn calls(&self) -> usize {
        calls(&self.ops)
    }

    fn simpler(&self) -> Vec<Self> {
        let with = |ops| Self { ops, ..self.clone() };
        simpler(&self.ops).into_iter().map(with).collect()
    }
}

impl Program for Together {
    fn calls(&self) -> usize {
        self.threads.iter().map(|ops| calls(ops)).sum()
    }

    fn simpler(&self) -> Vec<Self> {
        let with = |threads| Self { threads, ..self.clone() };
        let mut all = Vec::new();
        // One thread does what two did.
        for at in 1..self.threads.len() {
            let mut threads = self.threads.clone();
            let ops = threads.remove(at);
            threads[at - 1].extend(ops);
            all.push(with(threads));
        }
        for at in 0..self.threads.len() {
            for ops in simpler(&self.threads[at]) {
                let mut threads = self.threads.clone();
                threads[at] = ops;
                all.push(with(threads));
            }
        }
        all
    }
}

fn calls(ops: &[Op]) -> usize {
    let calls = |op: &Op| match op {
        Op::SubmitAll(kinds) => kinds.len().max(1),
        _ => 1,
    };
    ops.iter().map(calls).sum()
}

fn simpler(ops: &[Op]) -> Vec<Vec<Op>> {
    let mut all = Vec::new();
    if ops.len() > 3 {
        let (one, other) = ops.split_at(ops.len() / 2);
        all.extend([one.to_vec(), other.to_vec()]);
    }
    for (at, op) in ops.iter().enumerate() {
        let mut without = ops.to_vec();
        without.remove(at);
        all.push(without);
        let instead = match op {
            Op::SubmitAll(kinds) => {
                let without = |job| {
                    let mut kinds = kinds.clone();
                    kinds.remove(job);
                    Op::SubmitAll(kinds)
                };
                (0..kinds.len()).map(without).collect()
            }
            Op::TrySubmit(kind) => vec![Op::Submit(*kind)],
            Op::Submit(kind) if *kind != Kind::Plain => {
                vec![Op::Submit(Kind::Plain)]
            }
            _ => Vec::new(),
        };
        all.extend(instead.into_iter().map(|op| {
            let mut ops = ops.to_vec();
            ops[at] = op;
            ops
        }));
    }
    all
}

pub(crate) fn alone() -> impl Strategy<Value = Alone> {
    (1..=3_usize, 0..=3_usize, vec(op(), 0..40), last()).prop_map(
        |(workers, queue, ops, last)| Alone { workers, queue, ops, last },
    )
}

pub(crate) fn together() -> impl Strategy<Value = Together> {
    let threads = vec(vec(op(), 0..25), 2..=4);
    (1..=3_usize, 0..=3_usize, threads, last()).prop_map(
        |(workers, queue, threads, last)| Together {
            workers,
            queue,
            threads,
            last,
        },
    )
}

/// Towards the first when a program is made smaller.
fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => kind().prop_map(Op::Submit),
        6 => kind().prop_map(Op::TrySubmit),
        2 => vec(kind(), 0..8).prop_map(Op::SubmitAll),
        6 => Just(Op::Recv),
        2 => (0..6_usize).prop_map(Op::RecvMany),
        2 => Just(Op::Arrive),
        2 => Just(Op::Open),
        // Rare, since not much happens afterwards.
        1 => prop_oneof![2 => Just(Op::Recv), 1 => Just(Op::Close)],
        1 => prop_oneof![2 => Just(Op::Recv), 1 => Just(Op::Cancel)],
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        8 => Just(Kind::Plain),
        4 => Just(Kind::Wait),
        1 => Just(Kind::Error),
        1 => Just(Kind::Panic),
        1 => Just(Kind::HostilePayload),
        1 => Just(Kind::HostileResult),
        1 => Just(Kind::HostileCapture),
    ]
}

fn last() -> impl Strategy<Value = Last> {
    prop_oneof![
        3 => Just(Last::Drain),
        1 => Just(Last::Cancel),
        1 => Just(Last::Drop),
    ]
}
