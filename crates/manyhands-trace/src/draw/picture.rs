//! A picture, alone or within a page.

use std::fmt::Write;

use crate::draw::text::escape;

/// SVG, which needs no script and no address, is light or dark as the reader
/// has it, and has a label for those who do not see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    title: String,
    words: String,
    width: f64,
    height: f64,
    content: String,
}

impl Picture {
    /// An empty one, with a title and all that it shows in words.
    pub fn new(title: &str, words: &str, width: f64, height: f64) -> Self {
        Self {
            title: title.to_owned(),
            words: words.to_owned(),
            width,
            height,
            content: String::new(),
        }
    }

    /// All that it shows, in words.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Adds SVG, in which text is [escaped](escape) and classes are those of
    /// the [`STYLE`].
    pub fn add(&mut self, svg: std::fmt::Arguments<'_>) {
        self.content.write_fmt(svg).expect("a string takes all of it");
        self.content.push('\n');
    }

    /// Adds lines from `top` down to `bottom`, each with a word below it.
    pub fn add_uprights(
        &mut self,
        marks: impl IntoIterator<Item = (f64, String)>,
        top: f64,
        bottom: f64,
    ) {
        let mut lines = String::new();
        for (x, word) in marks {
            lines += &format!("M{x:.1} {top:.0}V{bottom:.0}");
            let (word, y) = (escape(&word), bottom + 14.0);
            self.add(format_args!(
                "<text x=\"{x:.0}\" y=\"{y:.0}\" class=\"tick\">{word}</text>"
            ));
        }
        self.add(format_args!("<path class=\"grid\" d=\"{lines}\"/>"));
    }

    /// A file of its own.
    pub fn alone(&self) -> String {
        let Self { width, height, content, .. } = self;
        let (title, words) = (escape(&self.title), escape(&self.words));
        let open = self.open("xmlns=\"http://www.w3.org/2000/svg\" ");
        format!(
            "{open}\n<title>{title}</title>\n<desc>{words}</desc>\n\
             <style>{STYLE}</style>\n\
             <rect class=\"ground\" width=\"{width:.0}\" \
             height=\"{height:.0}\"/>\n{content}</svg>\n"
        )
    }

    /// For a page that has the [`STYLE`], and a ground of its own.
    pub fn in_page(&self) -> String {
        format!("{}{}</svg>\n", self.open(""), self.content)
    }

    /// The same, drawn upon what that page has under a name: the
    /// [content](Self::content) of another picture, once for several.
    pub fn in_page_upon(&self, name: &str) -> String {
        let (open, name) = (self.open(""), escape(name));
        format!("{open}<use href=\"#{name}\"/>{}</svg>\n", self.content)
    }

    fn open(&self, namespace: &str) -> String {
        let Self { width, height, .. } = self;
        let (title, words) = (escape(&self.title), escape(&self.words));
        format!(
            "<svg {namespace}role=\"img\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" class=\"mh\" \
             aria-label=\"{title}. {words}\">"
        )
    }

    /// Only what was added to it.
    pub fn content(&self) -> &str {
        &self.content
    }
}

/// What pictures look like. In colours that those who see fewer of them can
/// tell apart (Okabe and Ito).
pub const STYLE: &str = "\
.mh{font:12px system-ui,sans-serif;--ground:#fff;--ink:#1b1b1b;\
--soft:#5b5b5b;--grid:#dedede;--done:#0072b2;--on:#fff;--failed:#d55e00;\
--panicked:#8a3a6b;--waiting:#e6a532;--gone:#767676;\
--others:#bdbdbd}\
@media(prefers-color-scheme:dark){.mh{--ground:#16181c;--ink:#ececec;\
--soft:#b4b4b4;--grid:#363a40;--done:#56b4e9;--on:#08131a;--failed:#f08a45;\
--panicked:#d99cc0;--waiting:#d9a441;--gone:#9a9a9a;\
--others:#5c636c}}\
.mh .ground{fill:var(--ground)}\
.mh text{fill:var(--ink)}.mh .head{font-weight:600;font-size:13px}\
.mh .side{text-anchor:end}.mh .small{font-size:11px;fill:var(--soft)}\
.mh .tick{text-anchor:middle;fill:var(--soft);font-size:11px}\
.mh .scale{text-anchor:end;fill:var(--soft);font-size:11px}\
.mh path{fill:none}\
.mh .grid{stroke:var(--grid)}.mh .base{stroke:var(--soft)}\
.mh .waiting{fill:var(--waiting)}\
.mh rect{stroke:var(--ground);stroke-width:.75}\
.mh .done{fill:var(--done)}.mh .failed{fill:var(--failed)}\
.mh .panicked{fill:var(--panicked)}.mh .abandoned{fill:var(--gone)}\
.mh .in{fill:var(--on);text-anchor:middle}\
.mh .row{stroke:var(--done)}.mh .bad{stroke:var(--failed)}\
.mh .line{stroke:var(--done);stroke-width:2}\
.mh .second{stroke:var(--failed);stroke-width:2;stroke-dasharray:6 3}\
.mh .third{stroke:var(--panicked);stroke-width:2;stroke-dasharray:2 3}\
.mh .others{stroke:var(--others);stroke-width:1.25}\
.mh .bound{stroke:var(--ink);stroke-dasharray:1 4;stroke-width:1.5}\
.mh .band{fill:var(--grid);stroke:none;fill-opacity:.6}\
.mh .range{stroke:var(--done);stroke-width:2.5}\
.mh .untold{stroke:var(--gone);stroke-width:2.5}\
.mh .dot{fill:var(--done)}\
.mh .dots{stroke:var(--done);stroke-width:6;stroke-linecap:round}\
.mh .ring{fill:var(--ground);\
stroke:var(--gone);stroke-width:2}\
";
