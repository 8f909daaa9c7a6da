//! A bar on stderr, if that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// How far something is. Gone from the terminal when dropped.
///
/// It is drawn when it is told something, never by a thread of its own,
/// which would take a core from what is measured.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

/// Narrow enough for a terminal of 80 columns, with the longest message.
const TEMPLATE: &str = "{bar:32} {msg}";

impl Progress {
    /// A bar for something of so many steps.
    pub(crate) fn new(steps: u64, what: impl Into<String>) -> Self {
        let target = match output::is_quiet() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(steps), target);
        let style = ProgressStyle::with_template(TEMPLATE);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.into());
        Self { bar }
    }

    /// So many steps are done.
    pub(crate) fn at(&self, step: u64) {
        self.bar.set_position(step);
    }

    /// There are so many steps after all.
    pub(crate) fn out_of(&self, steps: u64) {
        self.bar.set_length(steps);
    }

    /// So many steps are done, and this is next.
    pub(crate) fn next(&self, step: u64, what: impl Into<String>) {
        self.bar.set_position(step);
        self.bar.set_message(what.into());
    }

    /// Takes the bar from the terminal, whoever else still holds it.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
