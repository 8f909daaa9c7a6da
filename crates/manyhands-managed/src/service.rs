//! A pool as a layer around a `tower` service.

use std::error::Error;
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures_channel::oneshot;
use manyhands_core::sync::Arc;
use manyhands_core::{AsyncJob, Job};
use tower_layer::Layer;
use tower_service::Service;

use crate::pool::ManagedPool;
use crate::reserve::{Place, poll_reserve};
use crate::shared::Waiting;
use crate::state::Awaited;
use crate::wait::block_on;

/// Runs the calls of a service as jobs of a pool: the pool decides how many
/// are under way, and how many wait.
///
/// The service is *ready* when a place was taken for the next call: a pool
/// that is full is a service that is not ready, which is how `tower` pushes
/// back. Several services may share one pool. One that is ready and is not
/// called keeps its place until it is dropped, as with any such service.
///
/// A call's future runs on the pool: over a pool of tasks as one of its tasks,
/// over a pool of threads on a worker, which it keeps until it is ready. Work
/// for the processor may be done in it; what waits for a runtime's sockets and
/// timers wants a pool of tasks on that runtime.
///
/// ```
/// use std::sync::Arc;
/// use manyhands_channel::ChannelPool;
/// use manyhands_managed::{ManagedPool, PoolLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// let pool = ManagedPool::builder().workers(2).queue(8).over(ChannelPool::new)?;
/// let service = ServiceBuilder::new()
///     .layer(PoolLayer::new(Arc::new(pool)))
///     .service(service_fn(async |n: u64| {
///         Ok::<_, std::convert::Infallible>((1..=n).product::<u64>())
///     }));
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// assert_eq!(service.oneshot(5).await?, 120);
/// # Ok::<(), tower::BoxError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Clone)]
pub struct PoolLayer {
    pool: Arc<ManagedPool<Call>>,
}

impl PoolLayer {
    /// A layer on this pool.
    pub fn new(pool: Arc<ManagedPool<Call>>) -> Self {
        Self { pool }
    }
}

impl<S> Layer<S> for PoolLayer {
    type Service = Pooled<S>;

    fn layer(&self, inner: S) -> Pooled<S> {
        Pooled {
            inner,
            pool: Arc::clone(&self.pool),
            waiting: None,
            place: None,
        }
    }
}

/// A service whose calls are jobs of a pool; see [`PoolLayer`].
pub struct Pooled<S> {
    inner: S,
    pool: Arc<ManagedPool<Call>>,
    waiting: Option<Waiting<Call>>,
    place: Option<Place<Call>>,
}

/// A call as a job: what the pool of a [`PoolLayer`] runs.
pub struct Call(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Job for Call {
    type Output = ();

    /// It answers the caller.
    const DETACHED: bool = true;

    fn run(mut self) {
        // Not longer than the future takes: there is no deadline.
        block_on(None, || false, |context| self.0.as_mut().poll(context));
    }
}

impl AsyncJob for Call {
    async fn run_async(self) {
        self.0.await;
    }
}

/// Why a call has no answer of its service.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The pool did not run a call to its end: it is closed, it was cancelled, or
/// the call panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unanswered {
    /// The pool is closed.
    Closed,
    /// The call panicked, or the pool was cancelled before it began.
    Lost,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the pool is closed",
            Self::Lost => "the call was cancelled, or panicked",
        })
    }
}

impl Error for Unanswered {}

impl<S, R> Service<R> for Pooled<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
    S::Error: Into<BoxError> + Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Answer<S::Response, S::Error>;

    fn poll_ready(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), BoxError>> {
        if self.place.is_none() {
            let waiting = self.waiting.get_or_insert_with(|| {
                Waiting::new(self.pool.shared(), Awaited::Place)
            });
            match poll_reserve(waiting, context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => {
                    return Poll::Ready(Err(Unanswered::Closed.into()));
                }
                Poll::Ready(Ok(place)) => {
                    self.waiting = None;
                    self.place = Some(place);
                }
            }
        }
        self.inner.poll_ready(context).map_err(Into::into)
    }

    /// # Panics
    ///
    /// When it was not ready, as any service may.
    fn call(&mut self, request: R) -> Self::Future {
        let place = self.place.take();
        let place = place.expect("called without being ready");
        let (tell, told) = oneshot::channel();
        let call = self.inner.call(request);
        let job = Call(Box::pin(async move {
            // Whether the caller still waits makes no difference here.
            drop(tell.send(call.await));
        }));
        // Refused, it is dropped, and the caller is told so.
        let closed = place.submit(job).is_err();
        Answer { told, closed }
    }
}

/// What a call answers; see [`PoolLayer`].
pub struct Answer<T, E> {
    told: oneshot::Receiver<Result<T, E>>,
    closed: bool,
}

impl<T, E: Into<BoxError>> Future for Answer<T, E> {
    type Output = Result<T, BoxError>;

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Self::Output> {
        let closed = self.closed;
        pin!(&mut self.told).poll(context).map(|told| match told {
            Ok(answer) => answer.map_err(Into::into),
            Err(_) if closed => Err(Unanswered::Closed.into()),
            Err(_) => Err(Unanswered::Lost.into()),
        })
    }
}

/// A clone takes a place of its own.
impl<S: Clone> Clone for Pooled<S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            pool: Arc::clone(&self.pool),
            waiting: None,
            place: None,
        }
    }
}

impl fmt::Debug for PoolLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolLayer").field("pool", &self.pool).finish()
    }
}

impl<S: fmt::Debug> fmt::Debug for Pooled<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled")
            .field("inner", &self.inner)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call(..)")
    }
}

impl<T, E> fmt::Debug for Answer<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}
