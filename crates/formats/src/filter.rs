//! Choosing images by their labels.

use std::fmt;
use std::str::FromStr;

use crate::AnnotatedImage;

/// A rule on the labels of an image: names joined by `and`, `or`, `not` and brackets.
///
/// `not` binds tighter than `and`, `and` tighter than `or`. A name is written as it is, or in
/// double quotes if it has blanks, brackets or is one of the three words; `\"` and `\\` stand
/// for themselves within quotes. An image has a label if one of its objects has it.
///
/// ```
/// use straylight_formats::Filter;
///
/// let filter: Filter = r#"(dog or "guide dog") and not cat"#.parse()?;
/// assert_eq!(filter.to_string(), r#"(dog or "guide dog") and not cat"#);
/// # Ok::<(), straylight_formats::FilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// The image has the label.
    Label(String),
    /// The inner rule does not hold.
    Not(Box<Filter>),
    /// Every inner rule holds; none at all always holds.
    All(Vec<Filter>),
    /// At least one inner rule holds; none at all never holds.
    Any(Vec<Filter>),
}

/// A text is no rule on labels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no filter: {reason} at character {position}; write for example dog and not cat"
)]
pub struct FilterError {
    text: String,
    reason: &'static str,
    position: usize,
}

/// Brackets and `not` may be nested this deep; the parser calls itself for each.
const DEEPEST: usize = 100;

impl Filter {
    /// Images that have at least one of the labels.
    pub fn any_of<S: Into<String>>(labels: impl IntoIterator<Item = S>) -> Self {
        Self::Any(
            labels
                .into_iter()
                .map(|name| Self::Label(name.into()))
                .collect(),
        )
    }

    /// Images that have all of the labels.
    pub fn all_of<S: Into<String>>(labels: impl IntoIterator<Item = S>) -> Self {
        Self::All(
            labels
                .into_iter()
                .map(|name| Self::Label(name.into()))
                .collect(),
        )
    }

    /// Whether an image fulfils the rule.
    pub fn accepts(&self, image: &AnnotatedImage) -> bool {
        match self {
            Self::Label(name) => image.has_label(name),
            Self::Not(inner) => !inner.accepts(image),
            Self::All(inner) => inner.iter().all(|rule| rule.accepts(image)),
            Self::Any(inner) => inner.iter().any(|rule| rule.accepts(image)),
        }
    }

    /// The names in the rule, each once, in order of appearance.
    pub fn label_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect_names(&mut names);
        names
    }

    fn collect_names<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Self::Label(name) if !names.contains(&name.as_str()) => names.push(name),
            Self::Label(_) => {}
            Self::Not(inner) => inner.collect_names(names),
            Self::All(inner) | Self::Any(inner) => {
                for rule in inner {
                    rule.collect_names(names);
                }
            }
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |f: &mut fmt::Formatter<'_>, rule: &Self| match rule {
            Self::Label(_) | Self::Not(_) => write!(f, "{rule}"),
            _ => write!(f, "({rule})"),
        };
        let joined = |f: &mut fmt::Formatter<'_>, rules: &[Self], word: &str| {
            for (index, rule) in rules.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                bracketed(f, rule)?;
            }
            Ok(())
        };
        match self {
            Self::Label(name) => f.write_str(&quoted(name)),
            Self::Not(inner) => {
                f.write_str("not ")?;
                bracketed(f, inner)
            }
            Self::All(rules) => joined(f, rules, "and"),
            Self::Any(rules) => joined(f, rules, "or"),
        }
    }
}

fn quoted(name: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '(' | ')' | '"' | '\\');
    if !name.is_empty() && name.chars().all(plain) && !["and", "or", "not"].contains(&name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser {
            text,
            tokens: tokens(text)?,
            at: 0,
        };
        let filter = parser.any(DEEPEST)?;
        match parser.peek() {
            None => Ok(filter),
            Some(_) => Err(parser.error("`and` or `or` is missing")),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Name(String),
}

/// Each token with the character at which it begins, counted from 1.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let mut letters = text.chars().enumerate().peekable();
    let mut tokens = Vec::new();
    while let Some((at, letter)) = letters.next() {
        let token = match letter {
            c if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '"' => Token::Name(quoted_name(&mut letters).ok_or_else(|| FilterError {
                text: text.to_owned(),
                reason: "a quote is not closed",
                position: at + 1,
            })?),
            first => {
                let mut word = String::from(first);
                let part = |c: char| !c.is_whitespace() && !matches!(c, '(' | ')' | '"');
                while let Some((_, next)) = letters.next_if(|(_, c)| part(*c)) {
                    word.push(next);
                }
                keyword(word)
            }
        };
        tokens.push((at + 1, token));
    }
    Ok(tokens)
}

