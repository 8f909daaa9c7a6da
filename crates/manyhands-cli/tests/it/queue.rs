//! Jobs that outlive the process: looked after, and worked on.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

#[cfg(feature = "postgres")]
use crate::program::skipped;
use crate::program::{
    command, failed, json_of, run, start, started, stdout_of, until, unwrapped,
};

/// A mail that the demo's server never takes, and how many there are of so
/// many.
const NEVER: i64 = 11;

fn never(mails: u64) -> u64 {
    (1..=mails).filter(|mail| mail % 50 == 11).count() as u64
}

/// A folder, and in it the file of a store which is not there yet.
fn store() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("jobs.db").to_str().unwrap().to_owned();
    (dir, file)
}

/// `queue WORDS --db DB`
fn queue<'a>(db: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    [&["queue"], words, &["--db", db]].concat()
}

fn json(db: &str, words: &[&str]) -> Value {
    json_of(&[&queue(db, words)[..], &["--format", "json"]].concat())
}

/// The demo, to its end.
fn work(db: &str, mails: &str) -> Value {
    json(db, &["work", "--demo", "--jobs", mails])
}

/// The one kind that there is.
fn kind(db: &str) -> Value {
    let status = json(db, &["status"]);
    assert_eq!(status["format"], "manyhands-queue-status/1");
    let kinds = status["kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), 1, "{status}");
    assert_eq!(kinds[0]["kind"], "signup-mail");
    kinds[0].clone()
}

/// How many mails are in the mailbox.
fn mails(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|it| it.unwrap().file_name());
    let is_mail =
        |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".eml");
    names.filter(is_mail).count() as u64
}

#[test]
#[cfg(feature = "sqlite")]
fn the_mails_of_the_demo_are_sent_once_and_a_second_run_submits_none() {
    let (dir, db) = store();
    let ended = work(&db, "60");
    assert_eq!(ended["format"], "manyhands-queue-work/1");
    assert_eq!(ended["partial"], false);
    let told = ["submitted", "sent", "left", "dead"];
    assert_eq!(told.map(|it| ended[it].as_u64().unwrap()), [60, 59, 0, 1]);
    assert_eq!(ended["server"]["mails"], 59);
    // It hung up on some that it had.
    assert!(ended["server"]["again"].as_u64().unwrap() > 0, "{ended}");
    assert_eq!(mails(&dir.path().join("jobs.db-mails")), 59);

    let again = work(&db, "60");
    assert_eq!(told.map(|it| again[it].as_u64().unwrap()), [0, 0, 0, 1]);
    assert_eq!(again["server"]["letters"], 0);
    assert_eq!(again["server"]["mails"], 59);
}

