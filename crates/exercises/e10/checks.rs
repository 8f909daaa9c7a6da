//! What is asked of exercise 10.

use exercises::{Check, Gate, Gauge, Log, explore, listed, thread};

use super::answer::map;

pub fn checks() -> Vec<Check> {
    const STUCK: &str = "items are left, and no thread does them";
    vec![
        Check::new(
            "in_the_order_of_the_items",
            "the results of 6 items, 2 to a claim, are in the items' order",
            STUCK,
            || explore(in_the_order_of_the_items),
        ),
        Check::new(
            "the_rest_too",
            "7 items, 3 to a claim: the last claim is shorter",
            STUCK,
            || explore(the_rest_too),
        ),
        Check::new(
            "no_items",
            "of no items comes an empty list",
            STUCK,
            || explore(no_items),
        ),
        Check::new(
            "two_at_once",
            "two threads do two claims at the same time",
            "the second claim was not begun while the first was done: `f` ran \
             under a lock, or on one thread",
            || explore(two_at_once),
        ),
        Check::new(
            "a_slow_item_holds_up_its_own_claim",
            "while a thread is at a slow item, the other claims all the rest",
            "items beside the slow one, which nobody had claimed, waited for \
             its thread while the other had nothing to do",
            || explore(a_slow_item_holds_up_its_own_claim),
        ),
        Check::new(
            "a_claim_is_of_rows",
            "items that were claimed together are done by the same thread",
            STUCK,
            || explore(a_claim_is_of_rows),
        ),
        Check::new(
            "so_many_threads",
            "2 workers are two threads, however many claims there are",
            STUCK,
            || explore(so_many_threads),
        ),
    ]
}

fn doubled(count: u64, rows: usize) {
    let items: Vec<u64> = (0..count).collect();
    let seen = map(&items, 2, rows, |item| {
        thread::yield_now();
        item * 2
    });
    let right: Vec<u64> = (0..count).map(|item| item * 2).collect();
    assert!(
        seen == right,
        "the doubles of 0 to {} came out as {}",
        count - 1,
        listed(&seen)
    );
}

fn in_the_order_of_the_items() {
    doubled(6, 2);
}

fn the_rest_too() {
    doubled(7, 3);
}

fn no_items() {
    let seen = map(&[] as &[u64], 2, 3, |item| *item);
    assert!(seen.is_empty(), "of no items came {}", listed(&seen));
}

fn two_at_once() {
    let gate = Gate::new(2);
    let items = [0, 1, 2, 3];
    map(&items, 2, 2, |item| {
        if item % 2 == 0 {
            gate.meet();
        }
    });
}

fn a_slow_item_holds_up_its_own_claim() {
    // Item 0 is as long as all of those that are not in its claim.
    let others = Gate::new(6);
    let items: Vec<u64> = (0..8).collect();
    map(&items, 2, 2, |item| match item {
        0 => others.wait(),
        1 => {}
        _ => others.come(),
    });
}

fn a_claim_is_of_rows() {
    let items: Vec<usize> = (0..6).collect();
    let threads = map(&items, 2, 3, |_| {
        thread::yield_now();
        thread::current().id()
    });
    for (claim, threads) in threads.chunks(3).enumerate() {
        let first = claim * 3;
        assert!(
            threads.iter().all(|thread| *thread == threads[0]),
            "items {first} to {} were done by different threads, with 3 to a \
             claim",
            first + 2
        );
    }
}

fn so_many_threads() {
    let gauge = Gauge::new();
    let seen = Log::new();
    map(&[(); 5], 2, 1, |()| {
        gauge.enter();
        thread::yield_now();
        seen.note(thread::current().id());
        gauge.leave();
    });
    let mut different = Vec::new();
    for thread in seen.all() {
        if !different.contains(&thread) {
            different.push(thread);
        }
    }
    let (threads, most) = (different.len(), gauge.most());
    assert!(
        threads <= 2,
        "{threads} threads did the items, {most} at once; 2 were asked for"
    );
}
