"""Fitted OOD models, and fitting them on arrays."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from .. import _native
from .._progress import Progress, showing
from ..data_models import Prediction
from ._arrays import activations

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class OodModel:
    """A fitted OOD model. Scores lie in 0 to 1; higher is more out of distribution."""

    def __init__(self, native: _native.OodModel, report: dict[str, Any] | None = None) -> None:
        self._native = native
        #: What the fit did: images, detectors, threshold, notes; None for a loaded model.
        self.report = report

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> OodModel:
        """Reads a model that :meth:`save` wrote."""
        return OodModel(_native.OodModel.load(folder))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes the model into a folder, as a whole or not at all."""
        self._native.save(folder)

    @property
    def threshold(self) -> float:
        """Images with at least this score are called outliers."""
        return self._native.threshold

    @property
    def promise(self) -> dict[str, Any] | None:
        """What the threshold promises: the rate of false alarms, with which confidence, found
        on how many images; None without a promise."""
        return None if self._native.promise is None else json.loads(self._native.promise)

    @property
    def kind(self) -> str:
        """``default``, ``geti`` or ``supervised``."""
        return self._native.kind

    @property
    def detectors(self) -> list[str]:
        """The names of its detectors."""
        return self._native.detectors

    @property
    def dimensions(self) -> int:
        """Length of the feature vectors that it takes."""
        return self._native.dimensions

    def score(
        self,
        features: ArrayLike,
        *,
        logits: ArrayLike | None = None,
        probabilities: ArrayLike | None = None,
    ) -> NDArray[np.float64]:
        """Scores images.

        :param features: shape (n, D)
        :param logits: shape (n, C), if the model was fitted with logits
        :param probabilities: shape (n, C), if the model was fitted with probabilities alone
        :return: shape (n,), 0 to 1
        """
        return self._native.score_set(activations(features, logits, probabilities))

    def detector_scores(
        self,
        features: ArrayLike,
        *,
        logits: ArrayLike | None = None,
        probabilities: ArrayLike | None = None,
    ) -> dict[str, NDArray[np.float64]]:
        """The scores of each detector, shape (n,), each in its own unit."""
        return dict(self._native.detector_scores(activations(features, logits, probabilities)))

    def score_prediction(self, prediction: Prediction) -> float:
        """Scores one prediction that has activations: one of ``explain``, or of ``infer`` with a
        hook that needs them."""
        return self._native.score_prediction(prediction)

    def is_outlier(self, score: float) -> bool:
        """Whether a score reaches the threshold."""
        return score >= self.threshold

    def _arguments(self) -> dict[str, Any]:
        return {"kind": self.kind, "detectors": len(self.detectors)}

    def __repr__(self) -> str:
        known = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"{type(self).__name__}({known}, threshold={self.threshold:.4f})"


def fit(
    features: ArrayLike,
    *,
    logits: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    head: tuple[ArrayLike, ArrayLike] | None = None,
    outliers: dict[str, ArrayLike] | None = None,
    calibration: dict[str, ArrayLike] | None = None,
    kind: str = "default",
    max_false_collection_rate: float = 0.01,
    confidence: float = 0.95,
    relax: bool = True,
    threshold: float | None = None,
    neighbours: int = 10,
    seed: int = 0,
    progress: bool | Progress = True,
) -> OodModel:
    """Fits an OOD model on the activations of in-distribution images. Ctrl-C ends it.

    :param features: penultimate features, shape (n, D), not normalised
    :param logits: raw class scores, shape (n, C)
    :param probabilities: class probabilities, shape (n, C); the softmax of the logits without them
    :param labels: true classes, shape (n,), counted from 0
    :param head: weight (C, D) and bias (C,) of the last layer
    :param outliers: activations of images that are out of distribution, by the names above
    :param calibration: activations of held-out in-distribution images, for the threshold
    :param kind: ``default``, ``geti`` or ``supervised``; the last two need outliers
    :param max_false_collection_rate: the threshold's promise
    :param confidence: the chance that the promise holds
    :param relax: with too few images, promise the lowest rate that they allow instead of failing
    :param threshold: a threshold of your own instead of a promise
    :param neighbours: neighbours that count
    :param seed: where random choices begin; the same seed gives the same model
    :param progress: whether a bar is shown, or a function that is told
    :raises FitFailedError: (a ValueError) if there are too few images
    """
    known = activations(features, logits, probabilities, labels, head)
    with showing(progress) as shown:
        native, report = _native.fit_arrays(
            known,
            None if outliers is None else _named(outliers),
            None if calibration is None else _named(calibration),
            kind,
            max_false_collection_rate,
            confidence,
            relax,
            threshold,
            neighbours,
            seed,
            shown,
        )
    return OodModel(native, json.loads(report))


def _named(arrays: dict[str, ArrayLike]) -> dict[str, Any]:
    """Activations by the names of :func:`fit`'s arguments."""
    given: dict[str, Any] = dict(arrays)
    return activations(**given)


def score(
    model: OodModel,
    features: ArrayLike,
    *,
    logits: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Scores images; see :meth:`OodModel.score`."""
    return model.score(features, logits=logits, probabilities=probabilities)


def calibrate(
    model: OodModel,
    features: ArrayLike,
    *,
    logits: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    max_false_collection_rate: float = 0.01,
    confidence: float = 0.95,
    relax: bool = False,
) -> OodModel:
    """The same model with a threshold found on held-out in-distribution images.

    One percent with 95 % confidence needs 299 of them.

    :param max_false_collection_rate: at most this part of in-distribution images is collected
    :param confidence: the chance that this holds
    :param relax: with too few images, promise the lowest rate that they allow instead of failing
    :raises FitFailedError: (a ValueError) if there are too few images; it says how many it needs
    """
    held_out = activations(features, logits, probabilities)
    native = _native.calibrate(
        model._native, held_out, max_false_collection_rate, confidence, relax
    )
    return OodModel(native, model.report)
