//! Small pictures side by side, all on the same axes.

use manyhands_trace::draw::Picture;
use maud::{Markup, PreEscaped, html};

/// As many beside each other as the page is wide for. What they have in common
/// stands there once, under a name that nothing else on the page has.
pub(super) fn panels<'a>(
    id: &str,
    frame: &Picture,
    pictures: impl IntoIterator<Item = (&'a str, Picture)>,
) -> Markup {
    html! {
        svg.mh.frame aria-hidden="true" width="0" height="0" {
            // Where it is used, styles see it from here on.
            defs { g.mh id=(id) { (PreEscaped(frame.content())) } }
        }
        div.panels {
            @for (name, picture) in pictures {
                div.panel {
                    div.name aria-hidden="true" { (name) }
                    (PreEscaped(picture.in_page_upon(id)))
                }
            }
        }
    }
}

/// A wide picture, which scrolls where the page is narrow.
pub(super) fn wide(name: &str, picture: &Picture) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(name) {
            (PreEscaped(picture.in_page()))
        }
    }
}

/// Points as the path of a line.
pub(super) fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let letter = if at == 0 { 'M' } else { 'L' };
        path += &format!("{letter}{x:.0} {y:.0}");
    }
    path
}

/// How large a panel is, and where in it something is drawn.
pub(super) const WIDTH: f64 = 300.0;
pub(super) const HEIGHT: f64 = 150.0;
pub(super) const LEFT: f64 = 48.0;
pub(super) const RIGHT: f64 = 18.0;
pub(super) const TOP: f64 = 8.0;
pub(super) const BOTTOM: f64 = HEIGHT - 34.0;

/// Lines across, each with a word beside it.
pub(super) fn levels(
    picture: &mut Picture,
    marks: impl IntoIterator<Item = (f64, String)>,
) {
    let mut lines = String::new();
    for (y, word) in marks {
        lines += &format!("M{LEFT} {y:.0}H{:.0}", WIDTH - RIGHT);
        picture.add(format_args!(
            "<text x=\"{:.0}\" y=\"{:.0}\" class=\"scale\">{word}</text>",
            LEFT - 4.0,
            y + 4.0,
        ));
    }
    picture.add(format_args!("<path class=\"grid\" d=\"{lines}\"/>"));
}

/// What the axis below is.
pub(super) fn below(picture: &mut Picture, words: &str) {
    picture.add(format_args!(
        "<text x=\"{:.0}\" y=\"{:.0}\" class=\"tick\">{words}</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        BOTTOM + 28.0,
    ));
}
