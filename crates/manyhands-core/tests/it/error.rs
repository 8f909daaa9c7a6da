use std::error::Error;
use std::io;

use manyhands_core::{
    BuildError, Closed, Config, SubmitAllError, TrySubmitError,
};

#[test]
fn a_refusal_says_why_and_hands_the_job_back() {
    let full = TrySubmitError::Full(7);
    assert!(full.is_full() && !full.is_closed());
    assert_eq!(full.to_string(), "the pool is full");
    assert_eq!(full.into_inner(), 7);

    let closed = TrySubmitError::Closed(8);
    assert!(closed.is_closed() && !closed.is_full());
    assert_eq!(closed.to_string(), "the pool is closed");
    assert_eq!(closed.into_inner(), 8);

    let closed = Closed(9);
    assert_eq!(closed.to_string(), "the pool is closed");
    assert_eq!(TrySubmitError::from(closed), TrySubmitError::Closed(9));
    assert_eq!(closed.into_inner(), 9);
}

#[test]
fn a_refused_batch_says_how_many_were_accepted() {
    let error = SubmitAllError { accepted: 3, refused: vec![()] };
    assert_eq!(error.to_string(), "the pool closed after accepting 3 jobs");
}

#[test]
fn a_pool_that_was_not_built_says_what_for() {
    let error = BuildError::from(Config::new(0, 0).unwrap_err());
    assert_eq!(error.to_string(), "workers is 0, allowed is 1 to 1024");
    assert!(error.source().is_none(), "it would be said twice");

    let error = BuildError::from(io::Error::other("no memory"));
    assert_eq!(error.to_string(), "cannot start a thread");
    assert_eq!(error.source().unwrap().to_string(), "no memory");
}
