//! A disk, a file and other processes that do not do what they should.

use super::*;

fn told(error: &Error) -> &str {
    match error {
        Error::Store(told) => told,
        other => panic!("{other:?}"),
    }
}

fn put(at: &Place) -> Result<Vec<JobId>, Error> {
    let body = format!("\"{}\"", "x".repeat(1000));
    at.put_all(vec![job("k", &body, Submission::new())])
}

#[test]
fn a_full_disk_loses_nothing_and_is_left_behind() {
    let at = Place::new();
    let set = |pages: i64| {
        at.writer
            .call(move |conn| {
                conn.query_row(
                    &format!("PRAGMA max_page_count = {pages}"),
                    [],
                    |_| Ok(()),
                )?;
                Ok(((), false))
            })
            .unwrap();
    };
    set(80);
    let mut accepted = Vec::new();
    let error = loop {
        match put(&at) {
            Ok(ids) => accepted.extend(ids),
            Err(error) => break error,
        }
        assert!(accepted.len() < 1000, "it was not full");
    };
    let path = at.path().display().to_string();
    assert!(told(&error).contains(&path), "{error}");
    assert!(told(&error).contains("full"), "{error}");
    // The small may fit where the large does not; all or nothing.
    let many = (0..50).map(|_| job("k", "1", Submission::new())).collect();
    assert!(at.put_all(many).is_err());
    let counts = at.counts().unwrap();
    assert_eq!(counts[0].ready, accepted.len() as u64);
    set(100_000);
    accepted.extend(put(&at).unwrap());
    let mut taken = at.take(1000);
    taken.sort_unstable();
    assert_eq!(taken, accepted);
}

#[test]
fn a_file_that_was_removed_takes_no_job() {
    let at = Place::new();
    let id = put(&at).unwrap()[0];
    let aside = at.folder.path().with_extension("aside");
    std::fs::rename(at.folder.path(), &aside).unwrap();
    for _ in 0..2 {
        let error = put(&at).unwrap_err();
        let path = at.path().display().to_string();
        assert!(told(&error).contains(&path), "{error}");
        assert!(at.counts().is_err());
        assert!(at.claim(ask("t", 1)).is_err());
    }
    std::fs::rename(&aside, at.folder.path()).unwrap();
    let next = put(&at).unwrap()[0];
    assert_eq!(at.take(8), [id, next]);
}

#[test]
fn a_file_that_was_put_back_from_a_copy_is_used() {
    let at = Place::new();
    let id = put(&at).unwrap()[0];
    let copy = at.folder.path().join("copy.db");
    let into = copy.display().to_string();
    at.conn().execute("VACUUM INTO ?1", [into]).unwrap();
    put(&at).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let path = at.folder.path().join(format!("jobs.db{suffix}"));
        let _ = std::fs::remove_file(path);
    }
    assert!(put(&at).is_err());
    std::fs::rename(copy, at.path()).unwrap();
    assert_eq!(at.take(8), [id]);
    assert_eq!(at.counts().unwrap()[0].running, 1);
}

#[test]
fn anothers_transaction_is_waited_for_within_reason() {
    let at = Place::new();
    let other = at.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let error = put(&at).unwrap_err();
    assert!(start.elapsed() >= Duration::from_secs(4), "too soon");
    assert!(told(&error).contains("locked"), "{error}");
    // What is read does not wait.
    assert!(at.counts().unwrap().is_empty());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| put(&at));
        std::thread::sleep(Duration::from_millis(100));
        other.execute_batch("COMMIT").unwrap();
        waits.join().unwrap().unwrap();
    });
    assert_eq!(at.take(8).len(), 1);
}

