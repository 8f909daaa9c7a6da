//! What the patterns use of crossbeam-channel, over the checkers' locks: so
//! that a checker sees each wait, and each order in which waits may end.
//!
//! It is not how crossbeam does it, only what crossbeam promises. Channels of
//! capacity 0 have no `try_send` here, which nobody calls.

use std::collections::VecDeque;
use std::sync::Arc;

use manyhands_core::sync::{Condvar, Mutex, MutexGuard, lock, wait};

/// A channel with `capacity` places. With none, a send waits until its
/// message was taken.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = State {
        queue: VecDeque::new(),
        taken: 0,
        sent: 0,
        senders: 1,
        receivers: 1,
        watchers: Vec::new(),
    };
    let chan = Arc::new(Chan {
        capacity,
        state: Mutex::new(state),
        changed: Condvar::new(),
    });
    (Sender { chan: Arc::clone(&chan) }, Receiver { chan })
}

struct Chan<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    /// Signalled on every change of the state.
    changed: Condvar,
}

struct State<T> {
    queue: VecDeque<T>,
    /// How many messages were put into the queue, and taken out, so far.
    sent: usize,
    taken: usize,
    senders: usize,
    receivers: usize,
    /// Who waits in a `select!` for a change.
    watchers: Vec<Arc<Watcher>>,
}

impl<T> Chan<T> {
    /// Tells everybody, and unlocks.
    fn announce(&self, mut state: MutexGuard<'_, State<T>>) {
        let watchers = std::mem::take(&mut state.watchers);
        drop(state);
        self.changed.notify_all();
        for watcher in watchers {
            *lock(&watcher.changed) = true;
            watcher.wake.notify_all();
        }
    }

    fn places(&self) -> usize {
        self.capacity.max(1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendError<T>(pub T);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrySendError<T> {
    Full(T),
    Disconnected(T),
}

impl<T> TrySendError<T> {
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(message) | Self::Disconnected(message) => message,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    Empty,
    Disconnected,
}

pub struct Sender<T> {
    chan: Arc<Chan<T>>,
}

impl<T> Sender<T> {
    pub fn send(&self, mut message: T) -> Result<(), SendError<T>> {
        loop {
            let watcher = Watcher::new();
            match self.attempt(message, Some(&watcher)) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(message)) => {
                    return Err(SendError(message));
                }
                Err(TrySendError::Full(back)) => message = back,
            }
            watcher.wait();
        }
    }

    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        assert!(self.chan.capacity > 0, "not modelled");
        self.attempt(message, None)
    }

    pub fn capacity(&self) -> Option<usize> {
        Some(self.chan.capacity)
    }

    /// Sends, or leaves a watcher to be told of the next change.
    #[doc(hidden)]
    pub fn attempt(
        &self,
        message: T,
        watcher: Option<&Arc<Watcher>>,
    ) -> Result<(), TrySendError<T>> {
        let chan = &*self.chan;
        let mut state = lock(&chan.state);
        if state.receivers == 0 {
            return Err(TrySendError::Disconnected(message));
        }
        if state.queue.len() >= chan.places() {
            state.watchers.extend(watcher.cloned());
            return Err(TrySendError::Full(message));
        }
        state.queue.push_back(message);
        state.sent += 1;
        let number = state.sent;
        chan.announce(state);
        if chan.capacity > 0 {
            return Ok(());
        }
        // A meeting: the message comes back if nobody will take it.
        let mut state = lock(&chan.state);
        while state.taken < number {
            if state.receivers == 0 {
                return match state.queue.pop_front() {
                    Some(message) => Err(TrySendError::Disconnected(message)),
                    None => Ok(()),
                };
            }
            state = wait(&chan.changed, state);
        }
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        lock(&self.chan.state).senders += 1;
        Self { chan: Arc::clone(&self.chan) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.chan.state);
        state.senders -= 1;
        if state.senders == 0 {
            self.chan.announce(state);
        }
    }
}

pub struct Receiver<T> {
    chan: Arc<Chan<T>>,
}

