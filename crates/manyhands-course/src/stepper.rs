//! A bug of the museum, step by step: what happened when its broken act was
//! played, beside its code.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::{io, thread};

use manyhands_museum::{Bug, Ends, bugs, play};
use manyhands_trace::draw::escape;

/// The steppers of these bugs, by name: each played on its schedule, all at
/// once, since those that hang are looked at for a while.
///
/// # Errors
///
/// For a name, that there is no such bug, and which there are.
pub(crate) fn steppers(
    names: &BTreeSet<String>,
) -> HashMap<String, Result<String, String>> {
    thread::scope(|scope| {
        let played = names
            .iter()
            .map(|name| (name, scope.spawn(move || stepper(name))))
            .collect::<Vec<_>>();
        let made = played.into_iter().map(|(name, made)| {
            let made = made.join().unwrap_or_else(|_| {
                Err(format!("{name}: it could not be played"))
            });
            (name.clone(), made)
        });
        made.collect()
    })
}

fn stepper(name: &str) -> Result<String, String> {
    let Some(bug) = bugs().iter().find(|bug| bug.name == name) else {
        let names: Vec<_> = bugs().iter().map(|bug| bug.name).collect();
        return Err(format!(
            "there is no bug {name}, allowed is {}",
            names.join(", ")
        ));
    };
    let played = play(&bug.broken, io::sink());
    if played.ends != bug.broken.ends {
        return Err(format!(
            "{name} ended otherwise than it says: {:?}",
            played.ends
        ));
    }
    let waiting: Vec<_> = played
        .waiting
        .iter()
        .map(|(who, what)| format!("{who} {what}"))
        .collect();
    let steps = played.stage.events().into_iter().map(|event| Step {
        who: event.who.to_string(),
        what: event.what,
        line: event.line,
        waits: event.waits,
    });
    Ok(html(bug, &steps.collect::<Vec<_>>(), &waiting.join("; ")))
}

struct Step {
    who: String,
    what: String,
    line: u32,
    waits: bool,
}

/// Complete without a script, and without an empty line, after which a page
/// would be Markdown again.
fn html(bug: &Bug, steps: &[Step], waiting: &str) -> String {
    let (name, ends) = (escape(bug.name), bug.broken.ends);
    let (word, sentence) = match ends {
        Ends::Hangs => {
            ("hangs", format!("Nobody moves any more: {}.", escape(waiting)))
        }
        Ends::Returns => ("returns", "It returns.".to_owned()),
        Ends::Panics => ("panics", "It panics.".to_owned()),
    };
    let mut html = format!(
        "<div class=\"stepper\" id=\"stepper-{name}\" data-ends=\"{word}\">\n\
         <ol class=\"steps\">\n"
    );
    for Step { who, what, line, waits } in steps {
        let (who, what) = (escape(who), escape(what));
        // A `String` takes everything.
        let _ = writeln!(
            html,
            "<li data-who=\"{who}\" data-line=\"{line}\" \
             data-waits=\"{waits}\">{}</li>",
            in_a_line(&what)
        );
    }
    let _ = write!(
        html,
        "</ol>\n<p class=\"ends\">{}</p>\n<pre class=\"code\">",
        in_a_line(&sentence)
    );
    for (number, line) in bug.broken.lines() {
        let line = escape(line.trim_end());
        let _ = writeln!(html, "<span data-line=\"{number}\">{line}</span>");
    }
    html.truncate(html.trim_end().len());
    html + "</pre>\n</div>\n\n"
}

fn in_a_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_there_with_its_line_and_every_line_with_its_number() {
        let names = bugs().iter().map(|bug| bug.name.to_owned()).collect();
        let made = steppers(&names);
        for bug in bugs() {
            let name = bug.name;
            let html = made[name].as_ref().unwrap();
            // A page would be Markdown again after an empty line.
            let block = html.strip_suffix("\n\n").unwrap();
            assert!(block.lines().all(|it| !it.trim().is_empty()), "{html}");
            let xml = roxmltree::Document::parse(html).unwrap();
            let id = xml.root_element().attribute("id");
            assert_eq!(id, Some(&*format!("stepper-{name}")));
            let shown = numbers(&xml, "span");
            let listed = bug.broken.lines().map(|(it, _)| it.to_string());
            assert_eq!(shown, listed.collect::<Vec<_>>(), "{name}");
            let steps = numbers(&xml, "li");
            assert!(!steps.is_empty(), "{name}");
            for line in steps {
                assert!(shown.contains(&line), "{name}: {line} is not shown");
            }
        }
    }

    /// The lines that elements of this name say.
    fn numbers(xml: &roxmltree::Document<'_>, name: &str) -> Vec<String> {
        let nodes = xml.descendants().filter(|it| it.has_tag_name(name));
        let lines = nodes.filter_map(|it| it.attribute("data-line"));
        lines.map(String::from).collect()
    }

    #[test]
    fn a_step_says_who_does_what_and_the_end_who_waits() {
        let html = stepper("lost-wakeup").unwrap();
        let xml = roxmltree::Document::parse(&html).unwrap();
        let of = |name: &str| {
            let mut nodes = xml.descendants();
            nodes.find(|it| it.has_tag_name(name)).unwrap()
        };
        let first = (of("li").attribute("data-who"), of("li").text());
        let looks = "looks: the queue is empty";
        assert_eq!(first, (Some("worker"), Some(looks)));
        assert_eq!(of("div").attribute("data-ends"), Some("hangs"));
        let ends = of("p").text().unwrap();
        assert!(ends.starts_with("Nobody moves any more: worker waits"));
    }

    #[test]
    fn a_bug_that_is_not_there_is_told_with_those_that_are() {
        let why = stepper("found-wakeup").unwrap_err();
        assert!(why.contains("there is no bug found-wakeup, allowed is"));
        assert!(why.contains("lost-wakeup"), "{why}");
    }
}
