//! What the built book is to its readers.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use browser::{Key, Opened, Reader, View, named};
use serde_json::json;

/// One of each kind: a chapter, with a bug that is gone through; a pattern; a
/// bug of the museum; the queue that one turns; a long list.
const PAGES: [&str; 5] =
    [STEPS, "patterns/channel", "museum/lost-wakeup", QUEUE, "glossary"];
const STEPS: &str = "course/05-waiting-right";
const QUEUE: &str = "course/09-queues-and-latency";

const DESK: View = View { width: 1280, is_dark: false, has_scripts: true };

fn file(name: &str) -> PathBuf {
    Path::new(&named("BOOK")).join(format!("{name}.html"))
}

/// Screenshots stay here, for whoever wants to look.
fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("book");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name.replace('/', "-"))
}

/// Looks at all pages at once, each in a browser of its own: a page is waited
/// for much longer than it is worked on.
fn each_page(look: impl Fn(&mut Reader, &str) + Sync) {
    thread::scope(|scope| {
        for name in PAGES {
            let look = &look;
            scope.spawn(move || look(&mut Reader::start().unwrap(), name));
        }
    });
}

/// What scrolls sideways, and is neither code nor a table: mdBook's page does
/// so itself before it overflows.
const SCROLLS: &str = "[...document.querySelectorAll('body *')].filter(it => \
     ['auto', 'scroll'].includes(getComputedStyle(it).overflowX) && \
     it.scrollWidth > it.clientWidth && \
     !it.matches('pre, pre code, table, .table-wrapper, .wide'))\
     .map(it => it.outerHTML.slice(0, 80))";

fn assert_nothing_overflows(page: &mut Opened<'_>, at: &str) {
    assert_eq!(page.overflow().unwrap(), [""; 0], "{at}");
    assert_eq!(page.ask(SCROLLS).unwrap(), json!([]), "{at}");
}

/// Presses the tab key until what it reaches is this.
fn tab_to(page: &mut Opened<'_>, expression: &str) {
    const MOST: usize = 200;
    for _ in 0..MOST {
        page.tab_key().unwrap();
        if page.ask(expression).unwrap() == true {
            return;
        }
    }
    panic!("{expression}: not reached by {MOST} presses of tab");
}

fn text(page: &mut Opened<'_>, expression: &str) -> String {
    page.ask(expression).unwrap().as_str().unwrap_or("nothing").to_owned()
}

#[test]
fn a_page_is_whole_in_every_view_and_asks_for_nothing_from_outside() {
    let inside = format!("file://{}/", Path::new(&named("BOOK")).display());
    each_page(|reader, name| {
        let mut grounds = BTreeSet::new();
        for view in View::all() {
            let at = format!("{name}-{view}");
            let mut page = reader.open(&file(name), view).unwrap();
            let png = page.picture().unwrap();
            fs::write(kept(&format!("{at}.png")), png).unwrap();
            assert_nothing_overflows(&mut page, &at);
            page.ask(
                "document.querySelectorAll('details')\
                 .forEach(it => it.open = true)",
            )
            .unwrap();
            assert_nothing_overflows(&mut page, &at);
            let ground = "getComputedStyle(document.documentElement)\
                          .backgroundColor";
            grounds.insert((view.is_dark, text(&mut page, ground)));
            // Pictures that do not come are no complaint of the page's.
            let broken = "[...document.images].filter(it => it.complete && \
                          !it.naturalWidth).map(it => it.src)";
            assert_eq!(page.ask(broken).unwrap(), json!([]), "{at}");
            let seen = page.seen();
            let outside: Vec<_> = seen
                .requests
                .iter()
                .filter(|it| {
                    !it.starts_with(&inside) && !it.starts_with("data:")
                })
                .collect();
            assert!(outside.is_empty(), "{at}: {outside:?}");
            assert!(seen.complaints.is_empty(), "{at}: {seen:?}");
        }
        let grounds: Vec<_> = grounds.into_iter().collect();
        assert!(
            matches!(&grounds[..],
                [(false, light), (true, dark)] if light != dark),
            "{name}: {grounds:?}"
        );
    });
}

#[test]
fn without_scripts_all_steps_and_all_rows_are_there() {
    let mut reader = Reader::start().unwrap();
    for view in View::all().filter(|view| !view.has_scripts) {
        for (name, what) in [
            (STEPS, ".stepper .steps li"),
            (STEPS, ".stepper .ends"),
            (STEPS, ".stepper pre.code span[data-line]"),
            (QUEUE, "table.queue tr[data-wait]"),
        ] {
            let mut page = reader.open(&file(name), view).unwrap();
            let counts = format!(
                "(all => [all.length, all.filter(it => it.checkVisibility() \
                 && it.getBoundingClientRect().height > 5).length])\
                 ([...document.querySelectorAll('{what}')])"
            );
            let counts = page.ask(&counts).unwrap();
            assert!(counts[0].as_u64().unwrap() > 0, "{what}: {counts}");
            assert_eq!(counts[0], counts[1], "{view} {what}");
        }
    }
}

