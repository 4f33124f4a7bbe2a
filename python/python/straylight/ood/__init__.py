"""OOD models for those who have only arrays.

    import straylight.ood as ood

    model = ood.fit(features, logits=logits, labels=labels)   # (n, D), (n, C), (n,)
    scores = ood.score(model, new_features, logits=new_logits)
    model = ood.calibrate(model, held_out, logits=held_out_logits)

:class:`OODDetector` does the same with the conventions of scikit-learn. Arrays are numpy's, or
tensors of torch, or anything else that becomes an array. Scores lie in 0 to 1; a higher score is
always more out of distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .model import OodModel, calibrate, fit, score

if TYPE_CHECKING:
    from .estimator import OODDetector

__all__ = ["OODDetector", "OodModel", "calibrate", "fit", "score"]


def __getattr__(name: str) -> Any:
    """Loads the estimator when it is asked for: scikit-learn takes long to import."""
    if name == "OODDetector":
        from .estimator import OODDetector

        return OODDetector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
