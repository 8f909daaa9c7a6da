//! `learn hint`: one step, and how to get the next.

use anyhow::{Context, bail};

use super::exercises::{Exercise, Place};
use super::{End, cannot_read, page};
use crate::output::print;

/// How many steps a hint has.
pub(super) const STEPS: usize = 3;

pub(super) fn run(
    place: &Place,
    exercise: &Exercise,
    step: usize,
) -> anyhow::Result<End> {
    let path = place.folder(exercise).join("hints.md");
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| cannot_read(&path))?;
    let Some(hint) = part(&text, step) else {
        bail!("{}: it has no step {step}", path.display());
    };
    let Exercise { number, title, .. } = exercise;
    let next = match step < STEPS {
        true => {
            let next = step + 1;
            format!("Next: `manyhands learn hint {number} --step {next}`")
        }
        false => {
            let page = page("solutions", &format!("{number:02}"));
            format!("That was the last. A solution, and why: {page}")
        }
    };
    print(format!(
        "Exercise {number}, {title}: hint {step} of {STEPS}\n\n{hint}\n\n\
         {next}\n"
    ))?;
    Ok(End::Fine)
}

/// What stands under `# Step N`.
fn part(text: &str, step: usize) -> Option<&str> {
    let parts = text.split("# Step ").skip(1);
    let mut parts = parts.filter_map(|part| part.split_once('\n'));
    let is_it = |head: &str| head.trim().parse() == Ok(step);
    parts
        .find(|(head, _)| is_it(head))
        .map(|(_, part)| part.trim_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_what_stands_under_its_heading() {
        let text = "# Step 1\n\none\n\n# Step 2\n\n    two\nmore\n";
        assert_eq!(part(text, 1), Some("one"));
        assert_eq!(part(text, 2), Some("    two\nmore"));
        assert_eq!(part(text, 3), None);
    }
}
