use std::collections::BTreeMap;

use straylight_core::ContentHash;

use crate::{AnnotatedImage, AnnotatedSet};

/// A label, or that an image has none, by number.
type Class = usize;

/// Images that stay together.
#[derive(Default)]
struct Group {
    images: Vec<usize>,
    /// How often each class occurs on them, counted by images.
    classes: BTreeMap<Class, f64>,
    /// Puts groups into an order that depends on nothing but names and seed.
    key: [u8; 32],
}

/// The part of each image, 0 to 2, so that each part has its share of every label.
pub(super) fn share_out(
    set: &AnnotatedSet,
    groups: &[usize],
    shares: [f64; 3],
    seed: u64,
) -> Vec<usize> {
    let mut open = gather(set, groups, seed);
    let mut wanted = Wanted::new(set, &open, shares);
    let mut parts = vec![0; set.images.len()];
    // The rarest label first: it can be shared out badly, a frequent one hardly.
    while let Some(class) = rarest(&open) {
        let (with, without) = open
            .into_iter()
            .partition(|g: &Group| g.classes.contains_key(&class));
        open = without;
        for group in with {
            let part = wanted.take(class, &group);
            for image in group.images {
                parts[image] = part;
            }
        }
    }
    fill_empty_parts(&mut parts, groups, shares);
    parts
}

/// The groups, the largest first: they are the hardest to place.
fn gather(set: &AnnotatedSet, groups: &[usize], seed: u64) -> Vec<Group> {
    let mut by_number: BTreeMap<usize, Group> = BTreeMap::new();
    for (index, image) in set.images.iter().enumerate() {
        let group = by_number.entry(groups[index]).or_default();
        group.images.push(index);
        for class in classes(set, image) {
            *group.classes.entry(class).or_default() += 1.0;
        }
        let key = ContentHash::of(format!("{seed}/{}", image.name).as_bytes()).0;
        group.key = if group.images.len() == 1 {
            key
        } else {
            group.key.min(key)
        };
    }
    let mut all: Vec<Group> = by_number.into_values().collect();
    all.sort_by(|a, b| (b.images.len(), a.key).cmp(&(a.images.len(), b.key)));
    all
}

/// The labels of an image by their places in the set; one more stands for none.
fn classes(set: &AnnotatedSet, image: &AnnotatedImage) -> Vec<Class> {
    let all = set.label_names().enumerate();
    let found: Vec<Class> = all
        .filter(|(_, name)| image.has_label(name))
        .map(|(class, _)| class)
        .collect();
    if found.is_empty() {
        vec![set.labels.len()]
    } else {
        found
    }
}

fn rarest(open: &[Group]) -> Option<Class> {
    let mut counts: BTreeMap<Class, f64> = BTreeMap::new();
    for (class, count) in open.iter().flat_map(|group| &group.classes) {
        *counts.entry(*class).or_default() += count;
    }
    counts
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(class, _)| class)
}

/// How many images each part still wants, in all and of each class.
struct Wanted {
    shares: [f64; 3],
    images: [f64; 3],
    classes: Vec<[f64; 3]>,
}

impl Wanted {
    fn new(set: &AnnotatedSet, groups: &[Group], shares: [f64; 3]) -> Self {
        let mut counts = vec![0.0; set.labels.len() + 1];
        for (class, count) in groups.iter().flat_map(|group| &group.classes) {
            counts[*class] += count;
        }
        let of = |count: f64| shares.map(|share| share * count);
        Self {
            shares,
            images: of(set.images.len() as f64),
            classes: counts.into_iter().map(of).collect(),
        }
    }

    /// Gives a group to the part that wants its class most, and of those to the emptiest.
    fn take(&mut self, class: Class, group: &Group) -> usize {
        let asked = (0..3).filter(|&part| self.shares[part] > 0.0);
        let wish = |part: usize| (self.classes[class][part], self.images[part]);
        let part = asked
            .max_by(|&a, &b| {
                let (a, b) = ((wish(a), self.shares[a]), (wish(b), self.shares[b]));
                let by_class = a.0.0.total_cmp(&b.0.0);
                by_class
                    .then(a.0.1.total_cmp(&b.0.1))
                    .then(a.1.total_cmp(&b.1))
            })
            .unwrap_or(0);
        self.images[part] -= group.images.len() as f64;
        for (class, count) in &group.classes {
            self.classes[*class][part] -= count;
        }
        part
    }
}

