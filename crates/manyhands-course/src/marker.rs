//! The lines that a made block stands between.

use std::fmt;

/// What a block is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A file, or a part of one.
    Listing,
    /// What a command printed.
    Output,
    /// A table or a picture of something simulated.
    Sim,
    /// A bug of the museum, step by step.
    Stepper,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] =
        [Self::Listing, Self::Output, Self::Sim, Self::Stepper];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Output => "output",
            Self::Sim => "sim",
            Self::Stepper => "stepper",
        }
    }

    /// The line after such a block.
    pub(crate) fn end(self) -> String {
        format!("<!-- end of {} -->", self.name())
    }
}

/// What is wanted in the place of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) kind: Kind,
    /// A path, a command or a name.
    pub(crate) asked: String,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind.name(), self.asked)
    }
}

/// What a line is to whoever looks for blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The line before a block.
    Start(Marker),
    /// The line after one.
    End(Kind),
    /// Any other.
    Text,
}

impl Line {
    /// # Errors
    ///
    /// What is wrong with a line that looks like a marker.
    pub(crate) fn of(line: &str) -> Result<Self, String> {
        let words = line.trim();
        let Some(found) = Kind::ALL.into_iter().find_map(|kind| {
            let start = format!("<!-- {}:", kind.name());
            match words.strip_prefix(&start) {
                Some(asked) => Some((kind, Some(asked))),
                None => (words == kind.end()).then_some((kind, None)),
            }
        }) else {
            return Ok(Self::Text);
        };
        let (kind, asked) = found;
        let name = kind.name();
        if line.starts_with(char::is_whitespace) {
            return Err(format!(
                "the marker of {a} {name} is indented, allowed is the \
                 beginning of a line",
                a = article(name),
            ));
        }
        let Some(asked) = asked else { return Ok(Self::End(kind)) };
        let Some(asked) = asked.strip_suffix("-->") else {
            return Err(format!(
                "the marker of {a} {name} does not end with -->, allowed is \
                 <!-- {name}: {} -->",
                kind.form(),
                a = article(name),
            ));
        };
        let asked = asked.trim();
        if asked.is_empty() {
            return Err(format!(
                "the marker of {a} {name} names nothing, allowed is \
                 <!-- {name}: {} -->",
                kind.form(),
                a = article(name),
            ));
        }
        Ok(Self::Start(Marker { kind, asked: asked.to_owned() }))
    }
}

impl Kind {
    /// What its marker asks for.
    fn form(self) -> &'static str {
        match self {
            Self::Listing => "PATH#ANCHOR",
            Self::Output => "COMMAND",
            Self::Sim => "NAME",
            Self::Stepper => "BUG",
        }
    }
}

/// The one that stands before a word.
pub(crate) fn article(word: &str) -> &'static str {
    match word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => "an",
        false => "a",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_says_its_kind_and_what_is_asked_for() {
        let line = "<!-- listing: ../a b.rs#one -->\r\n";
        let asked = "../a b.rs#one".to_owned();
        let marker = Marker { kind: Kind::Listing, asked };
        assert_eq!(Line::of(line), Ok(Line::Start(marker)));
        let end = Line::of("<!-- end of output -->\n");
        assert_eq!(end, Ok(Line::End(Kind::Output)));
        for text in ["", "listing: a", "<!-- table: a -->", "<!-- a -->"] {
            assert_eq!(Line::of(text), Ok(Line::Text), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_marker_is_told() {
        for (line, why) in [
            (" <!-- listing: a -->", "a listing is indented, allowed is"),
            ("<!-- output: a", "an output does not end with -->, allowed is"),
            ("<!-- output: -->", "an output names nothing, allowed is"),
        ] {
            let refused = Line::of(line).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
