//! Telling work that runs that it is to stop.

use std::collections::BTreeMap;
use std::fmt;
use std::mem::take;
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll, Waker};

use crate::run::{contain, discard};
use crate::sync::{
    Arc, AtomicBool, Condvar, Duration, Instant, Mutex, MutexGuard, Ordering,
    lock, wait, wait_at_most,
};

/// A word to work that runs: stop.
///
/// A pool that is [cancelled](crate::WorkerPool::cancel) starts nothing more,
/// and interrupts nothing. What a job does when it is to end early only the
/// job knows; so it is given a token, and looks at it where it can stop.
///
/// ```
/// use manyhands_core::{CancelToken, Cancelled, InlinePool, Spawn, Task};
///
/// fn sum(numbers: &[u64], token: &CancelToken) -> Result<u64, Cancelled> {
///     let mut sum = 0;
///     for some in numbers.chunks(1024) {
///         token.check()?;
///         sum += some.iter().sum::<u64>();
///     }
///     Ok(sum)
/// }
///
/// let token = CancelToken::new();
/// let numbers: Vec<u64> = (0..10_000).collect();
/// let pool = InlinePool::<Task<'_>>::new();
///
/// let first = pool.spawn(|| sum(&numbers, &token)).unwrap();
/// assert_eq!(first.join()?, Ok(49_995_000));
///
/// token.cancel();
/// let second = pool.spawn(|| sum(&numbers, &token)).unwrap();
/// assert_eq!(second.join()?, Err(Cancelled));
/// # Ok::<(), manyhands_core::JobError>(())
/// ```
///
/// Clones are the same token. A [`child`](Self::child) is cancelled with its
/// parent, and by itself without it: a service has one token, each request a
/// child of it, each part of a request a child of that. Once cancelled, a
/// token stays so.
///
/// # Deadlines
///
/// A child may have a deadline, [`child_for`](Self::child_for) some time or
/// [`child_until`](Self::child_until) some moment; its own children have it
/// too. No thread and no timer watches it. Whoever looks finds it: the first
/// look at or after the deadline cancels the token, on the thread that looks,
/// with all that [`cancel`](Self::cancel) does.
/// [`is_cancelled`](Self::is_cancelled), [`check`](Self::check) and polling
/// [`cancelled`](Self::cancelled) are looks, and [`wait`](Self::wait) wakes
/// up to take one. Where nobody looks, nobody is told.
///
/// # Cost
///
/// One allocation a token, none a clone. `is_cancelled` is one atomic load; a
/// token with a deadline also asks for the time. A lock is taken only by who
/// cancels, waits or registers, and no user's code runs under it. A token that
/// is dropped leaves nothing in its parent.
#[derive(Clone)]
pub struct CancelToken {
    node: Arc<Node>,
}

/// A token, as its clones share it.
struct Node {
    /// Set once, with `listeners` locked, so that who registers sees it.
    cancelled: AtomicBool,
    /// The earliest of its own and its ancestors' deadlines.
    deadline: Option<Instant>,
    /// What it is a child of; `None` if that was cancelled already.
    parent: Option<Link>,
    /// Who is to be told.
    listeners: Mutex<Listeners>,
    /// Signalled by `cancel`.
    changed: Condvar,
}

/// A child's hold on its parent: keeps it alive, for a grandparent may be
/// cancelled.
struct Link {
    parent: Arc<Node>,
    /// Under which number the child is registered there.
    number: u64,
}

#[derive(Default)]
struct Listeners {
    /// They stay when the token is cancelled: who cancels it a second time,
    /// at the same time, finds them too.
    children: BTreeMap<u64, Weak<Node>>,
    /// Taken by who cancels.
    calls: BTreeMap<u64, Call>,
    /// The last number that was given out, to either.
    last: u64,
}

enum Call {
    Wake(Waker),
    Run(Box<dyn FnOnce() + Send>),
}

impl CancelToken {
    /// A token of its own, not cancelled, without a deadline.
    pub fn new() -> Self {
        Self { node: Arc::new(Node::new(None, None, false)) }
    }

    /// A token that is cancelled together with this one, at the latest.
    ///
    /// ```
    /// use manyhands_core::CancelToken;
    ///
    /// let service = CancelToken::new();
    /// let (one, other) = (service.child(), service.child());
    /// one.cancel();
    /// assert!(!service.is_cancelled() && !other.is_cancelled());
    /// service.cancel();
    /// assert!(other.is_cancelled());
    /// ```
    pub fn child(&self) -> Self {
        self.grow(self.node.deadline)
    }

    /// A [child](Self::child) that is cancelled at this moment, at the
    /// latest; see [deadlines](Self#deadlines).
    pub fn child_until(&self, deadline: Instant) -> Self {
        self.grow(earliest(self.node.deadline, Some(deadline)))
    }