/// A part without images stops trainers: it gets the smallest group of the largest part.
fn fill_empty_parts(parts: &mut [usize], groups: &[usize], shares: [f64; 3]) {
    for part in (0..3).filter(|&part| shares[part] > 0.0) {
        if parts.contains(&part) {
            continue;
        }
        let size = |part: usize| parts.iter().filter(|other| **other == part).count();
        let Some(largest) = (0..3).max_by_key(|&part| size(part)) else {
            continue;
        };
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        for (group, _) in groups.iter().zip(&*parts).filter(|(_, p)| **p == largest) {
            *sizes.entry(*group).or_default() += 1;
        }
        let smallest = sizes.iter().min_by_key(|(group, size)| (**size, **group));
        let Some((&smallest, _)) = smallest.filter(|_| sizes.len() > 1) else {
            continue;
        };
        for (group, image_part) in groups.iter().zip(parts.iter_mut()) {
            if *group == smallest {
                *image_part = part;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(labels: &[&[usize]]) -> AnnotatedSet {
        let mut set = AnnotatedSet::default();
        for label in 0..5 {
            set.add_label(&format!("label {label}"));
        }
        for (index, labels) in labels.iter().enumerate() {
            let mut image = AnnotatedImage {
                name: format!("{index}.png"),
                ..AnnotatedImage::default()
            };
            for label in *labels {
                image.add_image_label(&format!("label {label}"));
            }
            set.images.push(image);
        }
        set
    }

    fn alone(set: &AnnotatedSet) -> Vec<usize> {
        (0..set.images.len()).collect()
    }

    fn counts(parts: &[usize], of: impl Fn(usize) -> bool) -> [usize; 3] {
        [0, 1, 2].map(|part| {
            let images = parts.iter().enumerate();
            images
                .filter(|(index, p)| **p == part && of(*index))
                .count()
        })
    }

    #[test]
    fn every_label_is_shared_out_as_the_images_are() {
        // 100 images of a frequent label, 20 of a rarer one, 10 of nothing.
        let labels: Vec<&[usize]> = (0..130)
            .map(|i| {
                if i < 100 {
                    &[0][..]
                } else if i < 120 {
                    &[1][..]
                } else {
                    &[][..]
                }
            })
            .collect();
        let set = set(&labels);
        let parts = share_out(&set, &alone(&set), [0.8, 0.1, 0.1], 0);
        assert_eq!(counts(&parts, |i| i < 100), [80, 10, 10]);
        assert_eq!(counts(&parts, |i| (100..120).contains(&i)), [16, 2, 2]);
        assert_eq!(counts(&parts, |i| i >= 120), [8, 1, 1]);
    }

    #[test]
    fn the_same_images_give_the_same_parts_in_any_order() {
        let labels: Vec<Vec<usize>> = (0..60).map(|i| vec![i % 3, i % 5]).collect();
        let labels: Vec<&[usize]> = labels.iter().map(Vec::as_slice).collect();
        let mut set = set(&labels);
        let by_name = |set: &AnnotatedSet| -> BTreeMap<String, usize> {
            let parts = share_out(set, &alone(set), [0.8, 0.1, 0.1], 7);
            let names = set.images.iter().map(|image| image.name.clone());
            names.zip(parts).collect()
        };
        let first = by_name(&set);
        set.images.reverse();
        assert_eq!(by_name(&set), first);
        let other = share_out(&set, &alone(&set), [0.8, 0.1, 0.1], 8);
        set.images.reverse();
        assert_ne!(other, share_out(&set, &alone(&set), [0.8, 0.1, 0.1], 7));
    }

    #[test]
    fn a_part_is_only_empty_if_there_are_too_few_groups() {
        let three = set(&[&[0], &[0], &[1]]);
        let parts = share_out(&three, &[0, 1, 2], [0.8, 0.1, 0.1], 0);
        assert_eq!(counts(&parts, |_| true), [1, 1, 1]);
        let parts = share_out(&three, &[0, 0, 0], [0.8, 0.1, 0.1], 0);
        assert_eq!(counts(&parts, |_| true), [3, 0, 0]);
        let none = set(&[]);
        assert!(share_out(&none, &[], [0.8, 0.1, 0.1], 0).is_empty());
    }

    proptest! {
        #[test]
        fn groups_stay_together_and_shares_are_kept(
            labels in prop::collection::vec(prop::collection::vec(0_usize..5, 0..3), 20..120),
            alike in 1_usize..4,
            seed in 0_u64..4,
        ) {
            let labels: Vec<&[usize]> = labels.iter().map(Vec::as_slice).collect();
            let set = set(&labels);
            let groups: Vec<usize> = (0..set.images.len()).map(|i| i / alike).collect();
            let parts = share_out(&set, &groups, [0.7, 0.2, 0.1], seed);
            for (index, part) in parts.iter().enumerate() {
                prop_assert_eq!(*part, parts[index / alike * alike]);
            }
            let found = counts(&parts, |_| true);
            for (found, share) in found.iter().zip([0.7, 0.2, 0.1]) {
                let wanted = share * parts.len() as f64;
                let slack = 5.0 + alike as f64 + 0.15 * parts.len() as f64;
                prop_assert!((*found as f64 - wanted).abs() <= slack, "{:?}", found);
            }
        }
    }
}
