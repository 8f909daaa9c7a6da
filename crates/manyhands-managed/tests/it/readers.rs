//! Streams of completions, beside each other and beside their pool.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use futures_util::Stream;
use manyhands_conformance::watchdog;
use manyhands_core::{Completion, WorkerPool};
use manyhands_managed::CompletionStream;

use crate::support::{Woken, Work, pool};

fn poll(
    stream: &mut CompletionStream<Work>,
    woken: &Arc<Woken>,
) -> Poll<Option<Completion<Work>>> {
    let waker = Waker::from(Arc::clone(woken));
    Pin::new(stream).poll_next(&mut Context::from_waker(&waker))
}

/// Else its call is lost for those who wait, and a completion lies unread.
#[test]
fn a_stream_that_has_got_its_completion_is_not_called_for_the_next() {
    watchdog(|| {
        let pool = pool(1, 5, |builder| builder);
        let woken = [(); 3].map(|()| Arc::new(Woken::default()));
        let [mut one, mut two, mut three] = [(); 3].map(|()| pool.stream());
        assert!(poll(&mut one, &woken[0]).is_pending());
        assert!(poll(&mut two, &woken[1]).is_pending());
        pool.submit(Work::says(1)).unwrap();
        while woken[0].times() == 0 {
            thread::yield_now();
        }
        // The first is called, and the second looks by itself.
        assert!(poll(&mut two, &woken[1]).is_ready());
        drop(one);
        assert!(poll(&mut three, &woken[2]).is_pending());
        pool.submit(Work::says(2)).unwrap();
        while woken[2].times() == 0 {
            thread::yield_now();
        }
        assert_eq!(woken[1].times(), 0);
        assert!(poll(&mut three, &woken[2]).is_ready());
    });
}