#[test]
#[cfg(feature = "sqlite")]
fn a_store_is_looked_at_and_set_right() {
    let (_dir, db) = store();
    work(&db, "60");
    let all = kind(&db);
    assert_eq!((&all["done"], &all["dead"]), (&59.into(), &1.into()));
    assert_eq!(all["oldest_ready_seconds"], Value::Null);

    // Page by page, each job once.
    let mut ids = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let mut words = vec!["list", "--limit", "25"];
        if after != "0" {
            words.extend(["--after", &after]);
        }
        let page = json(&db, &words);
        let jobs = page["jobs"].as_array().unwrap();
        ids.extend(jobs.iter().map(|it| it["id"].as_i64().unwrap()));
        match page["next"].as_i64() {
            Some(id) => after = id.to_string(),
            None => break,
        }
    }
    assert_eq!(ids.len(), 60);
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");

    let dead = json(&db, &["list", "--state", "dead"]);
    let dead = &dead["jobs"][0];
    assert_eq!(dead["key"], format!("mail-{NEVER}"));
    assert_eq!(dead["job"]["mail"], NEVER);
    let id = dead["id"].to_string();
    let shown = json(&db, &["show", &id]);
    assert_eq!(shown["state"], "dead");
    assert_eq!(shown["attempts"], shown["max_attempts"]);
    let error = shown["last_error"].as_str().unwrap();
    assert!(error.contains("user11@example.org"), "{error}");
    for time in ["submitted_at", "finished_at"] {
        let date = shown[time].as_str().unwrap();
        assert_eq!(date.len(), "2026-11-22T07:00:00Z".len(), "{date}");
        assert!(date.ends_with('Z'), "{date}");
    }
    let table = stdout_of(&queue(&db, &["show", &id]));
    for word in ["state        dead", " ago", "last error", "\"mail\": 11"] {
        assert!(table.contains(word), "{word}: {table}");
    }

    // One that is done is no dead letter; the other is, once.
    let done = json(&db, &["list", "--state", "done", "--limit", "1"]);
    let done = done["jobs"][0]["id"].to_string();
    let ended = run(&queue(&db, &["retry", &done]));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&format!("{done} is done")), "{ended:?}");
    let retried = json(&db, &["retry", "--kind", "signup-mail", "--all"]);
    assert_eq!(retried["retried"], 1);
    let none = stdout_of(&queue(&db, &["retry", "--all"]));
    assert_eq!(none, "there is no such dead letter\n");
    let ready = json(&db, &["show", &id]);
    assert_eq!(ready["state"], "ready");
    assert_eq!(ready["attempts"], 0);

    // None of these is older than a day.
    let old = ["purge", "--state", "done", "--older-than", "1d"];
    assert_eq!(json(&db, &old)["purged"], 0);
    assert_eq!(json(&db, &["purge", "--state", "done"])["purged"], 59);
    let ended = work(&db, "1");
    assert_eq!((&ended["dead"], &ended["sent"]), (&1.into(), &1.into()));
    let words = ["purge", "--state", "dead", "--yes"];
    assert_eq!(json(&db, &words)["purged"], 1);
    assert_eq!(kind(&db)["dead"], 0);
}

