//! Spans, metrics, streams, layers and reports as data.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use futures_util::{StreamExt, poll};
use manyhands_channel::ChannelPool;
use manyhands_conformance::watchdog;
use manyhands_core::{WorkerPool, discard};
use manyhands_managed::{
    ManagedPool, PoolLayer, Snapshot, Stop, Stopped, Unanswered, WhenFull,
};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName,
    Metadata, Recorder, SharedString, Unit,
};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::span::Id;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::support::{Held, Work, pool};

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn a_report_is_read_as_it_was_written() {
    watchdog(|| {
        let pool = pool(2, 3, |builder| builder);
        pool.pause();
        pool.submit(Work::says(1)).unwrap();
        let snapshot = pool.snapshot();
        let text = serde_json::to_string(&snapshot).unwrap();
        assert!(text.contains(r#""queued":1"#), "{text}");
        let read: Snapshot = serde_json::from_str(&text).unwrap();
        assert_eq!(read, snapshot);
        let stopped = pool.stop(Stop::Drain);
        let text = serde_json::to_string(&stopped).unwrap();
        let read: Stopped = serde_json::from_str(&text).unwrap();
        assert_eq!(read, stopped);
    });
}

#[test]
fn a_stream_has_every_completion_and_ends_with_the_pool() {
    watchdog(|| {
        runtime().block_on(async {
            let pool = pool(2, 3, |builder| builder);
            let mut stream = pool.stream();
            assert!(poll!(stream.next()).is_pending());
            for n in 0..20 {
                pool.submit_async(Work::says(n)).await.unwrap();
            }
            pool.close();
            let sum = stream
                .fold(0, async |sum, c| sum + c.done().unwrap().unwrap())
                .await;
            assert_eq!(sum, 190);
            assert!(poll!(pool.stream().next()).is_ready());
        });
    });
}

fn layer(workers: usize) -> PoolLayer {
    let pool = ManagedPool::builder()
        .workers(workers)
        .queue(0)
        .over(ChannelPool::new)
        .unwrap();
    PoolLayer::new(Arc::new(pool))
}

#[test]
fn a_service_is_not_ready_while_its_pool_is_full() {
    watchdog(|| {
        runtime().block_on(async {
            let inner = service_fn(async |n: u32| match n {
                0 => Err("no number"),
                1 => panic!("of its own"),
                n => Ok(n * 2),
            });
            let mut service = layer(1).layer(inner);
            let mut other = service.clone();
            service.ready().await.unwrap();
            // The one place is taken, though nothing was called.
            assert!(poll!(other.ready()).is_pending());
            let answer = service.call(21);
            assert_eq!(answer.await.unwrap(), 42);
            let answer = other.ready().await.unwrap().call(0);
            assert_eq!(answer.await.unwrap_err().to_string(), "no number");
            let answer = service.ready().await.unwrap().call(1);
            let lost = answer.await.unwrap_err();
            let lost = lost.downcast_ref::<Unanswered>().unwrap();
            assert_eq!(*lost, Unanswered::Lost);
        });
    });
}

#[test]
fn a_service_that_is_dropped_gives_its_place_back() {
    watchdog(|| {
        runtime().block_on(async {
            let inner = service_fn(async |n: u32| Ok::<_, Unanswered>(n));
            let mut service = layer(1).layer(inner);
            let mut other = service.clone();
            service.ready().await.unwrap();
            assert!(poll!(other.ready()).is_pending());
            drop(service);
            assert_eq!(other.ready().await.unwrap().call(1).await.unwrap(), 1);
        });
    });
}

/// It was in the line when it got its place another way. Called once more, it
/// would keep the call from who waits.
#[test]
fn a_service_that_has_its_place_stands_in_line_no_more() {
    watchdog(|| {
        runtime().block_on(async {
            let inner = service_fn(async |n: u32| Ok::<_, Unanswered>(n));
            let mut first = layer(1).layer(inner);
            let (mut second, mut third) = (first.clone(), first.clone());
            let mut last = first.clone();
            first.ready().await.unwrap();
            assert!(poll!(second.ready()).is_pending());
            assert!(poll!(third.ready()).is_pending());
            // The second is called, and the third is quicker.
            drop(first);
            assert!(poll!(third.ready()).is_ready());
            drop(second);
            let last = tokio::spawn(async move {
                last.ready().await.unwrap().call(2).await.unwrap()
            });
            tokio::task::yield_now().await;
            assert_eq!(third.call(1).await.unwrap(), 1);
            assert_eq!(last.await.unwrap(), 2);
            drop(third);
        });
    });
}

#[test]
fn a_service_of_a_closed_pool_says_so() {
    watchdog(|| {
        runtime().block_on(async {
            let pool = ManagedPool::builder()
                .workers(1)
                .over(ChannelPool::new)
                .unwrap();
            let pool = Arc::new(pool);
            let layer = PoolLayer::new(Arc::clone(&pool));
            let inner = service_fn(async |n: u32| Ok::<_, Unanswered>(n));
            let mut service = layer.layer(inner);
            service.ready().await.unwrap();
            pool.close();
            let closed = service.call(1).await.unwrap_err();
            assert_eq!(closed.to_string(), "the pool is closed");
            let Poll::Ready(Err(closed)) = poll!(service.ready()) else {
                panic!("it is closed")
            };
            assert_eq!(closed.to_string(), "the pool is closed");
        });
    });
}

/// What is written to it, as text.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_job_has_a_span_within_that_of_who_submitted_it() {
    watchdog(|| {
        let page = Page::default();
        let writer = page.clone();
        // For all threads; the other tests write to it as well.
        tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .init();
        let pool = pool(1, 3, |builder| builder);
        pool.pause();
        let says = |what: &'static str| {
            Work::new(move || {
                tracing::info!("{what}");
                Ok(0)
            })
        };
        pool.submit(says("alone")).unwrap();
        tracing::info_span!("request", user = 7).in_scope(|| {
            pool.submit(says("within")).unwrap();
        });
        assert!(pool.stop(Stop::Drain).is_complete());
        let page = page.0.lock().unwrap();
        let text = String::from_utf8_lossy(&page);
        let line = |what: &str| {
            let mut lines = text.lines();
            lines.find(|line| line.ends_with(what)).unwrap().to_owned()
        };
        let job = |id| format!("job{{id={id} worker=\"worker 1\"}}: ");
        let (alone, within) = (line("alone"), line("within"));
        assert!(alone.contains(&format!("INFO {}", job(0))), "{alone}");
        let expected = format!("request{{user=7}}:{}", job(1));
        assert!(within.contains(&expected), "{within}");
    });
}

