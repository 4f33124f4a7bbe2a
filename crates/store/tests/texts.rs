//! Searching for texts in names and reasons.
#![allow(clippy::unwrap_used, clippy::items_after_statements)]

mod common;

use common::{project, stray};
use straylight_store::{ImageFilter, ImageSort, Page, SortDirection, Store};

#[test]
fn texts_are_found_as_they_are_written_whatever_else_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, dataset) = project(&store);
    // Many that match and few that do: both ways of searching have their turn.
    for index in 0..40 {
        let reason = match index {
            7 => "100% sure_of \\ it".to_owned(),
            _ => format!("Score {index:02} is high"),
        };
        let hook = if index % 2 == 0 { "even" } else { "odd" };
        let name = format!("n{index:02}");
        let new = stray(&name, f64::from(index) / 100.0, hook, &reason);
        store.add_image(&dataset.id, &new).unwrap();
    }
    struct Case(
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
        u64,
    );
    for Case(reason, hook, name, total) in [
        Case("SCORE", None, None, 39),
        Case("score", Some("even"), None, 20),
        Case("score", Some("odd"), Some("n1"), 5),
        Case("3", None, None, 13),
        Case("100%", None, None, 1),
        Case("0%", None, None, 1),
        Case("e_", None, None, 1),
        Case("f \\ i", None, None, 1),
        Case("%", Some("odd"), None, 1),
        Case("nothing", None, None, 0),
    ] {
        let mut filter = ImageFilter::default();
        filter.reason = Some(reason.to_owned());
        filter.hook = hook.map(str::to_owned);
        filter.name = name.map(str::to_owned);
        let sort = (ImageSort::OodScore, SortDirection::Descending);
        let all = store.images(&dataset.id, &filter, sort, Page::ALL).unwrap();
        assert_eq!(
            (all.total, all.images.len() as u64),
            (total, total),
            "{reason}"
        );
        assert_eq!(store.count_images(&dataset.id, &filter).unwrap(), total);
        let page = |skip| store.images(&dataset.id, &filter, sort, Page { skip, limit: 2 });
        let pages: Vec<_> = (0..=total.div_ceil(2))
            .flat_map(|n| page(n * 2).unwrap().images)
            .collect();
        assert_eq!(pages, all.images, "{reason}");
    }
    let mut filter = ImageFilter::default();
    filter.name = Some("x".repeat(60_000));
    assert_eq!(store.count_images(&dataset.id, &filter).unwrap(), 0);
}
