"""The triggers that come with the package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import _native
from ..data_models import Prediction
from ..deployment.inference_hook_interfaces import PostInferenceTrigger

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from ..detect_ood import COODModel
    from ..ood import OodModel


class _BuiltinTrigger(PostInferenceTrigger):
    """A trigger of the crates. A subclass that overrides a method is called as one of Python's."""

    def __init__(self, threshold: float, native: _native.Trigger) -> None:
        super().__init__(threshold)
        self._builtin = native

    def __call__(self, image: np.ndarray, prediction: Prediction) -> float:
        """How much reason to act the image gives; higher is more."""
        return self._builtin.score(image, prediction)

    def get_decision(self, score: float) -> bool:
        """Whether a score leads to action."""
        return self._builtin.decide(score)

    @property
    def _native(self) -> _native.Trigger:
        own = type(self)
        is_changed = (
            own.__call__ is not _BuiltinTrigger.__call__
            or own.get_decision is not _BuiltinTrigger.get_decision
        )
        return _native.Trigger.of_python(self) if is_changed else self._builtin


def _built(name: str, settings: dict[str, Any]) -> _native.Trigger:
    return _native.Trigger.of_config(json.dumps({name: settings}))


class AlwaysTrigger(_BuiltinTrigger):
    """Fires for every image, with the score 1."""

    def __init__(self) -> None:
        super().__init__(0.0, _built("AlwaysTrigger", {}))


class ConfidenceTrigger(_BuiltinTrigger):
    """Fires when the model was unsure: when a probability lies below a threshold.

    The score is 1 minus the lowest probability, so that a higher score is more reason to act
    (the SDK's score is the probability itself).

    :param threshold: probability, 0 to 1, below which it fires
    :param label_names: labels whose probabilities count; all when None
    """

    def __init__(self, threshold: float = 0.5, label_names: list[str] | None = None) -> None:
        self.label_names = label_names
        settings = {"threshold": threshold, "label_names": label_names}
        super().__init__(threshold, _built("ConfidenceTrigger", settings))

    def _arguments(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "label_names": self.label_names}


class EmptyLabelTrigger(_BuiltinTrigger):
    """Fires when nothing was found."""

    def __init__(self) -> None:
        super().__init__(0.5, _built("EmptyLabelTrigger", {}))


class SampleTrigger(_BuiltinTrigger):
    """Fires for a random share of all images, whatever the model says.

    A reviewed sample tells what the other triggers miss. Source, name, time and seed decide, so
    that a replay draws the same images.

    :param rate: share of all images, 0 to 1
    :param seed: another seed draws other images
    """

    def __init__(self, rate: float, seed: int = 0) -> None:
        self.rate, self.seed = rate, seed
        super().__init__(1.0, _built("SampleTrigger", self._arguments()))

    def _arguments(self) -> dict[str, Any]:
        return {"rate": self.rate, "seed": self.seed}


class LabelTrigger(_BuiltinTrigger):
    """Fires when the prediction has certain labels.

    :param label_names: labels to look for
    :param mode: ``OR`` if any of them is enough, ``AND`` if all are needed
    """

    def __init__(self, label_names: list[str], mode: str = "OR") -> None:
        self.label_names, self.mode = list(label_names), mode.upper()
        settings = {"label_names": self.label_names, "mode": self.mode}
        super().__init__(0.0, _built("LabelTrigger", settings))

    def _arguments(self) -> dict[str, Any]:
        return {"label_names": self.label_names, "mode": self.mode}


class ObjectCountTrigger(_BuiltinTrigger):
    """Fires on the number of objects in the prediction; the score is that number.

    An object counts once, however many of its labels are asked for.

    :param threshold: number of objects to compare with
    :param label_names: labels whose objects count; all when None
    :param mode: ``greater``, ``lower`` or ``equal``
    """

    def __init__(
        self,
        threshold: int = 1,
        label_names: list[str] | None = None,
        mode: str = "greater",
    ) -> None:
        self.label_names, self.mode = label_names, mode.lower()
        settings = {"threshold": threshold, "label_names": label_names, "mode": self.mode}
        super().__init__(threshold, _built("ObjectCountTrigger", settings))

    def _arguments(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "label_names": self.label_names, "mode": self.mode}