#[test]
#[cfg(feature = "sqlite")]
fn every_table_fits_80_columns() {
    let (_dir, db) = store();
    let worked = run(&queue(&db, &["work", "--demo", "--jobs", "700"]));
    assert_eq!(worked.code, Some(0), "{worked:?}");
    assert!(worked.stdout.contains("and 4 more"), "{worked:?}");
    let words = unwrapped(&worked.stdout);
    assert!(words.contains("queue retry --kind signup-mail --all --db"));
    let mut tables = worked.stdout;
    for words in [&["status"][..], &["list"], &["list", "--state", "dead"]] {
        tables += &stdout_of(&queue(&db, words));
    }
    for line in tables.lines().filter(|it| !it.contains("--db ")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// Waits until some mails are sent, and others are not.
fn until_some_are_done(db: &str) {
    until(|| {
        let status = run(&[
            &queue(db, &["status"])[..],
            &["--format", "json"],
        ]
        .concat());
        // At first there is no file.
        let Ok(status) = serde_json::from_str::<Value>(&status.stdout) else {
            return false;
        };
        status["kinds"][0]["done"].as_u64().unwrap_or(0) > 20
    });
}

#[test]
#[cfg(all(unix, feature = "sqlite"))]
fn a_run_that_is_stopped_gives_back_and_the_next_sends_the_rest_once() {
    const MAILS: u64 = 4000;
    for signal in ["TERM", "INT"] {
        let (dir, db) = store();
        let few = MAILS.to_string();
        let words = ["work", "--demo", "--workers", "2", "--jobs", &few];
        let running = start(&queue(&db, &words));
        until_some_are_done(&db);
        running.signal(signal);
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        let printed = unwrapped(&ended.stdout);
        assert!(printed.contains("the next run goes on"), "{ended:?}");
        let left = kind(&db);
        assert_eq!(left["running"], 0, "{left}");
        assert!(left["ready"].as_u64().unwrap() > 0, "{left}");

        let ended = work(&db, &few);
        assert_eq!(ended["submitted"], 0);
        assert_eq!(ended["left"], 0);
        let all = kind(&db);
        assert_eq!(all["dead"], never(MAILS), "{all}");
        assert_eq!(all["done"], MAILS - never(MAILS), "{all}");
        let folder = dir.path().join("jobs.db-mails");
        assert_eq!(mails(&folder), MAILS - never(MAILS));
    }
}

#[test]
#[cfg(all(unix, feature = "sqlite"))]
fn a_kind_that_is_paused_waits_until_it_is_resumed() {
    let (_dir, db) = store();
    work(&db, "1");
    stdout_of(&queue(&db, &["pause", "signup-mail"]));
    assert_eq!(kind(&db)["paused"], true);
    let running = start(&queue(&db, &["work", "--demo", "--jobs", "9"]));
    while !running.said().starts_with("signup-mail is paused") {}
    assert_eq!(kind(&db)["done"], 1);
    stdout_of(&queue(&db, &["resume", "signup-mail"]));
    assert_eq!(running.end().code, Some(0));
    assert_eq!(kind(&db)["done"], 9);
    // What may be a misspelt name is said.
    let ended = run(&queue(&db, &["pause", "singup-mail"]));
    assert!(ended.stderr.contains("no job of kind singup-mail"), "{ended:?}");
}

#[test]
fn a_demo_in_memory_needs_nothing_and_leaves_nothing() {
    let ended = work("memory", "60");
    assert_eq!((&ended["sent"], &ended["dead"]), (&59.into(), &1.into()));
    assert_eq!(ended["server"]["mails"], 59);
}

#[test]
#[cfg(feature = "sqlite")]
fn the_variable_names_the_store_where_nothing_else_does() {
    let (_dir, db) = store();
    work(&db, "1");
    let status = |db: Option<&str>| {
        let mut command = command(&["queue", "status"]);
        match db {
            Some(db) => command.env("MANYHANDS_DB", db),
            None => command.env_remove("MANYHANDS_DB"),
        };
        started(&mut command).end()
    };
    let ended = status(Some(&db));
    assert!(ended.stdout.contains("signup-mail"), "{ended:?}");
    for nothing in [None, Some("")] {
        let ended = status(nothing);
        let line = failed(&ended, 2);
        assert!(line.contains("MANYHANDS_DB is not set; allowed"), "{line}");
    }
    let ended = status(Some("mysql://h"));
    assert!(failed(&ended, 2).contains("MANYHANDS_DB is mysql://h, allowed"));
}

#[test]
fn what_is_no_store_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("text");
    std::fs::write(&file, "this is no database, but a text of some length")
        .unwrap();
    let file = file.to_str().unwrap();
    let none = dir.path().join("none").to_str().unwrap().to_owned();
    for (db, code, why) in [
        (none.as_str(), 2, "which is not there, allowed is"),
        (dir.path().to_str().unwrap(), 2, "which is a directory, allowed"),
        ("memory", 2, "memory, which ends with its process; allowed"),
        ("redis://h/1", 2, "--db is redis://h/1, allowed are postgres://"),
        ("", 2, "--db is '', allowed are postgres://"),
    ] {
        let ended = run(&queue(db, &["status"]));
        assert!(failed(&ended, code).contains(why), "{ended:?}");
    }
    // Not changed, whatever it is.
    let ended = run(&queue(file, &["status"]));
    assert!([Some(1), Some(2)].contains(&ended.code), "{ended:?}");
    assert!(ended.stderr.starts_with("error: "), "{ended:?}");
    assert!(ended.stderr.matches(file).count() <= 1, "{ended:?}");
    assert!(std::fs::read_to_string(file).unwrap().starts_with("this is no"));
    assert!(!Path::new(&none).exists());
}

#[test]
fn no_output_has_a_password_in_it() {
    // Nobody listens there.
    let url = "postgres://me:s3cr3t@127.0.0.1:1/db";
    let option = "postgres://127.0.0.1:1/db?user=me&password=s3cr3t";
    let durable = ["--durable", "yes", "--work", "noop", "--jobs", "9"];
    let quick = ["--rounds", "1", "--variants", "channel"];
    let compare = [&["compare"], &durable[..], &quick[..]].concat();
    for url in [url, option] {
        for words in [
            &queue(url, &["status"])[..],
            &queue(url, &["work", "--demo"]),
            &queue(url, &["status", "stray", url]),
            &queue(url, &["show", url]),
            &queue(url, &["list", "--limit", url]),
            &queue(&url.replace("postgres", "mysql"), &["status"]),
            &queue(url, &["status", "--format", url]),
            &["queue", url],
            &[&compare[..], &["--db", url]].concat(),
            &[&compare[..], &["--db", url, "--format", "json"]].concat(),
        ] {
            let ended = run(words);
            let is_compare = words[0] == "compare";
            let code = ended.code.unwrap();
            assert!(
                if is_compare { code == 0 } else { code > 0 },
                "{ended:?}"
            );
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains("s3cr3t"), "{words:?}: {said}");
        }
    }
    if cfg!(feature = "postgres") {
        // A server that is away is no bad input.
        let ended = run(&queue(url, &["status"]));
        let line = failed(&ended, 1);
        assert!(line.contains("postgres://me:***@127.0.0.1:1/db"), "{line}");
    }
}

