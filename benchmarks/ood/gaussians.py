"""Detectors made of shrunk covariances, in float64; see `detectors` for their shape."""

import numpy as np

TINY = 1e-12


def ledoit_wolf_intensity(centred, squared_singular):
    """Shrinkage intensity in 0..=1 and the mean variance, by Ledoit and Wolf (2004); rows are centred."""
    n, d = centred.shape
    values = squared_singular / n
    mu = values.sum() / d
    delta = ((values**2).sum() - d * mu**2) / d
    beta = (((centred**2).sum(axis=1) ** 2).sum() / n - (values**2).sum()) / (n * d)
    return float(np.clip(beta / max(delta, TINY), 0, 1)), mu


class Metric:
    """Squared distances under the inverse of the shrunk covariance (1 - s) S + s mu I.

    The axes are those that the rows span; every other direction has the variance `rest` = s mu.
    """

    def __init__(self, centred, most=None):
        n, d = centred.shape
        _, singular, axes = np.linalg.svd(centred, full_matrices=False)
        s, mu = ledoit_wolf_intensity(centred, singular**2)
        spanned = (1 - s) * singular**2 / n + s * mu
        floor = spanned[0] * 1e-10 + TINY
        self.axes = axes[:most]
        kept = len(self.axes)
        # The axes left out share one variance: their mean, with the directions outside the span.
        left = (1 - s) * (singular[kept:] ** 2).sum() / n / max(d - kept, 1) + s * mu
        self.rest = max(left, floor)
        self.scale = 1 / np.sqrt(np.maximum(spanned[:kept], floor))
        self.shrinkage = s

    def squared(self, features, points):
        """Return the squared distances [n, p] of features [n, D] to points [p, D]."""
        a, b = features @ self.axes.T, points @ self.axes.T
        outside = _pairwise(features, points) - _pairwise(a, b)
        return _pairwise(a * self.scale, b * self.scale) + np.maximum(outside, 0) / self.rest


def _pairwise(a, b):
    return (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)


def class_means(features, labels):
    """Return the class means [C, D] and the features less their class mean."""
    classes, inverse = np.unique(labels, return_inverse=True)
    means = np.stack([features[inverse == c].mean(axis=0) for c in range(len(classes))])
    return means, features - means[inverse]


def mahalanobis(data, relative=False, prepare=lambda z: z):
    """Smallest squared Mahalanobis distance to a class; relative: less that to the whole set.

    The covariance of the whole set is the shrunk within-class one plus that of the class means, so both
    distances agree outside the space of the means, and the difference holds with few images.
    """
    features = prepare(data.features)
    means, centred = class_means(features, data.labels)
    within = Metric(centred)
    counts = np.unique(data.labels, return_counts=True)[1] / len(features)
    centre = counts @ means
    # Sherman-Morrison-Woodbury: the second distance is the first to the centre less `gain`.
    spread = (means - centre) * np.sqrt(counts)[:, None]

    def inner(a, b):
        zero = np.zeros((1, a.shape[1]))
        return (within.squared(a, zero) + within.squared(b, zero).T - within.squared(a, b)) / 2

    small = np.linalg.inv(np.eye(len(means)) + inner(spread, spread))

    def score(features, _):
        z = prepare(features)
        nearest = within.squared(z, means).min(axis=1)
        if not relative:
            return nearest
        cross = inner(z - centre, spread)
        whole = within.squared(z, centre[None])[:, 0] - ((cross @ small) * cross).sum(axis=1)
        return nearest - whole

    return score


PRIOR_IMAGES = 30
"""Weight of the pooled covariance in the covariance of a class, as a number of images."""
POOLED_AXES = 256
CLASS_AXES = 32


def gaussian(data, prepare=lambda z: z):
    """Smallest -2 log density, up to a constant, under one Gaussian per class of low rank.

    In the space whitened by the pooled shrunk covariance, the covariance of a class of n images is
    (n S + 30 I) / (n + 30): its own on `CLASS_AXES` axes, isotropic on the others.
    """
    features = prepare(data.features)
    classes = np.unique(data.labels)
    means, centred = class_means(features, data.labels)
    pooled = Metric(centred, POOLED_AXES)
    white = (centred @ pooled.axes.T) * pooled.scale
    models = [_class_gaussian(white[data.labels == c]) for c in classes]

    def score(features, _):
        z = prepare(features)
        found = np.empty((len(z), len(models)))
        for c, (axes, variances, rest, log_det) in enumerate(models):
            x = z - means[c]
            inside = x @ pooled.axes.T
            outside = np.maximum((x**2).sum(axis=1) - (inside**2).sum(axis=1), 0) / pooled.rest
            w = inside * pooled.scale
            u = w @ axes.T
            own = ((w**2).sum(axis=1) - (u**2).sum(axis=1)) / rest + (u**2 / variances).sum(axis=1)
            found[:, c] = own + outside + log_det
        return found.min(axis=1)

    return score


def _class_gaussian(white):
    """Return axes [k, r], their variances [k], the variance of the rest, and the log determinant."""
    n, r = white.shape
    _, singular, axes = np.linalg.svd(white, full_matrices=False)
    k = min(CLASS_AXES, len(singular))
    variances = (singular[:k] ** 2 + PRIOR_IMAGES) / (n + PRIOR_IMAGES)
    spread = (singular[k:] ** 2).sum() / max(r - k, 1)
    rest = (spread + PRIOR_IMAGES) / (n + PRIOR_IMAGES)
    return axes[:k], variances, rest, np.log(variances).sum() + (r - k) * np.log(rest)