#[test]
fn a_word_is_found() {
    let mut reader = Reader::start().unwrap();
    let mut page = reader.open(&file(PAGES[0]), DESK).unwrap();
    let at = "document.activeElement?.id";
    tab_to(&mut page, &format!("{at} === 'mdbook-search-toggle'"));
    page.press(Key::Enter).unwrap();
    page.until(&format!("{at} === 'mdbook-searchbar'")).unwrap();
    page.write("backpressure").unwrap();
    page.press(Key::End).unwrap();
    let found = "document.querySelectorAll('#mdbook-searchresults a')";
    page.until(&format!("{found}.length > 2")).unwrap();
    let links = page.ask(&format!("[...{found}].map(it => it.href)"));
    let links: Vec<String> = serde_json::from_value(links.unwrap()).unwrap();
    for link in links {
        let path = link.trim_start_matches("file://");
        let path = path.split(['?', '#']).next().unwrap();
        let text = fs::read_to_string(path).unwrap().to_lowercase();
        assert!(text.contains("backpressure"), "{path}");
    }
    page.write(" xyzzyplugh").unwrap();
    page.press(Key::End).unwrap();
    page.until(&format!("{found}.length === 0")).unwrap();
}

#[test]
fn a_bug_is_gone_through_by_keyboard() {
    let mut reader = Reader::start().unwrap();
    let mut page = reader.open(&file(STEPS), DESK).unwrap();
    let steps = "[...document.querySelectorAll('.stepper .steps li')]";
    let steps = page
        .ask(&format!("{steps}.map(it => [it.dataset.line, it.textContent])"));
    let steps: Vec<[String; 2]> =
        serde_json::from_value(steps.unwrap()).unwrap();
    let told = "document.querySelector('.stepper .told').textContent";
    let line = "document.querySelector('.stepper .code .now')?.dataset.line";
    let way = "location.href";
    let way_before = text(&mut page, way);

    tab_to(&mut page, "document.activeElement.textContent === 'Next'");
    for (number, [at, what]) in steps.iter().enumerate() {
        // Both ways of going on.
        let key = [Key::Right, Key::Enter][number % 2];
        page.press(key).unwrap();
        let now = text(&mut page, told);
        assert!(now.contains(what.trim()), "step {number}: {now}");
        assert_eq!(text(&mut page, line), *at, "step {number}");
        let rows = "document.querySelectorAll('.lanes tbody tr').length";
        assert_eq!(page.ask(rows).unwrap(), number + 1);
    }
    page.press(Key::Right).unwrap();
    let end = text(&mut page, told);
    assert!(end.starts_with("Nobody moves any more"), "{end}");
    // There it ends.
    page.press(Key::Enter).unwrap();
    page.press(Key::Right).unwrap();
    assert_eq!(text(&mut page, told), end);
    fs::write(kept("stepper-end.png"), page.picture().unwrap()).unwrap();
    page.press(Key::Left).unwrap();
    let now = text(&mut page, told);
    assert!(now.contains(steps.last().unwrap()[1].trim()), "{now}");
    assert_eq!(text(&mut page, way), way_before, "it turned a page");
}

#[test]
fn the_queue_is_turned_by_keyboard() {
    let mut reader = Reader::start().unwrap();
    let mut page = reader.open(&file(QUEUE), DESK).unwrap();
    let words = "document.querySelector('.queue-dial p').textContent";
    let way = "location.href";
    let way_before = text(&mut page, way);
    let mut seen = BTreeSet::from([text(&mut page, words)]);
    for input in ["input", "div + div input", "select"] {
        let at =
            format!("document.activeElement?.matches('.queue-dial {input}')");
        tab_to(&mut page, &at);
        // Forth and back, so that there is somewhere to go.
        for key in [Key::Right, Key::Left] {
            page.press(key).unwrap();
            seen.insert(text(&mut page, words));
        }
    }
    assert!(seen.len() >= 4, "{seen:?}");
    assert_eq!(text(&mut page, way), way_before, "it turned a page");
    drop(page);

    let mut page = reader.open(&file(QUEUE), DESK).unwrap();
    tab_to(&mut page, "document.activeElement?.matches('.queue-dial input')");
    page.press(Key::End).unwrap();
    let said = text(&mut page, words);
    assert!(said.contains("99 % busy"), "{said}");
    // As many squares as wait by the row: what comes in times the wait.
    let drawn = "(row => [Math.min(60, Math.round(row.utilisation * \
         row.workers * row.wait)), \
         document.querySelectorAll('.queue-dial rect.job').length])\
         (document.querySelector('table.queue tr[data-utilisation=\"0.99\"]\
         [data-workers=\"1\"][data-variability=\"exponential\"]').dataset)";
    let drawn = page.ask(drawn).unwrap();
    assert_eq!(drawn[0], drawn[1]);
    fs::write(kept("queue-end.png"), page.picture().unwrap()).unwrap();
}

/// Rules of axe-core, which `AXE` names.
#[test]
fn axe_finds_nothing_serious() {
    let axe = fs::read_to_string(named("AXE")).unwrap();
    each_page(|reader, name| {
        for view in View::all().filter(|view| view.has_scripts) {
            let mut page = reader.open(&file(name), view).unwrap();
            page.ask(&axe).unwrap();
            let found = page
                .ask(
                    "axe.run().then(it => it.violations\
                     .filter(it => ['serious', 'critical']\
                     .includes(it.impact)).map(it => it.id + ': ' + \
                     it.nodes.slice(0, 3).map(it => it.html.slice(0, 120) + \
                     ' ' + it.any.map(it => it.message)).join(' | ')))",
                )
                .unwrap();
            assert_eq!(found, json!([]), "{name} {view}");
            // And it was there to look.
            let rules = page.ask("axe.getRules().length").unwrap();
            assert!(rules.as_u64().unwrap() > 50, "{rules}");
        }
    });
}
