//! What a parent and its child say to each other, in lines: the parent asks
//! on the child's stdin for one run at a time, the child answers on stdout.
//! While a run lasts the parent sleeps.

use std::str::FromStr;
use std::time::Duration;

use crate::{Ran, Spent, Switches};

/// Names the conversation and its version; the child begins with it.
pub(crate) const HELLO: &str = "manyhands-measure/1";

/// What a parent asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A run that counts, of the contender with this number.
    Run(usize),
    /// One that does not.
    Rehearse(usize),
}

/// What a child says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// First: how many contenders it has.
    Hello(usize),
    /// Then the name of each.
    Contender(String),
    /// And then what the work is.
    Work(String),
    /// The answer to [`Ask::Run`].
    Ran(Ran),
    /// The answer to [`Ask::Rehearse`].
    Note(String),
    /// It cannot go on.
    Wrong(String),
}

impl Ask {
    pub(crate) fn line(self) -> String {
        match self {
            Self::Run(who) => format!("run {who}\n"),
            Self::Rehearse(who) => format!("rehearse {who}\n"),
        }
    }

    pub(crate) fn read(line: &str) -> Option<Self> {
        let (word, who) = line.trim_end().split_once(' ')?;
        let who = who.parse().ok()?;
        match word {
            "run" => Some(Self::Run(who)),
            "rehearse" => Some(Self::Rehearse(who)),
            _ => None,
        }
    }
}

impl Said {
    pub(crate) fn line(&self) -> String {
        let line = match self {
            Self::Hello(contenders) => format!("{HELLO} {contenders}"),
            Self::Contender(name) => format!("contender {name}"),
            Self::Work(work) => format!("work {work}"),
            Self::Ran(ran) => format!("ran {}", numbers(ran)),
            Self::Note(note) => format!("note {note}"),
            Self::Wrong(why) => format!("wrong {why}"),
        };
        // A line is a line, whatever is in it.
        line.replace(['\n', '\r'], " ") + "\n"
    }

    pub(crate) fn read(line: &str) -> Option<Self> {
        let line = line.strip_suffix('\n')?;
        let (word, rest) = line.split_once(' ')?;
        Some(match word {
            HELLO => Self::Hello(rest.parse().ok()?),
            "contender" => Self::Contender(rest.to_owned()),
            "work" => Self::Work(rest.to_owned()),
            "ran" => Self::Ran(ran(rest)?),
            "note" => Self::Note(rest.to_owned()),
            "wrong" => Self::Wrong(rest.to_owned()),
            _ => return None,
        })
    }
}

/// Nanoseconds and counts; a dash for what is not known.
fn numbers(ran: &Ran) -> String {
    let Ran { spent, answers, stopped } = ran;
    let known = |number: Option<u64>| match number {
        Some(number) => number.to_string(),
        None => "-".to_owned(),
    };
    let switches = spent.switches;
    let fields = [
        nanos(spent.wall).to_string(),
        known(spent.cpu.map(nanos)),
        known(switches.map(|it| it.voluntary)),
        known(switches.map(|it| it.involuntary)),
        known(spent.pressure.map(nanos)),
        answers.to_string(),
        stopped.to_string(),
    ];
    fields.join(" ")
}

fn ran(numbers: &str) -> Option<Ran> {
    let mut fields = numbers.split(' ');
    let wall = field(&mut fields)?;
    let cpu = known(&mut fields)?;
    let voluntary = known(&mut fields)?;
    let involuntary = known(&mut fields)?;
    let pressure = known(&mut fields)?;
    let answers = field(&mut fields)?;
    let stopped = field(&mut fields)?;
    let switches = voluntary.zip(involuntary);
    let spent = Spent {
        wall: Duration::from_nanos(wall),
        cpu: cpu.map(Duration::from_nanos),
        switches: switches.map(|(voluntary, involuntary)| Switches {
            voluntary,
            involuntary,
        }),
        pressure: pressure.map(Duration::from_nanos),
    };
    let is_all = fields.next().is_none();
    is_all.then_some(Ran { spent, answers, stopped })
}

fn field<'a, T: FromStr>(
    fields: &mut impl Iterator<Item = &'a str>,
) -> Option<T> {
    fields.next()?.parse().ok()
}

fn known<'a>(
    fields: &mut impl Iterator<Item = &'a str>,
) -> Option<Option<u64>> {
    match fields.next()? {
        "-" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

/// Enough for 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let spent = Spent {
            wall: Duration::from_nanos(1_234_567_891),
            cpu: Some(Duration::from_micros(5)),
            switches: Some(Switches { voluntary: 3, involuntary: 0 }),
            pressure: None,
        };
        let unknown = Spent { cpu: None, switches: None, ..spent };
        for said in [
            Said::Hello(9),
            Said::Contender("inline (again)".into()),
            Said::Work(String::new()),
            Said::Ran(Ran::whole(spent, 50)),
            Said::Ran(Ran { spent: unknown, answers: 0, stopped: true }),
            Said::Note("1:2 3:4".into()),
            Said::Wrong("channel is wrong".into()),
        ] {
            assert_eq!(Said::read(&said.line()), Some(said));
        }
        for ask in [Ask::Run(0), Ask::Rehearse(63)] {
            assert_eq!(Ask::read(&ask.line()), Some(ask));
        }
    }

    #[test]
    fn what_is_not_said_is_not_understood() {
        let ran = Said::Ran(Ran::whole(Spent::default(), 1)).line();
        let ran = ran.trim_end();
        for line in [
            "",
            "\n",
            "hello\n",
            "manyhands-measure/2 9\n",
            "manyhands-measure/1 x\n",
            "ran \n",
            "ran 1 2 3\n",
            // Cut, and with more than there is.
            ran,
            &format!("{ran} 7\n"),
        ] {
            assert_eq!(Said::read(line), None, "{line:?}");
        }
        for line in ["", "run", "run x", "walk 1"] {
            assert_eq!(Ask::read(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_text_of_several_lines_is_said_in_one() {
        let line = Said::Wrong("a\r\nb\n".into()).line();
        assert_eq!(line, "wrong a  b \n");
    }
}