/// A comparison of little, with what durability costs.
fn durable(more: &[&str]) -> Vec<String> {
    let words = ["compare", "--work", "noop", "--jobs", "9", "--rounds", "1"];
    let durable = ["--variants", "channel", "--durable", "yes"];
    let words = [&words[..], &durable, more].concat();
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn compare_shows_what_it_costs_that_jobs_outlive_their_process() {
    let printed = stdout_of(&durable(&[]));
    let (ranking, costs) = printed.split_once("What it costs").unwrap();
    assert!(ranking.contains("channel"), "{printed}");
    let mut wanted = vec!["submit, one by one", "run, 8 workers", "all ran"];
    if cfg!(feature = "sqlite") {
        wanted.extend(["sqlite: a write-ahead log", "synchronous=FULL"]);
    }
    for wanted in wanted {
        assert!(costs.contains(wanted), "{wanted}: {costs}");
    }
    let widest = printed.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{printed}");
    let md = stdout_of(&durable(&["--format", "md"]));
    assert!(md.contains("| submit, one by one  | in-process |"), "{md}");
    // Those who ask for something else do not get it.
    let words = ["compare", "--work", "noop", "--jobs", "9", "--rounds", "1"];
    assert!(!stdout_of(&words).contains("What it costs"));
    let ended = run(&durable(&["--format", "csv"]));
    assert!(failed(&ended, 2).contains("--durable is yes, allowed is no"));
    // Before anything is measured.
    let ended = run(&durable(&["--db", "mysql://h"]));
    assert!(failed(&ended, 2).contains("--db is mysql://h, allowed are"));
}

#[test]
fn what_it_costs_is_in_json_and_can_be_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.json");
    let file = file.to_str().unwrap();
    let more = ["--format", "json", "--output", file, "--workers", "3"];
    stdout_of(&durable(&more));
    let text = std::fs::read_to_string(file).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let costs = &report["durable"];
    assert_eq!(costs["workers"], 3);
    let parts = costs["parts"].as_array().unwrap();
    let names: Vec<_> = parts.iter().map(|it| &it["part"]).collect();
    assert_eq!(names, ["submit", "submit-all", "run"]);
    for part in parts {
        let places = part["places"].as_array().unwrap();
        assert_eq!(places[0]["place"], "in-process");
        assert_eq!(places[0]["speed"]["estimate"], 1.0);
        assert_eq!(part["runs"].as_array().unwrap().len(), places.len());
        assert!(places[0]["jobs_per_second"].as_f64().unwrap() > 0.0);
    }
    let again = stdout_of(&["report", file, "--format", "json"]);
    assert_eq!(again, text);
    let html = stdout_of(&["report", file, "--format", "html"]);
    assert!(html.contains("What does it cost that jobs outlive"), "{html}");
    // What does not follow from the runs is not believed.
    let per_second = &parts[0]["places"][0]["jobs_per_second"];
    let wrong = text.replacen(&per_second.to_string(), "1.5", 1);
    std::fs::write(file, wrong).unwrap();
    let ended = run(&["report", file]);
    let line = failed(&ended, 2);
    assert!(line.contains("durable.parts[0].places[0]"), "{line}");
}

