//! Passwords in addresses of databases: never shown, wherever they stand.

use std::borrow::Cow;

/// Stands where a password stood.
const HIDDEN: &str = "***";

/// The text without the passwords of whatever looks like the address of a
/// database in it: `postgres://me:***@host/db`, `password=***`.
pub(crate) fn hidden(text: &str) -> Cow<'_, str> {
    const KEY: &str = "password=";
    if !text.contains("://") && !text.contains(KEY) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        shown += before;
        // A password may have a slash in it that should have been escaped, so
        // it ends at the last `@` before a blank or a quote.
        let is_end = |c: char| c.is_whitespace() || "'\"`<>".contains(c);
        let end = after.find(is_end).unwrap_or(after.len());
        let (address, further) = after.split_at(end);
        shown += &match address.rsplit_once('@') {
            Some((who, host)) => match who.split_once(':') {
                Some((user, _)) => format!("{user}:{HIDDEN}@{host}"),
                None => address.to_owned(),
            },
            None => address.to_owned(),
        };
        rest = further;
    }
    shown += rest;
    let mut from = 0;
    while let Some(at) = shown[from..].find(KEY) {
        let start = from + at + KEY.len();
        let is_end = |c: char| c.is_whitespace() || "&'\"`;".contains(c);
        // `password='with blanks'`
        let quoted = shown[start..].starts_with('\'');
        let end = match quoted {
            true => shown[start + 1..].find('\'').map(|it| it + 2),
            false => shown[start..].find(is_end),
        };
        let end = end.map_or(shown.len(), |it| start + it);
        shown.replace_range(start..end, HIDDEN);
        from = start + HIDDEN.len();
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_left_and_all_else_is() {
        for (text, shown) in [
            ("jobs.db", "jobs.db"),
            ("postgres://host/db", "postgres://host/db"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            ("postgres://me:x y", "postgres://me:x y"),
            (
                "--db is a://me:s3cret@h:5/db, no",
                "--db is a://me:***@h:5/db, no",
            ),
            ("postgres://me:a/b@c@h/db", "postgres://me:***@h/db"),
            ("'postgres://:s3cret@h'", "'postgres://:***@h'"),
            (
                "postgres://h/db?password=s3cret&user=me",
                "postgres://h/db?password=***&user=me",
            ),
            ("host=h password=s3cret user=me", "host=h password=*** user=me"),
            ("password='s3 cret' user=me", "password=*** user=me"),
            ("a://u:p@h b://v:q@i", "a://u:***@h b://v:***@i"),
        ] {
            assert_eq!(hidden(text), shown);
        }
    }
}
