//! What the program's pages are to their readers.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use browser::{Opened, Reader, View, program};
use serde_json::json;

/// A page, and what every reader must find in it.
struct Sample {
    name: &'static str,
    file: PathBuf,
    /// How many pictures, at least.
    pictures: u64,
}

/// For each work: ratios, first jobs, all runs, and three rows of panels.
static REPORT: LazyLock<Sample> = LazyLock::new(|| {
    let words = ["compare", "--work", "spin:10us,sleep:1ms,fail:10,noop"];
    let rounds = ["--rounds", "7", "--time", "3s", "--jobs", "300"];
    let words = [&words[..], &rounds, &["--report"]].concat();
    made("report", &words, 4 * (3 + 3 * 8))
});

static TIMELINE: LazyLock<Sample> = LazyLock::new(|| {
    let words = ["run", "channel", "--work", "sleep:20ms", "--jobs", "5"];
    made("timeline", &[&words[..], &["--timeline"]].concat(), 1)
});

fn samples() -> [&'static Sample; 2] {
    [&REPORT, &TIMELINE]
}

fn made(name: &'static str, words: &[&str], pictures: u64) -> Sample {
    let file = kept(&format!("{name}.html"));
    let _ = fs::remove_file(&file);
    let ended = Command::new(program()).args(words).arg(&file).output();
    let ended = ended.unwrap();
    assert!(ended.status.success(), "{ended:?}");
    Sample { name, file, pictures }
}

/// Pages and screenshots stay here, for whoever wants to look.
fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

fn assert_nothing_overflows(page: &mut Opened<'_>, at: &str) {
    assert_eq!(page.overflow().unwrap(), [""; 0], "{at}");
}

#[test]
fn a_page_is_whole_in_every_view_and_asks_for_nothing() {
    let mut reader = Reader::start().unwrap();
    for Sample { name, file, pictures } in samples() {
        let mut grounds = BTreeSet::new();
        let mut texts = BTreeSet::new();
        for view in View::all() {
            let at = format!("{name}-{view}");
            let mut page = reader.open(file, view).unwrap();
            let shown = "[...document.querySelectorAll('svg')].filter(it => \
                         it.getBoundingClientRect().height > 40).length";
            let shown = page.ask(shown).unwrap().as_u64().unwrap();
            assert!(shown >= *pictures, "{at}: {shown} pictures");
            let ground = "getComputedStyle(document.body).backgroundColor";
            let ground = page.ask(ground).unwrap().to_string();
            grounds.insert((view.is_dark, ground));
            let text = page.ask("document.body.innerText").unwrap();
            texts.insert(text.to_string());
            let png = page.picture().unwrap();
            assert!(png.len() > 20_000, "{at}: {} bytes", png.len());
            fs::write(kept(&format!("{at}.png")), png).unwrap();
            assert_nothing_overflows(&mut page, &at);
            page.ask(
                "document.querySelectorAll('details')\
                 .forEach(it => it.open = true)",
            )
            .unwrap();
            assert_nothing_overflows(&mut page, &at);
            // What it does when it is looked at counts too.
            let seen = page.seen();
            let itself = format!("file://{}", file.display());
            assert_eq!(seen.requests, [itself], "{at}");
            assert!(seen.complaints.is_empty(), "{at}: {seen:?}");
        }
        // One ground for those who want it light, another for the others.
        let grounds: Vec<_> = grounds.into_iter().collect();
        assert!(
            matches!(&grounds[..],
                [(false, light), (true, dark)] if light != dark),
            "{name}: {grounds:?}"
        );
        assert_eq!(texts.len(), 1, "{name}: the text goes by the view");
    }
}

