"""What triggers, actions and hooks are made of; subclass these for your own."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import _native
from ..data_models import Prediction

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from ..ood import OodModel


class PostInferenceObject:
    """What hooks are made of."""

    _given: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keeps what the constructor was given."""
        made = super().__new__(cls)
        made._given = (args, kwargs)
        return made

    def to_dict(self) -> dict[str, Any]:
        """The name of the class with the arguments of its constructor, as a saved hook has them."""
        args, kwargs = self._given
        bound = inspect.signature(self.__init__).bind(*args, **kwargs)  # type: ignore[misc]
        bound.apply_defaults()
        arguments = {name: _plain(value) for name, value in bound.arguments.items()}
        return {type(self).__name__: arguments}

    @classmethod
    def from_dict(cls, input_dict: dict[str, Any], *, ood_model: OodModel | None = None) -> Any:
        """Makes what :meth:`to_dict` has described, of this class or of one that derives from it.

        :param input_dict: the name of the class with its arguments
        :param ood_model: what an ``OODTrigger`` in it asks
        :raises ValueError: if there is no such class
        """
        ((name, arguments),) = input_dict.items()
        found = {kind.__name__: kind for kind in _kinds(cls)}
        if name not in found:
            known = ", ".join(sorted(kind for kind in found if not kind.startswith("_")))
            raise ValueError(f"`{name}` is no {cls.__name__}; these are: {known}")
        return found[name]._of_arguments(arguments, ood_model)

    @classmethod
    def _of_arguments(cls, arguments: dict[str, Any], ood_model: OodModel | None) -> Self:
        return cls(**arguments)

    def _arguments(self) -> dict[str, Any]:
        """The constructor's arguments, for `repr`."""
        return {}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"{type(self).__name__}({arguments})"


class PostInferenceTrigger(PostInferenceObject):
    """Decides for which images a hook acts.

    Subclass it and write ``__call__(self, image, prediction) -> float``; a score above the
    threshold leads to action, or write ``get_decision`` as well. It is called once for each
    image, on the thread that infers. An exception in it is counted and logged; the hook then
    does not act, and inference goes on.

    :param threshold: a score above it leads to action
    """

    #: Whether predictions must have feature vector, logits and probabilities for it.
    needs_activations: bool = False

    def __init__(self, threshold: float = 0.5):
        self.threshold = threshold

    def __call__(self, image: np.ndarray, prediction: Prediction) -> float:
        """How much reason to act the image gives; higher is more.

        :param image: uint8 RGB of shape (height, width, 3)
        :param prediction: what the deployment says about it
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it scores")

    def get_decision(self, score: float) -> bool:
        """Whether a score leads to action."""
        return score > self.threshold

    @property
    def _native(self) -> _native.Trigger:
        return _native.Trigger.of_python(self)


class PostInferenceAction(PostInferenceObject):
    """What a hook does with the images that its trigger picked.

    Subclass it and write ``__call__(self, image, prediction, score, name, timestamp)``. It is
    called on the threads of the hook, several at a time. What it raises is counted and logged;
    an OSError (network, disk) is tried again, any other exception is not.

    :param log_level: ``debug`` or ``info``
    """

    def __init__(self, log_level: str = "debug"):
        if log_level.lower() not in ("debug", "info"):
            raise ValueError(f"`{log_level}` is no log level: use 'info' or 'debug'")
        self.log_level = log_level.lower()

    def __call__(
        self,
        image: np.ndarray,
        prediction: Prediction,
        score: float | None = None,
        name: str | None = None,
        timestamp: datetime.datetime | None = None,
    ) -> None:
        """Acts on one image.

        :param image: uint8 RGB of shape (height, width, 3)
        :param prediction: what the deployment says about it
        :param score: the trigger's score; higher is more reason to act
        :param name: what the source calls the image
        :param timestamp: when it was taken, in local time
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it does")

    @property
    def _native(self) -> _native.Action:
        return _native.Action.of_python(self)


class PostInferenceHookInterface(PostInferenceObject):
    """A trigger, and the action that it leads to."""

    def __init__(self, trigger: PostInferenceTrigger, action: PostInferenceAction):
        self.trigger = trigger
        self.action = action

    @property
    def _native(self) -> _native.Hook:
        raise NotImplementedError

    def run(
        self,
        image: np.ndarray,
        prediction: Prediction,
        name: str | None = None,
        timestamp: datetime.datetime | None = None,
    ) -> None:
        """Lets the hook see one image."""
        raise NotImplementedError


def _kinds(cls: type[PostInferenceObject]) -> Iterator[type[PostInferenceObject]]:
    """A class, and all that derive from it."""
    yield cls
    for kind in cls.__subclasses__():
        yield from _kinds(kind)


def _plain(value: Any) -> Any:
    """A value with triggers and actions in it written as dictionaries."""
    if isinstance(value, PostInferenceObject):
        return value.to_dict()
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


__all__ = [
    "PostInferenceAction",
    "PostInferenceHookInterface",
    "PostInferenceObject",
    "PostInferenceTrigger",
]
