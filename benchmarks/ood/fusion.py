"""Fusion of detectors on cross-fitted scores; needs no outliers."""

import warnings

import numpy as np

import detectors

FOLDS = 5
UPPER = 0.9
CLIP = 5.0


def fold_of(labels: np.ndarray, folds: int, seed: int = 0) -> np.ndarray:
    """Assign every image to a fold so that each class is spread evenly."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(labels), int)
    start = 0
    for c in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == c))
        fold[members] = (np.arange(len(members)) + start) % folds
        start += len(members)
    return fold


def held_out_scores(data: detectors.FitData, parts, folds: int = FOLDS) -> np.ndarray:
    """Score every image by detectors fitted on the other folds; returns [n, parts]."""
    fold = fold_of(data.labels, folds)
    scores = np.empty((len(fold), len(parts)))
    for f in range(folds):
        rest, held = data.rows(fold != f), data.rows(fold == f)
        for j, name in enumerate(parts):
            scores[fold == f, j] = detectors.SINGLE[name](rest)(held.features, held.logits)
    return scores


class Scale:
    """Maps scores to deviations from the held-out in-distribution scores [n, parts]."""

    def __init__(self, held_out: np.ndarray, kind: str):
        self.centre = np.median(held_out, axis=0)
        if kind == "mad":
            self.unit = 1.4826 * np.median(np.abs(held_out - self.centre), axis=0)
        elif kind == "std":
            self.unit = held_out.std(axis=0)
        else:
            self.unit = np.quantile(held_out, UPPER, axis=0) - self.centre
        if (self.unit <= 0).any():
            warnings.warn("a part has no spread on held-out images", stacklevel=2)
        self.unit = np.maximum(self.unit, detectors.TINY)

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        return (scores - self.centre) / self.unit


def alarmed(parts: int) -> int:
    """Return how many parts count as the most alarmed ones: three of seven, rounded up."""
    return -(-3 * parts // 7)


def fuse(
    held_out: np.ndarray, scores: np.ndarray, kind: str = "upper", clip: float | None = None, tilt=False
):
    """Return the mean deviation [m] of `scores` [m, parts]; `clip` bounds each deviation.

    With `tilt` the mean over the most alarmed parts is added: one part that finds an image strange is
    not outvoted by parts that are blind to this kind of strangeness.
    """
    z = Scale(held_out, kind)(scores)
    if clip is not None:
        z = np.clip(z, -clip, clip)
    if not tilt:
        return z.mean(axis=1)
    return z.mean(axis=1) + np.sort(z, axis=1)[:, -alarmed(z.shape[1]) :].mean(axis=1)
