//! The names of collected files.
//!
//! `<prefix><name>_<%Y%m%dT%H-%M-%S-%f>-<8 digits>`: the time at which the hook fired, in UTC
//! with microseconds, so that the files of one name sort by time; and the first digits of the
//! event's key, so that two hooks, threads or processes never meet in one name, while the same
//! event, delivered again after a crash, meets its own files and replaces them.

use crate::event::Event;

/// Characters of the image's name that are kept; file systems allow 255 bytes in all.
const LONGEST_NAME: usize = 48;

/// The common stem of all files of an event.
pub(in crate::action) fn stem(prefix: &str, event: &Event) -> String {
    let time = event.fired_at.strftime("%Y%m%dT%H-%M-%S-%6f");
    let digits = event.key().get(..8).unwrap_or_default();
    format!("{}{}_{time}-{digits}", clean(prefix), clean(&event.name))
}

/// Makes a text fit for a file name: no separators, no control characters, not too long.
fn clean(text: &str) -> String {
    let forbidden = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let kept = text
        .chars()
        .take(LONGEST_NAME)
        .map(|c| if forbidden(c) { '_' } else { c });
    kept.collect::<String>().trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::event_named;

    #[test]
    fn stems_hold_prefix_name_time_and_key() {
        let event = event_named("dog");
        let stem = stem("image", &event);
        assert_eq!(
            stem,
            format!("imagedog_20240820T17-22-42-537000-{}", &event.key()[..8])
        );
    }

    #[test]
    fn hostile_names_stay_in_the_folder() {
        struct Case(&'static str, &'static str);
        for Case(given, kept) in [
            Case("../../etc/passwd", "_.._etc_passwd"),
            Case("a:b\\c\0d\n", "a_b_c_d_"),
            Case("…ünï", "…ünï"),
            Case("", ""),
        ] {
            assert_eq!(clean(given), kept);
        }
        assert_eq!(clean(&"ü".repeat(300)).chars().count(), LONGEST_NAME);
    }
}