fn keyword(word: String) -> Token {
    match word.as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        _ => Token::Name(word),
    }
}

/// The rest of a quoted name, or `None` if the text ends before it does.
fn quoted_name(letters: &mut impl Iterator<Item = (usize, char)>) -> Option<String> {
    let mut name = String::new();
    loop {
        match letters.next()?.1 {
            '"' => return Some(name),
            '\\' => name.push(letters.next()?.1),
            letter => name.push(letter),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn error(&self, reason: &'static str) -> FilterError {
        let end = self.text.chars().count() + 1;
        let position = self
            .tokens
            .get(self.at)
            .map_or(end, |(position, _)| *position);
        FilterError {
            text: self.text.to_owned(),
            reason,
            position,
        }
    }

    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut rules = vec![self.all(depth)?];
        while self.take(&Token::Or) {
            rules.push(self.all(depth)?);
        }
        Ok(single_or(rules, Filter::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut rules = vec![self.one(depth)?];
        while self.take(&Token::And) {
            rules.push(self.one(depth)?);
        }
        Ok(single_or(rules, Filter::All))
    }

    fn one(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.error("it is nested too deeply"));
        };
        if self.take(&Token::Not) {
            return Ok(Filter::Not(Box::new(self.one(depth)?)));
        }
        if self.take(&Token::Open) {
            let inner = self.any(depth)?;
            return if self.take(&Token::Close) {
                Ok(inner)
            } else {
                Err(self.error("a bracket is not closed"))
            };
        }
        let Some(Token::Name(name)) = self.peek() else {
            return Err(self.error("the name of a label is missing"));
        };
        let name = name.clone();
        self.at += 1;
        Ok(Filter::Label(name))
    }
}

fn single_or(mut rules: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match rules.pop() {
        Some(only) if rules.is_empty() => only,
        Some(last) => {
            rules.push(last);
            join(rules)
        }
        None => join(rules),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Geometry, Object};

    fn image(labels: &[&str]) -> AnnotatedImage {
        let objects = labels
            .iter()
            .map(|label| Object::new(Geometry::Image, *label));
        AnnotatedImage {
            objects: objects.collect(),
            ..AnnotatedImage::default()
        }
    }

    #[test]
    fn rules_choose_images() {
        struct Case(&'static str, &'static [&'static str], bool);
        for Case(rule, labels, wanted) in [
            Case("dog", &["dog", "cat"], true),
            Case("dog", &[], false),
            Case("not dog", &[], true),
            Case("dog and not cat", &["dog", "cat"], false),
            Case("dog or cat and bird", &["dog"], true),
            Case("(dog or cat) and bird", &["dog"], false),
            Case("not not dog", &["dog"], true),
            Case("\"big dog\"", &["big dog"], true),
            Case("\"not\" and android", &["not", "android"], true),
            Case("\"a\\\"b\"", &["a\"b"], true),
        ] {
            let filter: Filter = rule.parse().unwrap();
            assert_eq!(
                filter.accepts(&image(labels)),
                wanted,
                "{rule} on {labels:?}"
            );
        }
    }

    #[test]
    fn bad_rules_say_where() {
        struct Case(&'static str, usize);
        for Case(rule, position) in [
            Case("", 1),
            Case("dog and", 8),
            Case("dog cat", 5),
            Case("(dog", 5),
            Case("dog)", 4),
            Case("and dog", 1),
            Case("a \"b", 3),
        ] {
            assert_eq!(
                rule.parse::<Filter>().unwrap_err().position,
                position,
                "{rule}"
            );
        }
        assert!("(".repeat(100_000).parse::<Filter>().is_err());
    }

    fn rule() -> impl Strategy<Value = Filter> {
        let leaf = "[a-z \"\\\\()]{0,6}|and|or|not".prop_map(Filter::Label);
        leaf.prop_recursive(4, 20, 4, |inner| {
            let several = prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                inner.prop_map(|rule| Filter::Not(Box::new(rule))),
                several.clone().prop_map(Filter::All),
                several.prop_map(Filter::Any),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(rule in rule()) {
            prop_assert_eq!(rule.to_string().parse::<Filter>().unwrap(), rule);
        }

        #[test]
        fn any_text_is_survived(text in ".{0,40}") {
            let _ = text.parse::<Filter>();
        }
    }
}
