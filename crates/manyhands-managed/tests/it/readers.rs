//! Streams of completions, beside each other and beside their pool.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{TryRecvError, channel};
use std::task::{Context, Poll, Waker};
use std::thread;

use futures_util::{Stream, StreamExt};
use manyhands_conformance::watchdog;
use manyhands_core::{Completion, WorkerPool};
use manyhands_managed::CompletionStream;
use tokio::runtime::Builder;

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

#[test]
fn a_stream_that_outlives_its_pool_has_what_nobody_read() {
    watchdog(|| {
        let pool = pool(1, 5, |builder| builder);
        let (stream, other) = (pool.stream(), pool.stream());
        for n in 1..=3 {
            pool.submit(Work::says(n)).unwrap();
        }
        drop(other);
        drop(pool);
        let answers = stream.filter_map(async |c| c.done());
        let sum = answers.fold(0, async |sum, n| sum + n.unwrap());
        let runtime = Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(sum), 6);
    });
}

#[test]
fn what_nobody_can_read_any_more_is_dropped() {
    watchdog(|| {
        let (kept, gone) = channel::<()>();
        let pool = pool(1, 5, |builder| builder);
        let stream = pool.stream();
        pool.pause();
        // Dropped with its completion, which is cancelled.
        pool.submit(Work::new(move || {
            kept.send(()).unwrap();
            Ok(1)
        }))
        .unwrap();
        pool.cancel();
        drop(pool);
        assert_eq!(gone.try_recv(), Err(TryRecvError::Empty));
        drop(stream);
        assert_eq!(gone.try_recv(), Err(TryRecvError::Disconnected));
    });
}
