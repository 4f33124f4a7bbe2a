"""An OOD model with the conventions of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ..exceptions import FitFailedError
from .model import fit

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class OODDetector(OutlierMixin, BaseEstimator):
    """Tells outliers from inliers by their features, as scikit-learn's outlier detectors do.

    :meth:`ood_score` is higher for what is more out of distribution, as everywhere in this
    package. scikit-learn's own methods have its signs: :meth:`score_samples` is the negated OOD
    score, :meth:`decision_function` is negative for outliers, and :meth:`predict` gives -1 for
    outliers and 1 for inliers.

    :param kind: ``default``; the kinds that learn from outliers are for :func:`straylight.ood.fit`
    :param max_false_collection_rate: the threshold's promise: at most this part of inliers is
        called outliers
    :param confidence: the chance that the promise holds
    :param neighbours: neighbours that count
    :param random_state: where random choices begin
    """

    def __init__(
        self,
        kind: str = "default",
        max_false_collection_rate: float = 0.01,
        confidence: float = 0.95,
        neighbours: int = 10,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.max_false_collection_rate = max_false_collection_rate
        self.confidence = confidence
        self.neighbours = neighbours
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> OODDetector:
        """Fits the model.

        :param X: features of inliers, shape (n, D)
        :param y: ignored, as outlier detectors do
        """
        # Directions are compared, and one dimension has none.
        X = validate_data(self, X, dtype="float32", ensure_min_samples=2, ensure_min_features=2)
        try:
            self.model_ = fit(
                X,
                kind=self.kind,
                max_false_collection_rate=self.max_false_collection_rate,
                confidence=self.confidence,
                neighbours=self.neighbours,
                seed=int(self.random_state or 0),
                progress=False,
            )
        except FitFailedError as error:
            raise ValueError(str(error)) from error
        self.offset_ = -self.model_.threshold
        return self

    def ood_score(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores of shape (n,), 0 to 1; higher is more out of distribution."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype="float32", reset=False)
        return self.model_.score(X)

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """The negated OOD scores, shape (n,), -1 to 0; lower is more out of distribution."""
        return -self.ood_score(X)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Distance from the threshold, shape (n,); negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """1 for inliers and -1 for outliers, shape (n,)."""
        inside = self.decision_function(X) >= 0
        return np.where(inside, 1, -1)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __getstate__(self) -> dict[str, Any]:
        """The model is pickled as the bytes of its files."""
        import os
        import tempfile

        state = {key: value for key, value in self.__dict__.items() if key != "model_"}
        if hasattr(self, "model_"):
            with tempfile.TemporaryDirectory() as folder:
                self.model_.save(folder)
                state["_files"] = {
                    name: open(os.path.join(folder, name), "rb").read()
                    for name in os.listdir(folder)
                }
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        import os
        import tempfile

        from .model import OodModel

        files = state.pop("_files", None)
        self.__dict__.update(state)
        if files is not None:
            with tempfile.TemporaryDirectory() as folder:
                for name, data in files.items():
                    with open(os.path.join(folder, name), "wb") as file:
                        file.write(data)
                self.model_ = OodModel.load(folder)
