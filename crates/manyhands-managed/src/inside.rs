//! Whether the calling thread is at work on a job of a certain pool.

use std::cell::RefCell;

use manyhands_core::sync::thread_local;

thread_local! {
    /// The pools of the jobs that this thread is in, by address: more than
    /// one where a job of one pool runs a job of another.
    static POOLS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Marks the thread, until it is dropped.
pub(crate) struct Inside(());

impl Inside {
    pub(crate) fn of<T>(pool: &T) -> Self {
        POOLS.with(|pools| pools.borrow_mut().push(address(pool)));
        Self(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        POOLS.with(|pools| pools.borrow_mut().pop());
    }
}

/// False as well where the thread has given back what it knew, at its end.
pub(crate) fn is_inside<T>(pool: &T) -> bool {
    let known =
        |pools: &RefCell<Vec<usize>>| pools.borrow().contains(&address(pool));
    POOLS.try_with(known).unwrap_or(false)
}

fn address<T>(pool: &T) -> usize {
    std::ptr::from_ref(pool).addr()
}
