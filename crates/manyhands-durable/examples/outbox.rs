//! A job that is submitted in the transaction that makes it necessary: both
//! are there, or neither is.
//!
//! ```console
//! $ cargo run -q -p manyhands-durable --example outbox
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::time::Duration;

use manyhands_durable::sqlite::{self, rusqlite};
use manyhands_durable::{Attempt, DurableJob, Failure, JobQueue, Submission};
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct ConfirmOrder {
    order: i64,
}

impl DurableJob for ConfirmOrder {
    const KIND: &'static str = "confirm-order";
    type Output = ();

    fn run(self, _: &Attempt) -> Result<(), Failure> {
        println!("order {} is confirmed", self.order);
        Ok(())
    }
}

// ANCHOR: order
/// Takes an order, if there is enough of what is wanted.
fn order(
    shop: &mut Connection,
    item: &str,
    count: u32,
) -> Result<(), Box<dyn Error>> {
    let tx = shop.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("INSERT INTO orders (item) VALUES (?1)", [item])?;
    let job = ConfirmOrder { order: tx.last_insert_rowid() };
    sqlite::submit_in(&tx, &job, Submission::new())?;

    let left = tx.execute(
        "UPDATE stock SET count = count - ?2
         WHERE item = ?1 AND count >= ?2",
        (item, count),
    )?;
    if left == 0 {
        // Without a commit, order and job were never there.
        return Err(format!("not enough {item}").into());
    }
    tx.commit()?;
    Ok(())
}
// ANCHOR_END: order

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shop.db");

    let mut shop = Connection::open(&path)?;
    shop.busy_timeout(Duration::from_secs(5))?;
    shop.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT);
         CREATE TABLE stock (item TEXT PRIMARY KEY, count INTEGER);
         INSERT INTO stock VALUES ('tea', 3);",
    )?;
    sqlite::attach(&shop)?;

    for count in [2, 2] {
        match order(&mut shop, "tea", count) {
            Ok(()) => println!("{count} of tea are ordered"),
            Err(error) => println!("{count} of tea are not: {error}"),
        }
    }

    let queue = JobQueue::<ConfirmOrder>::sqlite(&path, 1)?;
    println!("{} job is stored", queue.counts()?.ready);
    queue.start()?;
    while queue.counts()?.unfinished() > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    queue.stop();
    Ok(())
}
