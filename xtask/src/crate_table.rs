//! The table of crates in ARCHITECTURE.md is held against the manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::process::root;

/// Names of crates, each with the crates of this project that it depends on.
type Table = BTreeMap<String, BTreeSet<String>>;

/// The rows of the table whose second column head is "what it holds".
fn written() -> Table {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| crate |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells[0].trim_matches('`').to_owned();
        let depends = cells.last().unwrap().split(',').map(str::trim);
        let depends = depends.filter(|crate_name| *crate_name != "–");
        (name, depends.map(str::to_owned).collect())
    })
    .collect()
}

/// What the manifests below `crates/` say; dependencies of tests do not count.
fn real() -> Table {
    let folders = fs::read_dir(root().join("crates")).unwrap();
    let mut table: Table = folders
        .map(|entry| crate_of(&entry.unwrap().path()))
        .collect();
    table.insert("xtask".to_owned(), BTreeSet::new());
    table
}

fn crate_of(folder: &std::path::Path) -> (String, BTreeSet<String>) {
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let lines = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]");
    let lines = lines.skip(1).take_while(|line| !line.starts_with('['));
    let depends = lines.filter_map(|line| {
        let key = line.split(['.', ' ', '=']).next().unwrap();
        let ours = key.strip_prefix("straylight-");
        ours.or_else(|| (key == "straylight").then_some(key))
            .map(str::to_owned)
    });
    (name, depends.collect())
}

#[test]
fn the_table_of_crates_is_true() {
    let (written, real) = (written(), real());
    assert!(real.len() > 10, "{real:?}");
    assert_eq!(written, real, "left: ARCHITECTURE.md, right: the manifests");
}
