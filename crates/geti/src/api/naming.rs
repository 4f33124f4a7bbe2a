//! File names for media: names on a server are free text and need not be unique.

use std::collections::HashMap;

use crate::wire::Media;

/// The longest stem in bytes; with an identifier and an extension it fits any file system.
const LONGEST: usize = 180;

/// Names that Windows keeps for devices.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A name that is a single, visible, ordinary component of a path on every system.
pub(crate) fn safe_name(name: &str) -> String {
    let forbidden = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    let mut safe: String = name
        .chars()
        .map(|c| if forbidden(c) { '_' } else { c })
        .collect();
    while safe.len() > LONGEST {
        safe.pop();
    }
    // Windows drops dots and blanks at the end; a dot at the beginning hides a file.
    let trimmed = safe
        .trim_end_matches(['.', ' '])
        .trim_start_matches(['.', ' ']);
    let device = trimmed
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if trimmed.is_empty() || RESERVED.contains(&device.as_str()) {
        return format!("_{trimmed}");
    }
    trimmed.to_owned()
}

/// A stem for each medium, unique also where upper and lower case are the same.
///
/// The stem is the name; where several share one, all of them get `_<id>`, as the SDK writes it.
pub(crate) fn stems(media: &[Media]) -> Vec<String> {
    let names: Vec<String> = media.iter().map(|m| safe_name(&m.name)).collect();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for name in &names {
        *counts.entry(name.to_lowercase()).or_default() += 1;
    }
    let unique = |name: &str| counts.get(&name.to_lowercase()) == Some(&1);
    let stem = |(name, media): (&String, &Media)| {
        if unique(name) {
            name.clone()
        } else {
            format!("{name}_{}", safe_name(&media.id))
        }
    };
    names.iter().zip(media).map(stem).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::MediaInformation;

    fn media(id: &str, name: &str) -> Media {
        Media {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: crate::wire::MediaKind::Image.into(),
            upload_time: None,
            uploader_id: None,
            thumbnail: None,
            preprocessing: None,
            annotation_state_per_task: vec![],
            media_information: MediaInformation::default(),
        }
    }

    #[test]
    fn equal_names_get_their_identifiers() {
        let list = [
            media("1", "a"),
            media("2", "B"),
            media("3", "b"),
            media("4", "../x"),
        ];
        assert_eq!(stems(&list), ["a", "B_2", "b_3", "_x"]);
    }

    #[test]
    fn names_are_made_safe() {
        struct Case(&'static str, &'static str);
        for Case(name, safe) in [
            Case("Vögel 1", "Vögel 1"),
            Case("a/b\\c", "a_b_c"),
            Case("../../etc/passwd", "_.._etc_passwd"),
            Case("..", "_"),
            Case("", "_"),
            Case("con", "_con"),
            Case("NUL.txt", "_NUL.txt"),
            Case("a. ", "a"),
            Case(".hidden", "hidden"),
        ] {
            assert_eq!(safe_name(name), safe, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_one_component(name in ".{0,300}") {
            let safe = safe_name(&name);
            let mut components = std::path::Path::new(&safe).components();
            let ordinary = matches!(components.next(), Some(std::path::Component::Normal(_)));
            prop_assert!(ordinary && components.next().is_none(), "{safe:?}");
            prop_assert!(safe.len() <= LONGEST + 1);
        }
    }
}
