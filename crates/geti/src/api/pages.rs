//! Reading lists that come in pages, so that the reading always ends.
//!
//! A server's total is not trusted: it may be too high, too low, or grow with every page. The
//! loop ends when as many items were seen as announced, when a page brings nothing new, or when
//! more pages came than the total allows. What was seen is then compared with the announcement.

use std::collections::HashSet;

use crate::error::{ErrorKind, GetiError};
use crate::http::Target;

/// Pages that may come beyond what the total announces.
const SPARE_PAGES: u64 = 16;

/// The most pages of any list.
const MAX_PAGES: u64 = 20_000;

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// How many items the list has in all, as the server says.
    pub(crate) total: u64,
    /// Where the next page is, for lists that say so.
    pub(crate) next: Option<Target>,
}

/// Where a page is to be fetched.
pub(crate) enum Cursor<'a> {
    /// After this many items.
    Skip(u64),
    /// Where the page before said.
    Next(&'a Target),
}

/// How a list is paged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paging {
    /// Every page is asked for by the number of items seen.
    BySkip,
    /// Every page but the first is where the page before says; none means that the list ends.
    ByLink,
}

/// Reads all pages of a list; every item once, in the order of the server.
///
/// `what` names the items in errors ("projects"), `limit` is the length of a page, `id` tells
/// items apart.
pub(crate) fn read_all<T>(
    what: &str,
    paging: Paging,
    limit: u64,
    id: impl Fn(&T) -> &str,
    mut fetch: impl FnMut(Cursor<'_>) -> Result<Page<T>, GetiError>,
) -> Result<Vec<T>, GetiError> {
    let mut items: Vec<T> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut next: Option<Target> = None;
    let mut pages = 0;
    loop {
        let page = match &next {
            Some(target) => fetch(Cursor::Next(target))?,
            None => fetch(Cursor::Skip(items.len() as u64))?,
        };
        pages += 1;
        let before = items.len();
        items.extend(
            page.items
                .into_iter()
                .filter(|item| seen.insert(id(item).to_owned())),
        );
        let fresh = items.len() - before;
        next = page.next;
        let ended = fresh == 0 || (paging == Paging::ByLink && next.is_none());
        let complete = items.len() as u64 == page.total
            || (items.len() as u64 > page.total && (fresh as u64) < limit && next.is_none());
        if ended || complete {
            return check(what, items, page.total);
        }
        if pages > MAX_PAGES.min(page.total.div_ceil(limit.max(1)) * 2 + SPARE_PAGES) {
            return Err(endless(what, page.total, pages, items.len()));
        }
    }
}

/// A list that holds less than announced is an error: something would silently be missing.
fn check<T>(what: &str, items: Vec<T>, total: u64) -> Result<Vec<T>, GetiError> {
    let found = items.len() as u64;
    if found >= total {
        return Ok(items);
    }
    let message = format!("the server announces {total} {what}, but lists only {found}");
    Err(GetiError::new(ErrorKind::Pages, message)
        .with_hint("try again; if it stays, the server's list is broken"))
}

fn endless(what: &str, total: u64, pages: u64, found: usize) -> GetiError {
    let message = format!(
        "the list of {what} does not end: {pages} pages with {found} items, {total} announced"
    );
    GetiError::new(ErrorKind::Pages, message).with_hint("the server's list is broken")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Read = Result<Vec<String>, ErrorKind>;

    /// Reads a scripted list by links; an item is its name, the total may change by page.
    fn read(pages: &dyn Fn(usize) -> (Vec<String>, u64, bool)) -> (Read, usize) {
        let mut count = 0;
        let result = read_all(
            "items",
            Paging::ByLink,
            2,
            |item: &String| item,
            |_| {
                let (items, total, more) = pages(count);
                count += 1;
                Ok(Page {
                    items,
                    total,
                    next: more.then(|| Target::Api(count.to_string())),
                })
            },
        );
        (result.map_err(|error| error.kind()), count)
    }

    fn names(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|n| n.to_string()).collect()
    }

    #[test]
    fn every_loop_ends() {
        struct Case {
            name: &'static str,
            pages: fn(usize) -> (Vec<String>, u64, bool),
            result: Read,
            requests: usize,
        }
        for case in [
            Case {
                name: "two pages",
                pages: |n| (names(n * 2..n * 2 + 2), 4, true),
                result: Ok(names(0..4)),
                requests: 2,
            },
            Case {
                name: "empty",
                pages: |_| (vec![], 0, false),
                result: Ok(vec![]),
                requests: 1,
            },
            Case {
                name: "total too high, no further page",
                pages: |_| (names(0..2), 9, false),
                result: Err(ErrorKind::Pages),
                requests: 1,
            },
            Case {
                name: "total too high, the same page for ever",
                pages: |_| (names(0..2), 9, true),
                result: Err(ErrorKind::Pages),
                requests: 2,
            },
            Case {
                name: "total too high, empty pages for ever",
                pages: |n| (if n == 0 { names(0..2) } else { vec![] }, 9, true),
                result: Err(ErrorKind::Pages),
                requests: 2,
            },
            Case {
                name: "total too low",
                pages: |n| (names(n * 2..n * 2 + 2), 1, n == 0),
                result: Ok(names(0..4)),
                requests: 2,
            },
            Case {
                name: "new items for ever",
                pages: |n| (names(n * 2..n * 2 + 2), 3, true),
                result: Err(ErrorKind::Pages),
                requests: 21,
            },
            Case {
                name: "an item moved to the next page",
                pages: |n| {
                    if n == 0 {
                        (names(0..2), 3, true)
                    } else {
                        (names(1..3), 3, false)
                    }
                },
                result: Ok(names(0..3)),
                requests: 2,
            },
        ] {
            let (result, requests) = read(&case.pages);
            assert_eq!(result, case.result, "{}", case.name);
            assert_eq!(requests, case.requests, "{}", case.name);
        }
    }

    #[test]
    fn a_total_that_grows_with_every_page_ends_as_well() {
        let mut requests = 0_u64;
        let result = read_all(
            "items",
            Paging::BySkip,
            1,
            |item: &String| item,
            |_| {
                requests += 1;
                Ok(Page {
                    items: vec![requests.to_string()],
                    total: u64::MAX / 4,
                    next: None,
                })
            },
        );
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Pages);
        assert_eq!(requests, MAX_PAGES + 1);
    }

    proptest! {
        #[test]
        fn any_script_ends(
            script in prop::collection::vec(
                (prop::collection::vec("[a-f]", 0..4), 0_u64..12, any::<bool>()), 1..20)
        ) {
            let (_, requests) = read(&|n| script[n % script.len()].clone());
            prop_assert!(requests < 60);
        }
    }
}
