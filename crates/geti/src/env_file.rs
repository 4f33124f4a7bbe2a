//! Files of `KEY=VALUE` lines, as shells and `python-dotenv` read them.
//!
//! One pair a line; `export ` before the key, blanks around key and value, empty lines and
//! lines that begin with `#` are ignored. A value in single quotes is taken as it is; in double
//! quotes `\n`, `\t`, `\"` and `\\` are replaced; without quotes it ends at ` #`. The last pair
//! of a key counts. A value never spans lines.

use std::collections::BTreeMap;

/// A line of the file is not `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not of the form KEY=VALUE: {reason}")]
pub struct EnvFileError {
    /// The line, counted from 1. Its text may hold a secret and is not kept.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Reads all pairs of a file's text.
pub fn parse_env_file(text: &str) -> Result<BTreeMap<String, String>, EnvFileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairs = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = parse_line(line).map_err(|reason| EnvFileError {
            line: index + 1,
            reason,
        })?;
        pairs.insert(key, value);
    }
    Ok(pairs)
}

fn parse_line(line: &str) -> Result<(String, String), &'static str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=').ok_or("it has no `=`")?;
    let key = key.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || !key.chars().all(is_name) {
        return Err("a key is made of letters, digits and `_`");
    }
    Ok((key.to_owned(), parse_value(value.trim())?))
}

fn parse_value(value: &str) -> Result<String, &'static str> {
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(&value[1..], quote),
        _ => Ok(unquoted(value).to_owned()),
    }
}

/// A value without quotes ends at a comment, which needs a blank before it.
fn unquoted(value: &str) -> &str {
    if value.starts_with('#') {
        return "";
    }
    let comment = value
        .char_indices()
        .zip(value.chars().skip(1))
        .find_map(|((at, before), c)| (before.is_whitespace() && c == '#').then_some(at));
    comment.map_or(value, |at| value[..at].trim_end())
}

/// The text up to the closing quote; after it only a comment may follow.
fn quoted(text: &str, quote: char) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next().ok_or("the closing quote is missing")? {
            c if c == quote => break,
            '\\' if quote == '"' => match chars.next().ok_or("the closing quote is missing")? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                c @ ('"' | '\\') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    let rest = chars.as_str().trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(value)
    } else {
        Err("there is text after the closing quote")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_read_as_shells_read_them() {
        struct Case(&'static str, Result<&'static str, usize>);
        for Case(text, read) in [
            Case("K=v", Ok("v")),
            Case("\u{feff}K=v", Ok("v")),
            Case("  export K = v  ", Ok("v")),
            Case("# c\n\nK=v # comment", Ok("v")),
            Case("K=v#no-comment", Ok("v#no-comment")),
            Case("K=", Ok("")),
            Case("K= # nothing", Ok("")),
            Case("K=a=b", Ok("a=b")),
            Case("K='a\\nb' # c", Ok("a\\nb")),
            Case(r#"K="a\n\"b\" \\ \x""#, Ok("a\n\"b\" \\ \\x")),
            Case("K=1\r\nK=2\r\n", Ok("2")),
            Case("K='open", Err(1)),
            Case("\nK=\"a\" b", Err(2)),
            Case("no pair", Err(1)),
            Case("A B=c", Err(1)),
            Case("K=ä # ö", Ok("ä")),
        ] {
            let result = parse_env_file(text).map(|pairs| pairs["K"].clone());
            assert_eq!(result.as_deref().map_err(|e| e.line), read, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            drop(parse_env_file(&text));
        }

        #[test]
        fn a_quoted_value_is_read_as_itself(value in "[^\r\n\u{85}\u{2028}']{0,40}") {
            let pairs = parse_env_file(&format!("K='{value}'")).unwrap();
            prop_assert_eq!(&pairs["K"], &value);
        }
    }
}