    /// A [child](Self::child) that is cancelled after this time, at the
    /// latest; see [deadlines](Self#deadlines).
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands_core::CancelToken;
    ///
    /// let request = CancelToken::new().child_for(Duration::from_millis(5));
    /// request.wait();
    /// assert!(request.is_cancelled());
    /// ```
    pub fn child_for(&self, time: Duration) -> Self {
        let deadline = Instant::now().checked_add(time);
        self.grow(earliest(self.node.deadline, deadline))
    }

    fn grow(&self, deadline: Option<Instant>) -> Self {
        let mut listeners = self.node.lock();
        if self.node.is_marked() {
            return Self { node: Arc::new(Node::new(deadline, None, true)) };
        }
        let number = listeners.number();
        let link = Link { parent: Arc::clone(&self.node), number };
        let node = Arc::new(Node::new(deadline, Some(link), false));
        listeners.children.insert(number, Arc::downgrade(&node));
        drop(listeners);
        Self { node }
    }

    /// Cancels this token and all its children.
    ///
    /// First all of them are cancelled; then, on this thread, who waits is
    /// woken and what is [registered](Self::on_cancel) is called. Panics of
    /// those calls are contained. Does nothing when called again.
    pub fn cancel(&self) {
        let mut calls = Vec::new();
        let mut nodes = vec![Arc::clone(&self.node)];
        // Not recursive: a chain of children may be long.
        while let Some(node) = nodes.pop() {
            let mut listeners = node.lock();
            node.cancelled.store(true, Ordering::Release);
            nodes
                .extend(listeners.children.values().filter_map(Weak::upgrade));
            let of_node = take(&mut listeners.calls);
            drop(listeners);
            node.changed.notify_all();
            calls.extend(of_node.into_values());
        }
        calls.into_iter().for_each(Call::make);
    }

