//! What a tree of classes leaves of the scores of its heads.
//!
//! Each exclusive head proposes its most probable class, each independent class itself if its
//! sigmoid is above the threshold. The greedy rule then takes the proposals whose ancestors
//! all are the best of their own groups; the probabilistic rule drops what lies under a class
//! that was not proposed. Both return classes sorted by name.

use std::collections::{BTreeMap, BTreeSet};

use super::Scored;
use crate::TaskError;
use crate::config::Hierarchy;
use crate::numeric::{argmax, sigmoid, softmax};

/// Proposed classes by name.
type Proposals<'a> = BTreeMap<&'a str, f32>;

/// The classes that remain, as indices of the model's labels with their probabilities.
pub(super) fn resolve(
    hierarchy: &Hierarchy,
    logits: &[f32],
    threshold: f32,
) -> Result<Vec<Scored>, TaskError> {
    let proposals = proposals(hierarchy, logits, threshold)?;
    let kept = if hierarchy.probabilistic {
        under_proposed(hierarchy, &proposals)
    } else {
        greedy(hierarchy, &proposals)
    };
    let scored = |name: &str| {
        let class = hierarchy.index.get(name).copied()?;
        Some((class, proposals.get(name).copied().unwrap_or(0.0)))
    };
    Ok(kept.into_iter().filter_map(scored).collect())
}

/// The softmax of each exclusive head and the sigmoid of each independent class.
pub(super) fn probabilities(hierarchy: &Hierarchy, logits: &[f32]) -> Result<Vec<f32>, TaskError> {
    let mut result = logits.to_vec();
    for &(begin, end) in &hierarchy.heads {
        let head = slice(logits, begin, end)?;
        if let Some(place) = result.get_mut(begin..end) {
            place.copy_from_slice(&softmax(head));
        }
    }
    let independent = hierarchy.independent_from.unwrap_or(logits.len());
    for value in result.iter_mut().skip(independent) {
        *value = sigmoid(*value);
    }
    Ok(result)
}

fn slice(logits: &[f32], begin: usize, end: usize) -> Result<&[f32], TaskError> {
    logits.get(begin..end).ok_or_else(|| {
        let reason = format!("it asks for scores {begin} to {end} of {}", logits.len());
        TaskError::config("hierarchical_config", "...", reason)
    })
}

fn proposals<'a>(
    hierarchy: &'a Hierarchy,
    logits: &[f32],
    threshold: f32,
) -> Result<Proposals<'a>, TaskError> {
    let mut proposals = Proposals::new();
    for (&(begin, end), group) in hierarchy.heads.iter().zip(&hierarchy.groups) {
        let best = argmax(softmax(slice(logits, begin, end)?));
        if let Some((name, probability)) = best.and_then(|(i, p)| Some((group.get(i)?, p))) {
            proposals.insert(name, probability);
        }
    }
    if let Some(begin) = hierarchy.independent_from {
        let independent = slice(logits, begin, logits.len())?;
        let names = hierarchy.groups.iter().skip(hierarchy.heads.len());
        for (name, &logit) in names.zip(independent) {
            let probability = sigmoid(logit);
            if let (Some(name), true) = (name.first(), probability > threshold) {
                proposals.insert(name, probability);
            }
        }
    }
    Ok(proposals)
}

/// The best of each group, and their ancestors if all of them are the best of theirs.
fn greedy<'a>(hierarchy: &'a Hierarchy, proposals: &Proposals<'a>) -> BTreeSet<&'a str> {
    let best = |group: &'a Vec<String>| {
        let scores = group
            .iter()
            .map(|name| proposals.get(name.as_str()).copied().unwrap_or(0.0));
        let (place, probability) = argmax(scores)?;
        group
            .get(place)
            .map(String::as_str)
            .filter(|_| probability > 0.0)
    };
    let candidates: BTreeSet<&str> = hierarchy.groups.iter().filter_map(best).collect();
    let is_kept = |name: &&&str| {
        hierarchy
            .ancestors(name)
            .all(|above| candidates.contains(above))
    };
    candidates.iter().filter(is_kept).copied().collect()
}

/// The proposals none of whose ancestors failed to be proposed.
fn under_proposed<'a>(hierarchy: &Hierarchy, proposals: &Proposals<'a>) -> BTreeSet<&'a str> {
    let is_live = |name: &str| {
        proposals
            .get(name)
            .is_some_and(|&probability| probability > 0.0)
    };
    proposals
        .keys()
        .copied()
        .filter(|name| is_live(name) && hierarchy.ancestors(name).all(is_live))
        .collect()
}
