//! The lines that a table stands between.

use manyhands_measure::record::shown;

use crate::args::twice;

/// How the line before a table begins.
const START: &str = "<!-- table:";

/// The line after a table.
const END: &str = "<!-- end of table -->";

/// What a line is to whoever looks for tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The line before a table.
    Start(Marker),
    /// The line after one.
    End,
    /// Any other.
    Text,
}

/// Which table is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    /// Its record, from the folder of the document.
    pub(crate) record: String,
    /// Which columns it has, after the first; `None` for those that there
    /// usually are.
    pub(crate) columns: Option<Vec<String>>,
    /// Which rows it has; `None` for all.
    pub(crate) only: Option<Vec<String>>,
}

impl Line {
    /// # Errors
    ///
    /// What is wrong with a line that looks like one of the two.
    pub(super) fn of(line: &str) -> Result<Self, String> {
        let words = line.trim();
        if words != END && !words.starts_with(START) {
            return Ok(Self::Text);
        }
        if line.starts_with(char::is_whitespace) {
            return Err("the marker of a table is indented, allowed is the \
                        beginning of a line"
                .into());
        }
        if words == END {
            return Ok(Self::End);
        }
        let asked = words.strip_prefix(START).unwrap_or_default();
        let asked = asked.strip_suffix("-->").ok_or_else(|| {
            format!(
                "the marker of a table ends with {}, allowed is -->",
                shown(words.rsplit(' ').next().unwrap_or_default())
            )
        })?;
        Marker::parse(asked).map(Self::Start)
    }
}

impl Marker {
    /// Understands `PATH columns=a,b only=c,d`. A name may have spaces in it.
    fn parse(asked: &str) -> Result<Self, String> {
        let mut words = asked.split_whitespace();
        let Some(record) = words.next() else {
            return Err("the marker of a table names no record, allowed is \
                        a path"
                .into());
        };
        let mut marker =
            Self { record: record.to_owned(), columns: None, only: None };
        let mut options: Vec<(&str, String)> = Vec::new();
        for word in words {
            match (word.split_once('='), options.last_mut()) {
                (Some((name, value)), _) => {
                    options.push((name, value.to_owned()));
                }
                (None, Some((_, value))) => *value += &format!(" {word}"),
                (None, None) => return Err(unknown(word)),
            }
        }
        for (name, value) in options {
            let list = match name {
                "columns" => &mut marker.columns,
                "only" => &mut marker.only,
                _ => return Err(unknown(name)),
            };
            if list.is_some() {
                return Err(format!("{name} is there twice"));
            }
            *list = Some(names(name, &value)?);
        }
        Ok(marker)
    }
}

fn unknown(option: &str) -> String {
    let option = shown(option);
    format!("the option is {option}, allowed are columns= and only=")
}

/// The names of a list with commas between them, each once.
fn names(option: &str, value: &str) -> Result<Vec<String>, String> {
    let names: Vec<&str> = value.split(',').map(str::trim).collect();
    if names.contains(&"") {
        let value = shown(value);
        return Err(format!(
            "{option} is {value}, allowed are names with commas between them"
        ));
    }
    if let Some(name) = twice(&names) {
        let name = shown(name);
        return Err(format!("{option} has {name} twice, allowed is once"));
    }
    Ok(names.into_iter().map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_names_a_record_and_what_of_it_is_shown() {
        let line =
            "<!-- table: ../r/x.csv only=a,b (again) columns=p50, max -->\r\n";
        let Ok(Line::Start(marker)) = Line::of(line) else { panic!() };
        assert_eq!(marker.record, "../r/x.csv");
        let names = |names: [&str; 2]| Some(names.map(Into::into).to_vec());
        assert_eq!(marker.only, names(["a", "b (again)"]));
        assert_eq!(marker.columns, names(["p50", "max"]));
        assert_eq!(Line::of("<!-- end of table -->\n"), Ok(Line::End));
        for text in ["", "| a |\n", "see `<!-- table: x -->`", "<!-- x -->"] {
            assert_eq!(Line::of(text), Ok(Line::Text), "{text}");
        }
    }

    #[test]
    fn a_marker_that_is_none_is_refused() {
        for (line, why) in [
            ("<!-- table: -->", "names no record, allowed is a path"),
            (" <!-- table: x -->", "is indented, allowed is the beginning"),
            ("\t<!-- end of table -->", "is indented, allowed is the"),
            ("<!-- table: x", "ends with x, allowed is -->"),
            ("<!-- table: x --> y", "ends with y, allowed is -->"),
            ("<!-- table: x y -->", "the option is y, allowed are columns="),
            ("<!-- table: x rows=y -->", "the option is rows, allowed are"),
            ("<!-- table: x only= -->", "only is '', allowed are names"),
            ("<!-- table: x only=a,,b -->", "only is a,,b, allowed are"),
            ("<!-- table: x only=a,a -->", "only has a twice, allowed is"),
            ("<!-- table: x only=a only=b -->", "only is there twice"),
        ] {
            let refused = Line::of(line).unwrap_err();
            assert!(refused.contains(why), "{line}: {refused}");
        }
    }
}
