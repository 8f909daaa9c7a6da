//! A page that stands alone: no script, no outside address, light or dark as
//! the reader has it.

use manyhands_trace::draw;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The page with this title and content.
pub(crate) fn page(title: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(draw::STYLE)) }
            }
            body {
                main { (content) }
            }
        }
    };
    ENDS.iter().fold(page.into_string(), |page, end| page.replace(end, ""))
}

/// Tags that HTML lets be left away, since the next says as much: a tenth of a
/// page with many tables. Text has none of them, for its `<` is written `&lt;`.
const ENDS: [&str; 5] = ["</td>", "</th>", "</tr>", "</thead>", "</tbody>"];

/// A table in a box of its own, that scrolls where the page is narrow.
pub(crate) fn table<H, R>(caption: &str, heads: &[H], rows: R) -> Markup
where
    H: AsRef<str>,
    R: IntoIterator<Item = Vec<String>>,
{
    html! {
        div.wide tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr {
                    @for head in heads { th scope="col" { (head.as_ref()) } }
                } }
                tbody {
                    @for row in rows { tr {
                        @for (at, cell) in row.iter().enumerate() {
                            @if at == 0 { th scope="row" { (cell) } }
                            @else { td { (cell) } }
                        }
                    } }
                }
            }
        }
    }
}

/// What scrolls sideways has a shade at the edge beyond which there is more:
/// the ground, which moves with the content, covers it where there is none.
const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1b1b;--soft:#5b5b5b;\
--line:#d6d6d6;--link:#00578a}\
@media(prefers-color-scheme:dark){:root{--ground:#16181c;--ink:#ececec;\
--soft:#b4b4b4;--line:#3c4047;--link:#7cc4ee}}\
body{margin:0;background:var(--ground);color:var(--ink);\
font:16px/1.5 system-ui,sans-serif}\
main{max-width:62rem;margin:0 auto;padding:1rem}\
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.3rem;margin-top:2rem}\
h3{font-size:1.05rem}\
figure{margin:1rem 0}figure svg{width:100%;height:auto;display:block}\
figcaption,caption,footer{color:var(--soft);font-size:.9rem}\
caption{text-align:left;padding:.25rem 0}\
.wide,.scroll{overflow-x:auto;\
background:linear-gradient(90deg,var(--ground) 40%,transparent),\
linear-gradient(270deg,var(--ground) 40%,transparent) 100% 0,\
linear-gradient(90deg,var(--line),transparent),\
linear-gradient(270deg,var(--line),transparent) 100% 0;\
background-repeat:no-repeat;\
background-size:2.5rem 100%,2.5rem 100%,.8rem 100%,.8rem 100%;\
background-attachment:local,local,scroll,scroll}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{padding:.2rem .8rem .2rem 0;text-align:right;\
border-bottom:1px solid var(--line);white-space:nowrap}\
th:first-child{text-align:left}tbody th{font-weight:400}\
.scroll svg{min-width:44rem}\
.frame{position:absolute}.panels{display:grid;gap:.75rem;\
grid-template-columns:repeat(auto-fill,minmax(min(17rem,100%),1fr))}\
.panel .name{font-weight:600;font-size:.9rem}\
.take{font-size:1.15rem}section{border-top:1px solid var(--line)}\
.heat td,.heat thead th+th{text-align:center;padding:.25rem .6rem}\
.shade-0{background:#fff;color:#1b1b1b}.shade-1{background:#fdebc8;color:#1b1b1b}\
.shade-2{background:#f8c77e;color:#1b1b1b}.shade-3{background:#e0893f;color:#1b1b1b}\
.shade-4{background:#a84a1c;color:#fff}.shade-5{background:#6b2410;color:#fff}\
code{font-size:.9em;overflow-wrap:anywhere}a{color:var(--link)}\
summary{cursor:pointer}footer{margin-top:2rem;\
border-top:1px solid var(--line);padding-top:.5rem}";