#[test]
fn what_is_no_store_of_ours_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, why: &str| {
        let path = folder.path().join(name);
        let error = match Sqlite::open(&path) {
            Ok(_) => panic!("{name} was opened"),
            Err(error) => error,
        };
        let line = told(&error).to_owned();
        let path = path.display().to_string();
        assert!(line.starts_with(&path), "{line}");
        assert!(line.contains(why) && !line.contains('\n'), "{line}");
    };
    let at = |name: &str| folder.path().join(name);
    refused("none/jobs.db", "no folder");
    std::fs::create_dir(at("folder")).unwrap();
    refused("folder", "a folder");
    std::fs::write(at("text"), "to whom it may concern\n".repeat(99)).unwrap();
    refused("text", "no database");
    let conn = Connection::open(at("fossil")).unwrap();
    conn.execute_batch("PRAGMA application_id = 252006673; CREATE TABLE t(a)")
        .unwrap();
    refused("fossil", "another application");
    drop(conn);
    let conn = Connection::open(at("newer")).unwrap();
    attach(&conn).unwrap();
    conn.execute_batch("UPDATE manyhands_form SET version = 2").unwrap();
    refused("newer", "form 2");
    assert!(attach(&conn).is_err());
    let conn = Connection::open(at("strange")).unwrap();
    conn.execute_batch("CREATE TABLE _honker_live (a)").unwrap();
    refused("strange", "_honker_live");
    // A user's own database is none of these.
    let conn = Connection::open(at("own")).unwrap();
    conn.execute_batch("PRAGMA user_version = 7; CREATE TABLE t(a)").unwrap();
    for result in [
        Sqlite::open_existing(&at("own")).err(),
        Sqlite::open_existing(&at("absent")).err(),
    ] {
        told(&result.expect("there is no queue"));
    }
    assert!(!at("absent").exists());
    Sqlite::open(&at("own")).unwrap();
    Sqlite::open_existing(&at("own")).unwrap();
    let version: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 7);
}

#[test]
fn many_open_a_fresh_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let path = folder.path().join(format!("{round}.db"));
        std::thread::scope(|scope| {
            let stores: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        Sqlite::open(&path)
                            .map(|it| it.put(Submission::new().key("one")))
                    })
                })
                .collect();
            for store in stores {
                assert_eq!(store.join().unwrap(), Ok(JobId::new(1)));
            }
        });
    }
}

#[test]
fn a_panic_in_a_transaction_is_an_error_and_undone() {
    let at = Place::new();
    let panics = |conn: &Connection| -> writer::Gives<()> {
        conn.execute_batch("CREATE TABLE half (a)")?;
        panic!("as it should")
    };
    let error = at.writer.call(panics).unwrap_err();
    assert!(told(&error).contains("panicked"), "{error}");
    let id = put(&at).unwrap()[0];
    assert_eq!(at.take(1), [id]);
    at.conn().execute_batch("CREATE TABLE half (a)").unwrap();
}

#[test]
fn who_writes_without_a_pause_lets_others_in() {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
    const TURNS: u32 = 10;
    static WRITES: AtomicU32 = AtomicU32::new(0);
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    /// The next is there when the last one ends.
    fn write(store: Arc<Sqlite>) {
        WRITES.fetch_add(1, SeqCst);
        let next = Arc::clone(&store);
        let act = |_: &Connection| {
            // For as long as many jobs would take.
            std::thread::sleep(Duration::from_millis(5));
            Ok(((), false))
        };
        let then = move |_| {
            if !IS_OVER.load(SeqCst) {
                write(next);
            }
        };
        store.writer.ask(false, act, Box::new(then));
    }
    let at = Place::new();
    write(Arc::new(Sqlite::open(&at.path()).unwrap()));
    // It sees that there is another.
    at.put(Submission::new());
    let before = WRITES.load(SeqCst);
    for _ in 0..TURNS {
        at.put(Submission::new());
    }
    let writes = WRITES.load(SeqCst) - before;
    IS_OVER.store(true, SeqCst);
    assert!(writes < 5 * TURNS, "{writes} beside {TURNS}");
}
