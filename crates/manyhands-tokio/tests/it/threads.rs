//! The threads of a runtime, the pool's own and the caller's.

use std::sync::mpsc::channel;
use std::thread;

use manyhands_core::{WorkerPool, WorkerPoolExt};
use manyhands_tokio::{Async, Blocking};
use tokio::runtime::Builder;

use crate::{for_both_pools, workers};

for_both_pools! {
    fn on_a_runtime_of_the_callers_the_threads_are_the_callers() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mine")
            .build()
            .unwrap();
        let pool = Pool::on(runtime.handle(), workers(2));
        let name = || thread::current().name().map(String::from);
        pool.submit(Async(move || async move { name() })).unwrap();
        let name = pool.recv().unwrap().done().unwrap();
        assert_eq!(name.as_deref(), Some("mine"));
    }

    fn threads_for_what_blocks_have_hooks_and_numbers_of_their_own() {
        let (told, events) = channel();
        let tell = told.clone();
        let pool = Pool::builder()
            .workers(2)
            .on_start(move |it| told.send((it.index(), 1)).unwrap())
            .on_stop(move |it| tell.send((it.index(), -1)).unwrap())
            .build()
            .unwrap();
        for _ in 0..10 {
            pool.submit(Blocking(|| ())).unwrap();
        }
        pool.close();
        assert_eq!(pool.completions().count(), 10);
        drop(pool);
        let mut present = Vec::new();
        for (index, change) in events {
            match present.iter().position(|it| *it == index) {
                Some(at) => {
                    assert_eq!(change, -1, "two of one number");
                    present.swap_remove(at);
                }
                None => {
                    assert_eq!(change, 1, "it ends and was not begun");
                    present.push(index);
                }
            }
        }
        assert!(present.is_empty(), "{present:?} have not stopped");
    }
}
