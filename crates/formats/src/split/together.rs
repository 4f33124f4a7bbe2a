use std::collections::HashMap;

use crate::AnnotatedSet;

/// Images that belong together: near-duplicates, and the frames of one video.
///
/// `hashes` has the perceptual hash of each image, or `None` where it is not known; images whose
/// hashes differ in at most `max_distance` of 64 bits are near-duplicates, and so are those that
/// a chain of such images joins.
///
/// Returns a number for each image, the same for images that belong together.
pub(super) fn together(
    set: &AnnotatedSet,
    hashes: &[Option<u64>],
    max_distance: u32,
) -> Vec<usize> {
    let mut groups = Groups::new(set.images.len());
    let mut by_source: HashMap<&str, usize> = HashMap::new();
    for (index, image) in set.images.iter().enumerate() {
        if let Some(source) = source(&image.name) {
            let first = *by_source.entry(source).or_insert(index);
            groups.join(first, index);
        }
    }
    let known: Vec<(usize, u64)> = hashes
        .iter()
        .enumerate()
        .filter_map(|(index, hash)| Some((index, (*hash)?)))
        .collect();
    for (at, (index, hash)) in known.iter().enumerate() {
        for (other, other_hash) in &known[at + 1..] {
            if (hash ^ other_hash).count_ones() <= max_distance {
                groups.join(*index, *other);
            }
        }
    }
    (0..set.images.len())
        .map(|index| groups.of(index))
        .collect()
}

/// What an image was taken from, if its name tells: a video, or the image that was augmented.
fn source(name: &str) -> Option<&str> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.split_once(".rf.").map_or(stem, |(source, _)| source);
    let is_augmented = stem.len() < name.len() && name[stem.len()..].starts_with(".rf.");
    // Roboflow keeps the extension: `clip_mp4-12_jpg`.
    let bare = stem.strip_suffix("_jpg").unwrap_or(stem);
    frame_of(bare).or_else(|| is_augmented.then_some(stem))
}

/// The video of a frame.
fn frame_of(stem: &str) -> Option<&str> {
    let digits = stem.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (rest, number) = stem.split_at(stem.len() - digits);
    if number.is_empty() {
        return None;
    }
    let rest = rest.trim_end_matches(['_', '-']);
    let lower = rest.to_ascii_lowercase();
    let of_video = ["_mp4", "_avi", "_mov", "_mkv"]
        .iter()
        .any(|end| lower.ends_with(end));
    if of_video || lower.ends_with("frame") {
        return Some(rest);
    }
    // `2007_000027` is an image of Pascal VOC, `COCO_val2014_000000000139` one of COCO.
    let is_year = rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_digit());
    let is_ours = number.len() == 6 && stem.as_bytes().get(rest.len()) == Some(&b'_');
    (is_ours && !is_year && !rest.is_empty()).then_some(rest)
}

/// Sets of numbers that are joined one by one.
struct Groups {
    parents: Vec<usize>,
}

impl Groups {
    fn new(count: usize) -> Self {
        Self {
            parents: (0..count).collect(),
        }
    }

    fn of(&mut self, index: usize) -> usize {
        let mut root = index;
        while self.parents[root] != root {
            self.parents[root] = self.parents[self.parents[root]];
            root = self.parents[root];
        }
        root
    }

    /// The smaller number stands for both.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnnotatedImage;

    #[test]
    fn frames_are_known_by_their_names() {
        struct Case(&'static str, Option<&'static str>);
        for Case(name, wanted) in [
            Case("clip_000120.png", Some("clip")),
            Case("20261130_101500_000120.jpg", Some("20261130_101500")),
            Case("clip_frame_120.jpg", Some("clip_frame")),
            Case("frame_000120.png", Some("frame")),
            Case("clip_mp4-12_jpg.rf.0a1b2c.jpg", Some("clip_mp4")),
            Case("cat_jpg.rf.0a1b2c.jpg", Some("cat_jpg")),
            Case("cam/clip_000120.png", Some("cam/clip")),
            Case("2007_000027.jpg", None),
            Case("COCO_val2014_000000000139.jpg", None),
            Case("000120.png", None),
            Case("IMG_1234.jpg", None),
            Case("cat.jpg", None),
            Case("", None),
        ] {
            assert_eq!(source(name), wanted, "{name}");
        }
    }

    #[test]
    fn near_duplicates_and_frames_have_one_number() {
        let names = [
            "a.png",
            "clip_000001.png",
            "b.png",
            "clip_000002.png",
            "c.png",
        ];
        let images = names.map(|name| AnnotatedImage {
            name: name.to_owned(),
            ..AnnotatedImage::default()
        });
        let set = AnnotatedSet {
            images: images.into(),
            ..AnnotatedSet::default()
        };
        let hashes = [
            Some(0b0000),
            None,
            Some(0b1111_0000),
            Some(0b1_0000_0000),
            Some(0b0011),
        ];
        assert_eq!(together(&set, &hashes, 0), [0, 1, 2, 1, 4]);
        assert_eq!(together(&set, &hashes, 2), [0, 0, 2, 0, 0]);
    }
}