impl<T> Receiver<T> {
    pub fn recv(&self) -> Result<T, RecvError> {
        loop {
            let watcher = Watcher::new();
            match self.attempt(Some(&watcher)) {
                Ok(message) => return Ok(message),
                Err(TryRecvError::Disconnected) => return Err(RecvError),
                Err(TryRecvError::Empty) => watcher.wait(),
            }
        }
    }

    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.attempt(None)
    }

    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// Receives, or leaves a watcher to be told of the next change.
    #[doc(hidden)]
    pub fn attempt(
        &self,
        watcher: Option<&Arc<Watcher>>,
    ) -> Result<T, TryRecvError> {
        let mut state = lock(&self.chan.state);
        match state.queue.pop_front() {
            Some(message) => {
                state.taken += 1;
                self.chan.announce(state);
                Ok(message)
            }
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => {
                state.watchers.extend(watcher.cloned());
                Err(TryRecvError::Empty)
            }
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        lock(&self.chan.state).receivers += 1;
        Self { chan: Arc::clone(&self.chan) }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.chan.state);
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        // As crossbeam has it: what nobody can receive is dropped with the
        // last receiver. A meeting's message goes back to its sender.
        let queue = match self.chan.capacity {
            0 => VecDeque::new(),
            _ => std::mem::take(&mut state.queue),
        };
        self.chan.announce(state);
        drop(queue);
    }
}

pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}

/// Told when a channel changes.
#[doc(hidden)]
pub struct Watcher {
    changed: Mutex<bool>,
    wake: Condvar,
}

impl Watcher {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { changed: Mutex::new(false), wake: Condvar::new() })
    }

    pub fn wait(&self) {
        let mut changed = lock(&self.changed);
        while !*changed {
            changed = wait(&self.wake, changed);
        }
    }
}

/// Which of two arms a `select!` looks at first: the checker's choice.
#[doc(hidden)]
pub fn second_first() -> bool {
    #[cfg(shuttle)]
    {
        use shuttle::rand::{Rng, thread_rng};
        thread_rng().r#gen()
    }
    #[cfg(not(shuttle))]
    false
}

/// The two forms of `select!` that the patterns have.
#[macro_export]
macro_rules! select {
    (
        recv($first:expr) -> $message:pat => $then:expr,
        recv($second:expr) -> $other:pat => $otherwise:expr $(,)?
    ) => {{
        enum Arm<A, B> {
            First(A),
            Second(B),
        }
        let (first, second) = (&$first, &$second);
        let arm = loop {
            let watcher = $crate::Watcher::new();
            let second_first = $crate::second_first();
            let mut chosen = None;
            for look in [second_first, !second_first] {
                if chosen.is_some() {
                    break;
                }
                chosen = if look {
                    match second.attempt(Some(&watcher)) {
                        Err($crate::TryRecvError::Empty) => None,
                        ready => Some(Arm::Second(
                            ready.map_err(|_| $crate::RecvError),
                        )),
                    }
                } else {
                    match first.attempt(Some(&watcher)) {
                        Err($crate::TryRecvError::Empty) => None,
                        ready => Some(Arm::First(
                            ready.map_err(|_| $crate::RecvError),
                        )),
                    }
                };
            }
            match chosen {
                Some(arm) => break arm,
                None => watcher.wait(),
            }
        };
        match arm {
            Arm::First($message) => $then,
            Arm::Second($other) => $otherwise,
        }
    }};
    (
        send($first:expr, $message:expr) -> $sent:pat => $then:block
        recv($second:expr) -> $other:pat => $otherwise:expr $(,)?
    ) => {{
        enum Arm<A, B> {
            First(A),
            Second(B),
        }
        let (first, second) = (&$first, &$second);
        let mut message = Some($message);
        let arm = loop {
            let watcher = $crate::Watcher::new();
            let second_first = $crate::second_first();
            let mut chosen = None;
            for look in [second_first, !second_first] {
                if chosen.is_some() {
                    break;
                }
                chosen = if look {
                    match second.attempt(Some(&watcher)) {
                        Err($crate::TryRecvError::Empty) => None,
                        ready => Some(Arm::Second(
                            ready.map_err(|_| $crate::RecvError),
                        )),
                    }
                } else if let Some(it) = message.take() {
                    match first.attempt(it, Some(&watcher)) {
                        Err($crate::TrySendError::Full(it)) => {
                            message = Some(it);
                            None
                        }
                        Err($crate::TrySendError::Disconnected(it)) => {
                            Some(Arm::First(Err($crate::SendError(it))))
                        }
                        Ok(()) => Some(Arm::First(Ok(()))),
                    }
                } else {
                    None
                };
            }
            match chosen {
                Some(arm) => break arm,
                None => watcher.wait(),
            }
        };
        match arm {
            Arm::First($sent) => $then,
            Arm::Second($other) => $otherwise,
        }
    }};
}