/// Every meter by its name and labels.
#[derive(Clone, Default)]
struct Meters(Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

/// Counts what is recorded.
struct Records(Arc<AtomicU64>);

impl HistogramFn for Records {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Meters {
    fn meter(&self, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<_> = key.labels().map(|l| l.value()).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }

    fn count(&self, name: &str) -> u64 {
        let meters = self.0.lock().unwrap();
        meters[name].load(Ordering::SeqCst)
    }

    fn gauge(&self, name: &str) -> f64 {
        f64::from_bits(self.count(name))
    }
}

impl Recorder for Meters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(
        &self,
        _: KeyName,
        _: Option<Unit>,
        _: SharedString,
    ) {
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.meter(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.meter(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Records(self.meter(key))))
    }
}

#[test]
fn metrics_add_up_once_the_pool_is_at_rest() {
    watchdog(|| {
        let meters = Meters::default();
        let pool = metrics::with_local_recorder(&meters, || {
            pool(1, 1, |builder| builder.name("mail").fails_if(Result::is_err))
        });
        let gauges = || {
            ["manyhands_jobs_queued mail", "manyhands_jobs_running mail"]
                .map(|name| meters.gauge(name))
        };
        let (work, held) = Held::work(1);
        pool.submit(work).unwrap();
        held.wait_until_started();
        pool.submit(Work::says(2)).unwrap();
        pool.offer(Work::says(3), WhenFull::CallerRuns).unwrap();
        assert_eq!(gauges(), [1.0, 1.0]);
        pool.offer(Work::says(4), WhenFull::DropNewest).unwrap();
        pool.offer(Work::says(5), WhenFull::DropOldest).unwrap();
        held.let_go();
        // All but the last two have been received, so there is room.
        (0..5).for_each(|_| drop(pool.recv().unwrap()));
        pool.submit(Work::new(|| Err(6))).unwrap();
        pool.submit(Work::new(|| panic!("seven"))).unwrap();
        (0..2).for_each(|_| drop(pool.recv().unwrap()));
        pool.pause();
        pool.submit(Work::says(8)).unwrap();
        pool.cancel();
        assert_eq!(gauges(), [0.0, 0.0]);
        let ended = |how: &str| {
            meters.count(&format!("manyhands_jobs_ended_total mail {how}"))
        };
        assert_eq!(meters.count("manyhands_jobs_accepted_total mail"), 8);
        let counts = pool.snapshot();
        assert_eq!(counts.accepted, 8);
        let ends = ["done", "failed", "panicked", "cancelled", "dropped"];
        let expected = [
            counts.done,
            counts.failed,
            counts.panicked,
            counts.cancelled,
            counts.dropped,
        ];
        assert_eq!(ends.map(ended), expected);
        assert_eq!(expected, [3, 1, 1, 1, 2]);
        // Those that were queued and taken up, and those that ran.
        assert_eq!(meters.count("manyhands_job_wait_seconds mail"), 4);
        assert_eq!(meters.count("manyhands_job_run_seconds mail"), 5);
    });
}

/// Panics whenever it is told something.
struct Hostile;

impl CounterFn for Hostile {
    fn increment(&self, _: u64) {
        hostile();
    }

    fn absolute(&self, _: u64) {
        hostile();
    }
}

impl GaugeFn for Hostile {
    fn increment(&self, _: f64) {
        hostile();
    }

    fn decrement(&self, _: f64) {
        hostile();
    }

    fn set(&self, _: f64) {
        hostile();
    }
}

impl HistogramFn for Hostile {
    fn record(&self, _: f64) {
        hostile();
    }
}

impl Recorder for Hostile {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(
        &self,
        _: KeyName,
        _: Option<Unit>,
        _: SharedString,
    ) {
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Self))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Self))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Self))
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Hostile {
    fn on_close(&self, _: Id, _: Context<'_, S>) {
        // Two at once would end the process.
        if !thread::panicking() {
            hostile();
        }
    }
}