/// Writing below the least contrast that WCAG 2 asks for (AA). Numbers in bars
/// stand on the bar's colour, all else on the nearest ground.
const TOO_FAINT: &str = "(() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => parts(colour).slice(0, 3).map(it => it / 255)
    .map(it => it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)
    .reduce((sum, it, at) => sum + it * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const isWriting = [...element.childNodes]
      .some(it => it.nodeType === 3 && it.textContent.trim());
    if (!isWriting || element.matches('style, title, desc')) continue;
    const isDrawn = element instanceof SVGElement;
    const bar = element.matches('svg text.in') &&
      element.parentElement.querySelector('rect');
    const style = getComputedStyle(element);
    const ink = light(isDrawn ? style.fill : style.color);
    const paper = light(bar ? getComputedStyle(bar).fill : ground(element));
    const [least, most] = [ink, paper].sort((one, other) => one - other);
    const ratio = (most + 0.05) / (least + 0.05);
    if (ratio < 4.5) faint.push(element.tagName + ' ' +
      element.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  return faint;
})()";

#[test]
fn those_who_see_little_or_nothing_have_all_of_it() {
    let mut reader = Reader::start().unwrap();
    for Sample { name, file, .. } in samples() {
        for is_dark in [false, true] {
            let view = View { width: 1280, is_dark, has_scripts: true };
            let mut page = reader.open(file, view).unwrap();
            let mut none = |what: &str, question: &str| {
                let found = page.ask(question).unwrap();
                assert_eq!(found, json!([]), "{name} {view}: {what}");
            };
            none(
                "pictures without words",
                "[...document.querySelectorAll('svg:not([aria-hidden])')]\
                 .filter(it => it.getAttribute('role') !== 'img' || \
                 (it.getAttribute('aria-label') ?? '').length < 20)\
                 .map(it => it.outerHTML.slice(0, 200))",
            );
            none(
                "pictures upon nothing, or on what has no style there",
                "[...document.querySelectorAll('use')].filter(it => \
                 !document.querySelector(it.getAttribute('href'))\
                 ?.matches('g.mh')).map(it => it.outerHTML)",
            );
            none(
                "figures without a table",
                "[...document.querySelectorAll('section figure')].filter(it \
                 => !it.querySelector('table') || \
                 !it.querySelector('figcaption'))\
                 .map(it => it.textContent.slice(0, 80))",
            );
            none(
                "tables without a caption or heads",
                "[...document.querySelectorAll('table')].filter(it => \
                 !it.caption || !it.querySelector('th[scope=col]') || \
                 !it.querySelector('th[scope=row]'))\
                 .map(it => it.textContent.slice(0, 80))",
            );
            none(
                "headings that leave out a level",
                "[...document.querySelectorAll('h1,h2,h3,h4')]\
                 .map(it => Number(it.tagName[1])).filter((it, at, all) => \
                 it > (at ? all[at - 1] + 1 : 1))",
            );
            none(
                "names that are there twice",
                "[...document.querySelectorAll('[id]')].map(it => it.id)\
                 .filter((it, at, all) => all.indexOf(it) !== at)",
            );
            none(
                "links to nowhere",
                "[...document.querySelectorAll('a')]\
                 .map(it => it.getAttribute('href')).filter(it => \
                 !it.startsWith('#') || !document.querySelector(it))",
            );
            none(
                "what scrolls and cannot be reached by keyboard",
                "[...document.querySelectorAll('*')].filter(it => \
                 ['auto', 'scroll'].includes(getComputedStyle(it).overflowX) \
                 && it.tabIndex < 0).map(it => it.outerHTML.slice(0, 80))",
            );
            none("writing that is too faint", TOO_FAINT);
            let language = page.ask("document.documentElement.lang").unwrap();
            assert_eq!(language, "en");
        }
    }
}

#[test]
fn the_keyboard_goes_through_the_page_in_its_order() {
    let mut reader = Reader::start().unwrap();
    let view = View { width: 1280, is_dark: false, has_scripts: true };
    let mut page = reader.open(&REPORT.file, view).unwrap();
    let expected = [
        "DIV Heat map",
        "A spin:10us",
        "A sleep:1ms",
        "A fail:10",
        "A noop",
        "DIV ratios and intervals",
        "SUMMARY Figures: ratios and intervals",
    ];
    let reached = expected.map(|_| page.tab_key().unwrap());
    assert_eq!(reached, expected);
}
