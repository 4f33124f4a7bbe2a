"""The Geti reference (COOD) as written, on arrays; a higher score is more OOD.

Sub-models are fitted on all in-distribution images; the forest of 100 trees is fitted on the scores
of those same images against those of black-hole outliers. Neighbour 0 is dropped for every image,
as the reference does. With `reconstruction` the FRE scores are among its inputs.
"""

import numpy as np
from scipy.special import softmax
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier

import detectors

K = 10
KEPT_VARIANCE = 0.995


class Reference:
    """The reference's combination; `holes` are features and logits of its synthetic outliers."""

    def __init__(self, data: detectors.FitData, holes, reconstruction: bool, seed: int = 0):
        self.bank = detectors.unit(data.features)
        self.labels = data.labels
        self.classes = np.unique(data.labels)
        self.whole, self.of_class = None, []
        if reconstruction:
            self.whole = self._pca(self.bank)
            self.of_class = [self._pca(self.bank[data.labels == c]) for c in self.classes]
        inside = self._inputs(data.features, data.logits)
        outside = self._inputs(*holes)
        target = np.repeat([0, 1], [len(inside), len(outside)])
        self.forest = RandomForestClassifier(random_state=seed)
        self.forest.fit(np.concatenate([inside, outside]), target)

    @staticmethod
    def _pca(rows):
        return PCA(KEPT_VARIANCE).fit(rows)

    def _inputs(self, features, logits):
        z = detectors.unit(features)
        squared, index = detectors.neighbours(self.bank, z, K)
        mixed = 1 + detectors.label_entropy(self.labels[index], self.classes, K)
        mean = squared[:, 1:].mean(axis=1)
        columns = [squared[:, -1], squared[:, 1], mean, mixed, mean * mixed, squared[:, 1] * mixed]
        columns.append(softmax(logits, axis=1).max(axis=1))
        if self.whole is not None:
            columns += self._reconstruction(z, logits)
        return np.stack(columns, axis=1)

    def _reconstruction(self, z, logits):
        def error(pca):
            return ((z - pca.inverse_transform(pca.transform(z))) ** 2).sum(axis=1)

        per_class = np.stack([error(pca) for pca in self.of_class], axis=1)
        predicted = logits[:, self.classes].argmax(axis=1)
        own, least = per_class[np.arange(len(z)), predicted], per_class.min(axis=1)
        return [least, own, own - least + 1e-8, error(self.whole)]

    def score(self, features, logits):
        """Return the forest's probability of being OOD [n]."""
        return self.forest.predict_proba(self._inputs(features, logits))[:, 1]