fn hostile() {
    std::panic::resume_unwind(Box::new("not today"));
}

/// All that may become of a job, each once and in a span of its own. Ends only
/// if each of them does.
fn assert_all_ends(pool: &ManagedPool<Work>) {
    let offer = |work, policy| {
        let span = tracing::info_span!("request");
        span.in_scope(|| pool.offer(work, policy)).unwrap();
        discard(span);
    };
    let (work, held) = Held::work(1);
    offer(work, WhenFull::Wait);
    held.wait_until_started();
    offer(Work::says(2), WhenFull::Wait);
    offer(Work::says(3), WhenFull::CallerRuns);
    offer(Work::says(4), WhenFull::DropNewest);
    offer(Work::says(5), WhenFull::DropOldest);
    held.let_go();
    (0..5).for_each(|_| drop(pool.recv().unwrap()));
    pool.pause();
    offer(Work::says(6), WhenFull::Wait);
    offer(Work::says(7), WhenFull::Wait);
    pool.cancel();
    let end = pool.stop(Stop::Drain);
    assert!(end.is_complete());
    assert_eq!((end.done, end.dropped, end.cancelled), (3, 2, 2));
    assert_eq!(end.unread, 2);
}

#[test]
fn a_recorder_that_panics_does_no_harm() {
    watchdog(|| {
        let pool =
            metrics::with_local_recorder(&Hostile, || pool(1, 1, |b| b));
        assert_all_ends(&pool);
    });
}

#[test]
fn a_subscriber_that_panics_does_no_harm() {
    watchdog(|| {
        let pool = pool(1, 1, |builder| builder);
        let submitter = Registry::default().with(Hostile);
        tracing::subscriber::with_default(submitter, || {
            assert_all_ends(&pool);
        });
    });
}
