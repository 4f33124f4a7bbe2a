"""Single detectors in float64, the prototypes of the Rust crate; a higher score is more OOD.

A detector is a function `fit(data) -> score`, with `score(features, logits) -> [n]`.
`data` is a `FitData`; a detector that cannot be fitted returns `None`.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp, softmax

from gaussians import TINY, gaussian, mahalanobis

K = 10


@dataclass(frozen=True)
class FitData:
    """In-distribution activations: features [n, D], logits [n, C], labels [n], head W [C, D], b [C]."""

    features: np.ndarray
    logits: np.ndarray
    labels: np.ndarray
    head_w: np.ndarray
    head_b: np.ndarray

    def rows(self, index) -> "FitData":
        """Return the chosen images."""
        return replace(
            self, features=self.features[index], logits=self.logits[index], labels=self.labels[index]
        )


def unit(features: np.ndarray) -> np.ndarray:
    """Scale every row to length one."""
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), TINY)


# Probabilities and logits.


def msp(_):
    """1 - the largest probability, as a log so that float64 does not saturate."""

    def score(_, logits):
        top = logits.max(axis=1, keepdims=True)
        others = np.where(np.arange(logits.shape[1]) == logits.argmax(axis=1)[:, None], -np.inf, logits)
        odds = logsumexp(others - top, axis=1)
        return odds - np.logaddexp(0, odds)

    return score


def entropy(_):
    """Entropy of the probabilities."""

    def score(_, logits):
        log_p = logits - logsumexp(logits, axis=1, keepdims=True)
        return -(np.exp(log_p) * log_p).sum(axis=1)

    return score


def gen(_, gamma=0.1, largest=100):
    """Generalised entropy, sum over the largest probabilities of (p (1 - p))^gamma."""

    def score(_, logits):
        p = np.sort(softmax(logits, axis=1), axis=1)[:, ::-1][:, :largest]
        return ((p * (1 - p)) ** gamma).sum(axis=1)

    return score


def energy(_):
    """Negative log-sum-exp of the logits."""
    return lambda _, logits: -logsumexp(logits, axis=1)


def max_logit(_):
    """Negative largest logit."""
    return lambda _, logits: -logits.max(axis=1)


def klm(data):
    """Smallest divergence to a class mean of the probabilities (by predicted class)."""
    p = softmax(data.logits, axis=1)
    predicted = p.argmax(axis=1)
    means = np.stack([p[predicted == c].mean(axis=0) for c in np.unique(predicted)])
    log_means = np.log(np.maximum(means, 1e-30))

    def score(_, logits):
        q = softmax(logits, axis=1)
        own = (q * np.log(np.maximum(q, 1e-30))).sum(axis=1)
        return (own[:, None] - q @ log_means.T).min(axis=1)

    return score


# Neighbours.


def neighbours(bank, queries, k):
    """Return squared distances [n, k], ascending, and indices [n, k]."""
    k = min(k, len(bank))
    d, index = np.empty((len(queries), k)), np.empty((len(queries), k), int)
    norms = (bank**2).sum(axis=1)
    for start in range(0, len(queries), 1024):
        q = queries[start : start + 1024]
        squared = np.maximum(norms - 2 * q @ bank.T + (q**2).sum(axis=1)[:, None], 0)
        part = np.argpartition(squared, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(squared, part, axis=1)
        order = np.argsort(values, axis=1)
        index[start : start + 1024] = np.take_along_axis(part, order, axis=1)
        d[start : start + 1024] = np.take_along_axis(values, order, axis=1)
    return d, index


def knn(data, kind="kth", k=K):
    """Euclidean distance of unit features to the k-th, the first, or (mean) all k neighbours."""
    bank = unit(data.features)
    pick = {"kth": lambda d: d[:, -1], "first": lambda d: d[:, 0], "mean": lambda d: d.mean(axis=1)}[kind]
    return lambda features, _: pick(np.sqrt(neighbours(bank, unit(features), k)[0]))


def label_entropy(labels, classes, k):
    """Entropy in base k of the labels of the neighbours [n, k]."""
    counts = np.stack([(labels == c).sum(axis=1) for c in classes], axis=1) / labels.shape[1]
    return -(counts * np.log(np.maximum(counts, TINY))).sum(axis=1) / np.log(max(k, 2))


def neighbour_entropy(data, k=K):
    """Entropy of the labels of the k nearest neighbours."""
    bank, classes = unit(data.features), np.unique(data.labels)

    def score(features, _):
        _, index = neighbours(bank, unit(features), k)
        return label_entropy(data.labels[index], classes, k)

    return score


def enwedi(data, k=K):
    """Mean squared distance times (1 + neighbour entropy)."""
    bank, classes = unit(data.features), np.unique(data.labels)

    def score(features, _):
        d, index = neighbours(bank, unit(features), k)
        return d.mean(axis=1) * (1 + label_entropy(data.labels[index], classes, k))

    return score


# Reconstruction.


def principal(centred, share):
    """Principal axes [r, D] that keep `share` of the variance."""
    _, s, vt = np.linalg.svd(centred, full_matrices=False)
    kept = np.cumsum(s**2) / max((s**2).sum(), TINY)
    return vt[: int(np.searchsorted(kept, share) + 1)]


def _residual_to(mean, axes, features):
    centred = features - mean
    return np.maximum((centred**2).sum(axis=1) - ((centred @ axes.T) ** 2).sum(axis=1), 0)


def fre_global(data, share=0.995, prepare=lambda z: z):
    """Squared residual to the principal subspace of all images."""
    z = prepare(data.features)
    mean = z.mean(axis=0)
    axes = principal(z - mean, share)
    return lambda features, _: _residual_to(mean, axes, prepare(features))


def fre_class(data, kind="min", share=0.995, prepare=lambda z: z, most=None):
    """Squared residual to the subspace of a class: the smallest, the predicted one, or the difference.

    `most` bounds the number of axes of a class, which costs no quality and makes it fast.
    """
    z, classes = prepare(data.features), np.unique(data.labels)
    models = []
    for c in classes:
        rows = z[data.labels == c]
        models.append((rows.mean(axis=0), principal(rows - rows.mean(axis=0), share)[:most]))

    def score(features, logits):
        residuals = np.stack([_residual_to(m, a, prepare(features)) for m, a in models], axis=1)
        if kind == "min":
            return residuals.min(axis=1)
        predicted = logits[:, classes].argmax(axis=1)
        own = residuals[np.arange(len(residuals)), predicted]
        return own if kind == "predicted" else own - residuals.min(axis=1)

    return score


def vim_dimension(dimensions, rows):
    """Size of the principal subspace by the paper's rule, at most half of what the images span."""
    if dimensions > 1500:
        paper = 1000
    elif dimensions > 768:
        paper = 512
    else:
        paper = dimensions // 2
    return max(1, min(paper, min(rows, dimensions) // 2))


def vim(data, residual_only=False):
    """Virtual-logit matching: alpha x residual - logsumexp of the logits."""
    origin = -np.linalg.pinv(data.head_w) @ data.head_b
    shifted = data.features - origin
    size = vim_dimension(shifted.shape[1], len(shifted))
    axes = np.linalg.svd(shifted, full_matrices=False)[2][:size]

    def residual(features):
        z = features - origin
        return np.sqrt(np.maximum((z**2).sum(axis=1) - ((z @ axes.T) ** 2).sum(axis=1), 0))

    alpha = data.logits.max(axis=1).mean() / max(residual(data.features).mean(), TINY)
    if residual_only:
        return lambda features, _: residual(features)
    return lambda features, logits: alpha * residual(features) - logsumexp(logits, axis=1)


def neco(data, share=0.9):
    """Negative share of the length kept by the principal subspace of standardised features, x max logit."""
    mean, std = data.features.mean(axis=0), np.maximum(data.features.std(axis=0), 1e-6)
    axes = principal((data.features - mean) / std, share)

    def score(features, logits):
        z = (features - mean) / std
        kept = np.linalg.norm(z @ axes.T, axis=1) / np.maximum(np.linalg.norm(z, axis=1), TINY)
        return -kept * logits.max(axis=1)

    return score


# Features and logits.


def fdbd(data):
    """Negative mean distance to the decision boundaries, over the distance to the centre."""
    centre = data.features.mean(axis=0)
    w = data.head_w
    gaps = np.linalg.norm(w[:, None] - w[None], axis=2)

    def score(features, logits):
        top = logits.argmax(axis=1)
        rows = np.arange(len(logits))
        gap = np.where(np.arange(len(w)) == top[:, None], np.inf, np.maximum(gaps[top], TINY))
        distance = np.abs(logits[rows, top][:, None] - logits) / gap
        mean = distance.sum(axis=1) / (len(w) - 1)
        return -mean / np.maximum(np.linalg.norm(features - centre, axis=1), TINY)

    return score


def she(data):
    """Negative inner product with the class mean of the predicted class (correct images only)."""
    predicted = data.logits.argmax(axis=1)
    right = predicted == data.labels
    patterns = np.zeros_like(data.head_w)
    for c in range(len(patterns)):
        rows = data.features[right & (predicted == c)]
        patterns[c] = rows.mean(axis=0) if len(rows) else data.features.mean(axis=0)
    return lambda features, logits: -(features * patterns[logits.argmax(axis=1)]).sum(axis=1)


def nnguide(data, k=K):
    """Negative energy x mean of the k largest guided cosine similarities."""
    bank = unit(data.features) * logsumexp(data.logits, axis=1)[:, None]

    def score(features, logits):
        similarity = unit(features) @ bank.T
        top = np.partition(similarity, -min(k, len(bank)), axis=1)[:, -min(k, len(bank)) :]
        return -top.mean(axis=1) * logsumexp(logits, axis=1)

    return score


SINGLE = {
    "msp": msp, "entropy": entropy, "gen": gen, "klm": klm, "energy": energy, "maxlogit": max_logit,
    "knn": knn,
    "knn_first": lambda d: knn(d, "first"),
    "knn_mean": lambda d: knn(d, "mean"),
    "neighbour_entropy": neighbour_entropy, "enwedi": enwedi,
    "mds": mahalanobis,
    "rmds": lambda d: mahalanobis(d, relative=True),
    "mds_unit": lambda d: mahalanobis(d, prepare=unit),
    "gaussian": gaussian,
    "gaussian_unit": lambda d: gaussian(d, unit),
    "fre_global": fre_global,
    "fre_class": fre_class,
    "fre_class_unit": lambda d: fre_class(d, prepare=unit),
    "fre_class_unit_32": lambda d: fre_class(d, prepare=unit, most=32),
    "fre_predicted": lambda d: fre_class(d, "predicted"),
    "fre_difference": lambda d: fre_class(d, "difference"),
    "vim": vim,
    "residual": lambda d: vim(d, residual_only=True),
    "neco": neco, "fdbd": fdbd, "she": she, "nnguide": nnguide,
}  # fmt: skip
