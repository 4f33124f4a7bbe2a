"""A trigger, limits, and the action that they lead to."""

from __future__ import annotations

import datetime
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._native import Hook, HookSet
from ..data_models import Prediction
from ..deployment.inference_hook_interfaces import (
    PostInferenceAction,
    PostInferenceHookInterface,
    PostInferenceTrigger,
)

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from ..ood import OodModel


class PostInferenceHook(PostInferenceHookInterface):
    """A trigger, limits, and the action that they lead to.

    The trigger is asked on the thread that infers; the action runs on threads of the hook. What
    waits for it is bounded (1,000 images or 256 MiB; then the oldest gives way, and is counted).
    A failed action is tried again and finally kept as a dead letter. No hook makes inference
    fail.

    :param trigger: decides for which images the hook acts
    :param action: what it does with them
    :param max_threads: most threads that run the action; 0 runs it on the thread that infers
    :param limit_action_rate: whether ``max_frames_per_second`` counts
    :param max_frames_per_second: most images a second in the long run
    :param queue_limit: most images that wait; inference waits when there are more. 0 for the
        bounds above
    :param name: name in statistics and logs
    :param limits: further limits, as in a saved hook: ``min_seconds_per_label``,
        ``near_duplicates``, ``same_object``, ``best_of``, ``max_per_minute``, ``max_per_hour``,
        ``max_per_day``, ``max_total``
    :param queue: bounds of the queue, as in a saved hook: ``storage``, ``overflow``,
        ``max_events``, ``max_bytes``
    :param retry: ``initial_ms``, ``longest_ms``, ``max_attempts``
    """

    def __init__(
        self,
        trigger: PostInferenceTrigger,
        action: PostInferenceAction,
        max_threads: int = 5,
        limit_action_rate: bool = False,
        max_frames_per_second: float = 1,
        queue_limit: int = 0,
        *,
        name: str | None = None,
        limits: dict[str, Any] | None = None,
        queue: dict[str, Any] | None = None,
        retry: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(trigger, action)
        settings: dict[str, Any] = {"max_threads": max_threads, "limits": dict(limits or {})}
        if limit_action_rate:
            settings["limits"]["max_frames_per_second"] = max_frames_per_second
        if queue_limit > 0:
            settings["queue"] = _blocking(queue_limit)
        given = {"name": name, "queue": queue, "retry": retry}
        settings.update({key: value for key, value in given.items() if value is not None})
        self._settings = settings
        self._set_native()

    def _set_native(self) -> None:
        options = json.dumps(self._settings)
        self._hook = Hook(self.trigger._native, self.action._native, options)

    @classmethod
    def _of_config(cls, config: dict[str, Any], ood_model: Any) -> PostInferenceHook:
        """The hook of saved settings."""
        from ..ood import OodModel

        model = None if ood_model is None else OodModel(ood_model)
        hook = cls(
            PostInferenceTrigger.from_dict(config["trigger"], ood_model=model),
            PostInferenceAction.from_dict(config["action"]),
        )
        hook._settings = {
            key: value for key, value in config.items() if key not in ("trigger", "action")
        }
        hook._set_native()
        return hook

    def to_dict(self) -> dict[str, Any]:
        """The name of the class with the arguments of its constructor, as the SDK saves a hook.

        Arguments that the SDK does not know appear only if they were given.
        """
        settings = {key: value for key, value in self._settings.items() if value is not None}
        rate = self.max_frames_per_second
        limits = settings.pop("limits", {})
        others = {key: value for key, value in limits.items() if value is not None}
        others.pop("max_frames_per_second", None)
        queue = settings.get("queue", {})
        bound = queue.get("max_events", 0)
        if queue == _blocking(bound):
            settings.pop("queue")
        else:
            bound = 0
        arguments = {
            "trigger": self.trigger.to_dict(),
            "action": self.action.to_dict(),
            "limit_action_rate": rate is not None,
            "max_frames_per_second": 1 if rate is None else rate,
            "queue_limit": bound,
            **settings,
            **({"limits": others} if others else {}),
        }
        return {type(self).__name__: arguments}

    @classmethod
    def _of_arguments(cls, arguments: dict[str, Any], ood_model: OodModel | None) -> Self:
        given = dict(arguments)
        trigger = PostInferenceTrigger.from_dict(given.pop("trigger"), ood_model=ood_model)
        action = PostInferenceAction.from_dict(given.pop("action"))
        # What a saved hook may have besides the arguments of the constructor.
        names = ("breaker", "key_policy")
        more: dict[str, Any] = {name: given.pop(name) for name in names if name in given}
        hook = cls(trigger, action, **given)
        if more:
            hook._settings.update(more)
            hook._set_native()
        return hook

    @classmethod
    def from_dict(
        cls, input_dict: dict[str, Any], *, ood_model: OodModel | None = None
    ) -> PostInferenceHook:
        """The hook that :meth:`to_dict` has described.

        :param input_dict: with or, as in the SDK, without the name of the class around it
        :param ood_model: what an ``OODTrigger`` in it asks
        """
        if "trigger" in input_dict:
            input_dict = {cls.__name__: input_dict}
        return super().from_dict(input_dict, ood_model=ood_model)

    @property
    def _native(self) -> Hook:
        return self._hook

    @property
    def max_threads(self) -> int:
        """Most threads that run the action."""
        return self._settings["max_threads"]

    @property
    def max_frames_per_second(self) -> float | None:
        """Most images a second in the long run; None without a limit."""
        return self._settings.get("limits", {}).get("max_frames_per_second")

    @cached_property
    def _alone(self) -> HookSet:
        """The hook at work without a deployment."""
        return HookSet(self._hook)

    def run(
        self,
        image: np.ndarray,
        prediction: Prediction,
        name: str | None = None,
        timestamp: datetime.datetime | None = None,
    ) -> None:
        """Lets the hook see one image, without a deployment.

        :param image: uint8 RGB of shape (height, width, 3)
        :param prediction: what a deployment says about it
        :param name: what the action calls the image
        :param timestamp: accepted for the SDK's sake; the time is that of the call
        """
        self._alone.submit(image, prediction, name)

    def await_actions(self, timeout: float = 60.0) -> bool:
        """Waits for the actions that :meth:`run` led to; says whether all are done.

        :param timeout: seconds
        """
        return self._alone.drain(timeout)

    @property
    def statistics(self) -> dict[str, Any]:
        """What the hook has done since :meth:`run` was first called."""
        return json.loads(self._alone.stats())[0]

    def __repr__(self) -> str:
        rate = self.max_frames_per_second
        limit = "" if rate is None else f", at most {rate:g} frames per second"
        threads = f"{self.max_threads} threads" if self.max_threads else "no threads of its own"
        return f"PostInferenceHook({self.trigger!r} -> {self.action!r}, {threads}{limit})"


def _blocking(limit: int) -> dict[str, Any]:
    """Settings of a queue in memory that lets inference wait when it is full."""
    return {"storage": "memory", "overflow": "block", "max_events": limit}
