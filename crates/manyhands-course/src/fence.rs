//! Blocks of code between fences.

/// A fence that was opened: its mark, and how many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    mark: char,
    length: usize,
}

/// Which fence is open after this line.
pub(crate) fn after(open: Option<Fence>, line: &str) -> Option<Fence> {
    let line = line.trim();
    let of = |mark| line.chars().take_while(|&it| it == mark).count();
    match open {
        None => ['`', '~']
            .map(|mark| Fence { mark, length: of(mark) })
            .into_iter()
            .find(|fence| fence.length >= 3)
            // Such a line is code within a sentence.
            .filter(|it| it.mark == '~' || !line[it.length..].contains('`')),
        Some(Fence { mark, length }) => {
            let closes = of(mark) >= length && of(mark) == line.len();
            open.filter(|_| !closes)
        }
    }
}

/// A block of code, of a language that it names, with a fence that is longer
/// than any within it.
pub(crate) fn block(language: &str, code: &str) -> String {
    let within = code.lines().map(|line| {
        let line = line.trim_start();
        line.chars().take_while(|&it| it == '`').count()
    });
    let fence = "`".repeat((within.max().unwrap_or(0) + 1).max(3));
    let end = if code.ends_with('\n') || code.is_empty() { "" } else { "\n" };
    format!("{fence}{language}\n{code}{end}{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_closed_by_its_own_fence_alone() {
        for code in ["a\n", "```\n", "  ````rust\n```\n````\n", ""] {
            let block = block("text", code);
            let mut open = None;
            let mut places = Vec::new();
            for (place, line) in block.lines().enumerate() {
                open = after(open, line);
                if open.is_none() {
                    places.push(place);
                }
            }
            assert_eq!(places, [block.lines().count() - 1], "{block}");
        }
        assert_eq!(after(None, "```code``` in a sentence"), None);
        assert!(after(None, "~~~ text").is_some());
    }
}