#[test]
fn what_it_costs_is_recorded_and_put_into_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().to_str().unwrap();
    let mut words = durable(&["--into", into, "--time", "1s"]);
    words[0] = "record".to_owned();
    let printed = stdout_of(&words);
    let folder = printed.trim();
    let shown = stdout_of(&["report", folder]);
    assert!(shown.contains("run, 8 workers"), "{shown}");
    let page = dir.path().join("page.md");
    std::fs::write(
        &page,
        format!(
            "<!-- table: {folder}/durable.csv only=run -->\n\
             <!-- end of table -->\n"
        ),
    )
    .unwrap();
    stdout_of(&["splice", page.to_str().unwrap()]);
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.contains("| run/in-process |"), "{page}");
    assert!(!page.contains("submit/"), "{page}");
}

/// A database of its own on the server of the tests.
#[cfg(feature = "postgres")]
struct Database {
    server: String,
    name: String,
}

#[cfg(feature = "postgres")]
impl Database {
    /// `None`, and a line, where there is no server.
    fn make(test: &str) -> Option<Self> {
        let Ok(server) = std::env::var("MANYHANDS_TEST_POSTGRES") else {
            skipped(&format!(
                "{test}: set MANYHANDS_TEST_POSTGRES to a server's URL, as \
                 .ci/postgres does"
            ));
            return None;
        };
        let name = format!("mh_cli_{:016x}", fastrand::u64(..));
        let made = Self { server, name };
        made.ask(&format!("CREATE DATABASE {}", made.name));
        Some(made)
    }

    fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    fn ask(&self, statement: &str) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(async {
            let connected =
                tokio_postgres::connect(&self.server, tokio_postgres::NoTls);
            let (client, connection) = connected.await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(statement).await.unwrap();
        });
    }
}

#[cfg(feature = "postgres")]
impl Drop for Database {
    fn drop(&mut self) {
        self.ask(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

#[test]
#[cfg(all(unix, feature = "postgres"))]
fn on_a_server_a_run_that_is_stopped_is_gone_on_with_too() {
    const MAILS: u64 = 4000;
    let Some(database) = Database::make("a run that is stopped") else {
        return;
    };
    let db = database.url();
    let dir = tempfile::tempdir().unwrap();
    let mailbox = dir.path().to_str().unwrap();
    let few = MAILS.to_string();
    let words = [
        "work",
        "--demo",
        "--workers",
        "2",
        "--jobs",
        &few,
        "--mailbox",
        mailbox,
    ];
    let running = start(&queue(&db, &words));
    until_some_are_done(&db);
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(kind(&db)["running"], 0);
    let ended = json(&db, &words);
    assert_eq!(ended["submitted"], 0);
    let all = kind(&db);
    assert_eq!(all["dead"], never(MAILS), "{all}");
    assert_eq!(all["done"], MAILS - never(MAILS), "{all}");
    assert_eq!(mails(dir.path()), MAILS - never(MAILS));
    // The same commands look after it.
    let dead = json(&db, &["list", "--state", "dead", "--limit", "1"]);
    let id = dead["jobs"][0]["id"].to_string();
    assert_eq!(json(&db, &["show", &id])["job"]["mail"], NEVER);
    let retried = json(&db, &["retry", "--all"]);
    assert_eq!(retried["retried"], never(MAILS));
    let purged = json(&db, &["purge", "--state", "done"]);
    assert_eq!(purged["purged"], MAILS - never(MAILS));
}

#[test]
#[cfg(feature = "postgres")]
fn compare_makes_a_database_of_its_own_and_drops_it() {
    let Some(database) = Database::make("compare") else { return };
    let url = database.url();
    let printed = stdout_of(&durable(&["--db", &url]));
    let costs = printed.split_once("What it costs").unwrap().1;
    assert!(costs.contains("postgres  "), "{printed}");
    assert!(!costs.contains("skipped"), "{printed}");
    for setting in ["fsync=", "synchronous_commit="] {
        assert!(costs.contains(setting), "{printed}");
    }
    // Nothing came into the one that was named.
    let status = run(&queue(&url, &["status"]));
    assert!(!status.stdout.contains("manyhands-compare"), "{status:?}");
}
