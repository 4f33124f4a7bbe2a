//! XML of strangers: entities are refused, depth is limited.

use roxmltree::{Document, Node, ParsingOptions};

/// Nodes of a document at most.
const MOST_NODES: u32 = 50_000_000;

/// Elements may be nested this deep; the parser calls itself for each.
const DEEPEST: usize = 200;

/// Parses a document; the error has line and column.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, String> {
    if text.contains("<!ENTITY") {
        return Err("it defines entities, which annotations do not need; remove them".to_owned());
    }
    if depth(text) > DEEPEST {
        return Err(format!("its elements are nested more than {DEEPEST} deep"));
    }
    let options = ParsingOptions {
        allow_dtd: true,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}

/// How deep elements are nested at most; comments and quotes may make it too large, never too small.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(at + 1)) {
            (b'<', Some(b'!' | b'?')) => {}
            (b'<', Some(next)) if *next != b'/' => {
                now += 1;
                most = most.max(now);
            }
            (b'<', Some(b'/')) | (b'/', Some(b'>')) => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// The name of the first element.
pub(crate) fn root_name(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')? + 1..];
        match rest.as_bytes().first()? {
            b'!' if rest.starts_with("!--") => rest = &rest[rest.find("-->")? + 3..],
            b'!' | b'?' => {}
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))?;
                return Some(&rest[..end]);
            }
        }
    }
}

/// The first child of a name.
pub(crate) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// All children of a name.
pub(crate) fn children<'a, 'i, 'n>(
    node: Node<'a, 'i>,
    name: &'n str,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i, 'n> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

/// The text of the first child of a name, without blanks around it; empty ones count as missing.
pub(crate) fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let text = child(node, name)?.text()?.trim();
    Some(text).filter(|text| !text.is_empty())
}

/// The number in the first child of a name.
pub(crate) fn number(node: Node<'_, '_>, name: &str) -> Result<f64, String> {
    let text = text(node, name).unwrap_or_default();
    finite(name, text)
}

/// The number in an attribute.
pub(crate) fn attribute(node: Node<'_, '_>, name: &str) -> Result<f64, String> {
    finite(name, node.attribute(name).unwrap_or_default())
}

fn finite(name: &str, text: &str) -> Result<f64, String> {
    let number = text
        .trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("`{name}` is `{text}`, not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bombs_are_refused() {
        let entity = r#"<!DOCTYPE a [<!ENTITY x "xx">]><a>&x;</a>"#;
        assert!(parse(entity).unwrap_err().contains("entities"));
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(parse(&deep).unwrap_err().contains("nested"));
        assert!(parse("<a><b/><b/></a>").is_ok());
        assert!(parse("<a>\n</b>").unwrap_err().contains("2:"));
    }

    #[test]
    fn the_first_element_is_found() {
        struct Case(&'static str, Option<&'static str>);
        for Case(text, wanted) in [
            Case(
                "<?xml version=\"1.0\"?>\n<!-- <x> -->\n<annotation verified=\"yes\">",
                Some("annotation"),
            ),
            Case("<annotations/>", Some("annotations")),
            Case("<!DOCTYPE a><a>", Some("a")),
            Case("text", None),
            Case("<", None),
        ] {
            assert_eq!(root_name(text), wanted, "{text}");
        }
    }
}
