//! Jobs that run twice, and do what they do once: three ways.
//!
//! ```console
//! $ cargo run -q -p manyhands-durable --example effects
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use manyhands_durable::sqlite::rusqlite;
use manyhands_durable::{Attempt, Backoff, DurableJob, Failure, JobQueue};
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

/// The shop's own database. A job is data: what it works with is found where
/// it runs.
static SHOP: OnceLock<PathBuf> = OnceLock::new();

fn shop() -> Result<Connection, Failure> {
    let path = SHOP.get().ok_or_else(|| Failure::retry("no shop yet"))?;
    let shop = Connection::open(path)?;
    shop.busy_timeout(Duration::from_secs(5))?;
    Ok(shop)
}

#[derive(Serialize, Deserialize)]
struct Ship {
    order: u32,
}

// ANCHOR: natural
/// A natural key: the second time changes nothing, since it says what is to
/// be so, and not what is to be added.
fn mark_as_shipped(order: u32) -> Result<(), Failure> {
    shop()?.execute(
        "UPDATE orders SET state = 'shipped' WHERE id = ?1",
        [order],
    )?;
    Ok(())
}
// ANCHOR_END: natural

// ANCHOR: effects
/// A table of effects: what was done is written in the transaction that does
/// it, under what it was done for.
fn take_from_stock(order: u32) -> Result<(), Failure> {
    let mut shop = shop()?;
    let tx = shop.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_first = tx.execute(
        "INSERT INTO effects (shipped, what) VALUES (?1, 'stock')
         ON CONFLICT DO NOTHING",
        [order],
    )? == 1;
    if is_first {
        tx.execute("UPDATE stock SET count = count - 1", [])?;
    }
    tx.commit()?;
    Ok(())
}
// ANCHOR_END: effects

// ANCHOR: service
/// A service that takes an idempotency key: the same one in every attempt.
fn charge(order: u32, attempt: &Attempt) -> Result<(), Failure> {
    let key = format!("ship-{order}");
    if Bank::charge(&key, 5) {
        println!("{key} is charged in attempt {}", attempt.number());
    }
    Ok(())
}
// ANCHOR_END: service

impl DurableJob for Ship {
    const KIND: &'static str = "ship";
    type Output = ();

    fn run(self, attempt: &Attempt) -> Result<(), Failure> {
        mark_as_shipped(self.order)?;
        take_from_stock(self.order)?;
        charge(self.order, attempt)?;
        // As if the process had died here, with all done and nothing said.
        if attempt.number() == 1 {
            return Err(Failure::retry("gone before it could say so"));
        }
        Ok(())
    }
}

/// Stands for somebody else's service.
struct Bank;

impl Bank {
    /// True if this key was not charged before.
    fn charge(key: &str, _euros: u32) -> bool {
        static CHARGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let mut charged =
            CHARGED.lock().unwrap_or_else(PoisonError::into_inner);
        charged.insert(key.to_owned())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shop.db");
    let shop = Connection::open(&path)?;
    shop.execute_batch(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT);
         INSERT INTO orders VALUES (1, 'paid'), (2, 'paid'), (3, 'paid');
         CREATE TABLE stock (count INTEGER);
         INSERT INTO stock VALUES (10);
         CREATE TABLE effects (
           shipped INTEGER, what TEXT, PRIMARY KEY (shipped, what)
         );",
    )?;
    SHOP.get_or_init(|| path);

    let soon = Duration::from_millis(10);
    let queue = JobQueue::<Ship>::builder()
        .backoff(Backoff::exponential(soon, soon))
        .in_process()?;
    queue.start()?;
    for order in 1..=3 {
        queue.submit(Ship { order })?;
    }
    while queue.counts()?.unfinished() > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }

    let attempts: u32 =
        queue.list(Default::default())?.iter().map(|it| it.attempts).sum();
    let ask = |sql: &str| shop.query_row(sql, [], |row| row.get::<_, u32>(0));
    let shipped = "SELECT count(*) FROM orders WHERE state = 'shipped'";
    println!(
        "{} jobs in {attempts} attempts: {} shipped, {} left in stock",
        queue.counts()?.done,
        ask(shipped)?,
        ask("SELECT count FROM stock")?
    );
    queue.stop();
    Ok(())
}