    /// True once the token, or one that it is a child of, was cancelled, or
    /// its deadline is over.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.node.cancelled.load(Ordering::Acquire)
            || self.node.deadline.is_some() && self.look_at_clock()
    }

    #[cold]
    fn look_at_clock(&self) -> bool {
        let over = self.node.is_overdue();
        if over {
            self.cancel();
        }
        over
    }

    /// [`is_cancelled`](Self::is_cancelled), for the `?` of a job that stops.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] when it is.
    #[inline]
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// When the token is cancelled at the latest: the earliest deadline of
    /// its own and of those that it is a child of.
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline
    }

    /// Blocks until the token is cancelled, or its deadline is over.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Blocks until the token is cancelled, its deadline is over, or this
    /// time is. Returns whether the token is cancelled: a sleep that ends
    /// early when there is nothing to go on for.
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands_core::CancelToken;
    ///
    /// let token = CancelToken::new();
    /// # let mut polls = 0;
    /// while !token.wait_timeout(Duration::from_millis(1)) {
    ///     // ... what is done every millisecond, until the token says stop
    /// #   polls += 1;
    /// #   if polls == 3 { token.cancel(); }
    /// }
    /// ```
    pub fn wait_timeout(&self, time: Duration) -> bool {
        self.wait_until(Instant::now().checked_add(time))
    }

    fn wait_until(&self, limit: Option<Instant>) -> bool {
        let Node { listeners: mutex, changed, .. } = &*self.node;
        let until = earliest(self.node.deadline, limit);
        let mut listeners = lock(mutex);
        while !self.node.is_marked() {
            let Some(until) = until else {
                listeners = wait(changed, listeners);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            listeners = wait_at_most(mutex, changed, listeners, left);
        }
        drop(listeners);
        self.is_cancelled()
    }

    /// A future that is ready once the token is cancelled, on any runtime.
    ///
    /// It is told of a [`cancel`](Self::cancel), and by whoever looks at an
    /// overdue token. The deadline itself wakes nobody, since there is no
    /// timer here: a future of a token with a deadline wants its runtime's
    /// timer beside it.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::task::{Context, Waker};
    /// use manyhands_core::CancelToken;
    ///
    /// let token = CancelToken::new();
    /// let mut cancelled = pin!(token.cancelled());
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(cancelled.as_mut().poll(&mut context).is_pending());
    /// token.cancel();
    /// assert!(cancelled.as_mut().poll(&mut context).is_ready());
    /// ```
    pub fn cancelled(&self) -> Cancellation {
        Cancellation { token: self.clone(), number: None }
    }

    /// Has `call` called when the token is cancelled, on the thread that
    /// cancels; at once and here, if it is cancelled already. A panic of it
    /// is contained.
    ///
    /// Called at most once, and never if the guard is dropped before: keep it
    /// as long as the call is wanted, or [`detach`](OnCancel::detach) it. To
    /// keep the token itself in the call would keep it for ever: take a
    /// [`downgrade`](Self::downgrade) of it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use manyhands_core::{CancelToken, InlinePool, WorkerPool};
    ///
    /// let pool = Arc::new(InlinePool::new());
    /// let token = CancelToken::new();
    /// let stop = Arc::clone(&pool);
    /// let guard = token.on_cancel(move || stop.cancel());
    /// token.cancel();
    /// assert!(pool.submit(|| ()).is_err());
    /// ```
    pub fn on_cancel(&self, call: impl FnOnce() + Send + 'static) -> OnCancel {
        let number = match self.register(None, Call::Run(Box::new(call))) {
            Ok(number) => Some(number),
            Err(call) => {
                call.make();
                None
            }
        };
        OnCancel { token: self.clone(), number }
    }

    /// Puts a call in the place of an earlier one, or in a new one; gives it
    /// back if the token is cancelled.
    fn register(&self, number: Option<u64>, call: Call) -> Result<u64, Call> {
        if self.is_cancelled() {
            return Err(call);
        }
        let mut listeners = self.node.lock();
        if self.node.is_marked() {
            return Err(call);
        }
        let number = number.unwrap_or_else(|| listeners.number());
        let earlier = listeners.calls.insert(number, call);
        drop(listeners);
        discard(earlier);
        Ok(number)
    }

    fn unregister(&self, number: Option<u64>) {
        if let Some(number) = number {
            let call = self.node.lock().calls.remove(&number);
            discard(call);
        }
    }

    /// The token, without keeping it: what a call that is registered with it
    /// may hold.
    pub fn downgrade(&self) -> WeakCancelToken {
        WeakCancelToken { node: Arc::downgrade(&self.node) }
    }
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl Node {
    fn new(
        deadline: Option<Instant>,
        parent: Option<Link>,
        cancelled: bool,
    ) -> Self {
        Self {
            cancelled: AtomicBool::new(cancelled),
            deadline,
            parent,
            listeners: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Listeners> {
        lock(&self.listeners)
    }

    /// For who holds the lock: under it, the mark does not change.
    fn is_marked(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn is_overdue(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Listeners {
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

impl Call {
    fn make(self) {
        contain(|| match self {
            Self::Wake(waker) => waker.wake(),
            Self::Run(call) => call(),
        });
    }
}

/// Leaves the parent, and its parent if that is gone too: in a loop, for a
/// chain of children may be long.
impl Drop for Node {
    fn drop(&mut self) {
        let mut link = self.parent.take();
        while let Some(Link { parent, number }) = link {
            parent.lock().children.remove(&number);
            link = Arc::into_inner(parent)
                .and_then(|mut parent| parent.parent.take());
        }
        // What was detached and never called.
        let calls = take(&mut self.lock().calls);
        calls.into_values().for_each(discard);
    }
}

/// Keeps a call registered; see [`CancelToken::on_cancel`].
///
/// Dropping it takes the call back, unless that has begun: then it goes on,
/// and the drop does not wait for it.
#[must_use = "dropped, it takes the call back; `detach` leaves it there"]
pub struct OnCancel {
    token: CancelToken,
    /// `None` when it was called at once, or is detached.
    number: Option<u64>,
}

impl OnCancel {
    /// Leaves the call registered for as long as there is the token, a clone
    /// or a child of it.
    pub fn detach(mut self) {
        self.number = None;
    }
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        self.token.unregister(self.number);
    }
}

/// Ready once a token is cancelled; see [`CancelToken::cancelled`].
#[must_use = "a future does nothing until it is polled"]
pub struct Cancellation {
    token: CancelToken,
    /// Under which number it left its waker.
    number: Option<u64>,
}

impl Future for Cancellation {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.token.is_cancelled() {
            return Poll::Ready(());
        }
        // Cloned and dropped outside of the lock: a waker is the user's code.
        let wake = Call::Wake(context.waker().clone());
        match self.token.register(self.number, wake) {
            Ok(number) => {
                self.number = Some(number);
                Poll::Pending
            }
            Err(_) => Poll::Ready(()),
        }
    }
}

impl Drop for Cancellation {
    fn drop(&mut self) {
        self.token.unregister(self.number);
    }
}

/// A token that is not kept; see [`CancelToken::downgrade`].
#[derive(Clone)]
pub struct WeakCancelToken {
    node: Weak<Node>,
}

impl WeakCancelToken {
    /// The token, if there still is one: itself, a clone or a child of it.
    pub fn upgrade(&self) -> Option<CancelToken> {
        self.node.upgrade().map(|node| CancelToken { node })
    }
}

/// The work was to stop: what [`CancelToken::check`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// Whether it is cancelled, its deadline, and how many listen: children,
/// calls and futures. Does not cancel a token that is overdue.
impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listeners = {
            let listeners = self.node.lock();
            listeners.children.len() + listeners.calls.len()
        };
        f.debug_struct("CancelToken")
            .field("cancelled", &self.node.is_marked())
            .field("deadline", &self.node.deadline)
            .field("listeners", &listeners)
            .finish()
    }
}

impl fmt::Debug for OnCancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnCancel").finish_non_exhaustive()
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation").finish_non_exhaustive()
    }
}

impl fmt::Debug for WeakCancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakCancelToken").finish_non_exhaustive()
    }
}