class OODTrigger(_BuiltinTrigger):
    """Fires for images whose OOD score reaches a threshold.

    :param ood_model: a fitted :class:`straylight.detect_ood.COODModel` or
        :class:`straylight.ood.OodModel`
    :param threshold: score, 0 to 1; the model's own, calibrated one when None (the SDK: 0.5)
    """

    needs_activations = True

    def __init__(self, ood_model: COODModel | OodModel, threshold: float | None = None) -> None:
        self.ood_model = ood_model
        settings = {} if threshold is None else {"threshold": threshold}
        config = json.dumps({"OODTrigger": settings})
        native = _native.Trigger.of_config(config, ood_model._native)
        self._is_own = threshold is not None
        super().__init__(ood_model.threshold if threshold is None else threshold, native)

    def to_dict(self) -> dict[str, Any]:
        """The name of the class with its threshold; the model is saved by itself."""
        return {type(self).__name__: {"threshold": self.threshold} if self._is_own else {}}

    @classmethod
    def _of_arguments(cls, arguments: dict[str, Any], ood_model: OodModel | None) -> Self:
        if ood_model is None:
            raise ValueError("an OODTrigger needs the OOD model that was saved with it")
        return cls(ood_model, arguments.get("threshold"))

    def _arguments(self) -> dict[str, Any]:
        return {"ood_model": self.ood_model, "threshold": self.threshold}


class AndTrigger(_BuiltinTrigger):
    """Fires when all of its triggers fire; the score is 1 or 0."""

    def __init__(self, triggers: Sequence[PostInferenceTrigger]) -> None:
        self.triggers = list(triggers)
        parts = [trigger._native for trigger in self.triggers]
        super().__init__(0.5, _native.Trigger.of_triggers("and", parts))

    @classmethod
    def _of_arguments(cls, arguments: dict[str, Any], ood_model: OodModel | None) -> Self:
        return cls(_triggers_of(arguments["triggers"], ood_model))

    def _arguments(self) -> dict[str, Any]:
        return {"triggers": self.triggers}


class OrTrigger(_BuiltinTrigger):
    """Fires when any of its triggers fires; the score is 1 or 0."""

    def __init__(self, triggers: Sequence[PostInferenceTrigger]) -> None:
        self.triggers = list(triggers)
        parts = [trigger._native for trigger in self.triggers]
        super().__init__(0.5, _native.Trigger.of_triggers("or", parts))

    @classmethod
    def _of_arguments(cls, arguments: dict[str, Any], ood_model: OodModel | None) -> Self:
        return cls(_triggers_of(arguments["triggers"], ood_model))

    def _arguments(self) -> dict[str, Any]:
        return {"triggers": self.triggers}


class NotTrigger(_BuiltinTrigger):
    """Fires when its trigger does not; the score is 1 or 0."""

    def __init__(self, trigger: PostInferenceTrigger) -> None:
        self.trigger = trigger
        super().__init__(0.5, _native.Trigger.of_triggers("not", [trigger._native]))

    @classmethod
    def _of_arguments(cls, arguments: dict[str, Any], ood_model: OodModel | None) -> Self:
        return cls(*_triggers_of([arguments["trigger"]], ood_model))

    def _arguments(self) -> dict[str, Any]:
        return {"trigger": self.trigger}


def _triggers_of(
    parts: list[dict[str, Any]], ood_model: OodModel | None
) -> list[PostInferenceTrigger]:
    return [PostInferenceTrigger.from_dict(part, ood_model=ood_model) for part in parts]
