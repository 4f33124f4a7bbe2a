"""A deployed project, ready to infer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .. import _native
from ..data_models import Label, Prediction, Project
from ..exceptions import NotSupportedError

if TYPE_CHECKING:
    import numpy as np

    from ..ood import OodModel
    from .inference_hook_interfaces import PostInferenceHookInterface

    #: What `infer` takes: uint8 RGB of shape (height, width, 3), or the path of an image file.
    ImageLike = np.ndarray | str | os.PathLike[str]

Callback = Callable[["np.ndarray", Prediction, Any], None]


@dataclass(frozen=True)
class DeployedModel:
    """The model of one task of a deployment."""

    name: str
    task_title: str
    labels: list[Label]
    #: Whether it gives feature vectors and saliency maps.
    has_xai_head: bool
    #: The folder of the deployment that it is of.
    folder: str = field(default="", repr=False)


class Deployment:
    """A deployed project: its models, ready to infer. Any number of threads may share one.

    Make one with :meth:`from_folder` or :meth:`straylight.Geti.deploy_project`; made directly it
    takes the models of another, without its hooks.

    :param project: the project
    :param models: its models, one for each task: :attr:`models` of another deployment
    :param device: OpenVINO's name of the device, or one for each task
    :param hook_state: see :meth:`from_folder`
    :raises ValueError: if the models are not those of one deployment of the project
    """

    def __init__(
        self,
        project: Project,
        models: Sequence[DeployedModel],
        *,
        device: str | Sequence[str] = "CPU",
        hook_state: str | os.PathLike[str] | None = None,
    ) -> None:
        folders = {model.folder for model in models}
        if len(folders) != 1 or "" in folders:
            raise ValueError("give the models of one deployment: `models=deployment.models`")
        self._open(folders.pop(), device, hook_state, saved_hooks=False)
        if self.project.id != project.id or len(models) != len(self.models):
            raise ValueError(f"these are not the models of the project `{project.name}`")

    def _open(
        self,
        folder: str | os.PathLike[str],
        device: str | Sequence[str],
        hook_state: str | os.PathLike[str] | None,
        saved_hooks: bool = True,
        jpeg_decoding: str | None = None,
    ) -> None:
        self._hook_state = hook_state
        self._devices = _devices(device)
        self._requests, self._fast = 0, False
        self._jpeg_decoding = jpeg_decoding
        self._native = _native.Deployment.load(
            folder,
            self._devices,
            saved_hooks=saved_hooks,
            hook_state=hook_state,
            jpeg_decoding=jpeg_decoding,
        )
        self._hooks: list[PostInferenceHookInterface] | None = None
        self._callback: Callback | None = None
        self._stream: _native.Stream | None = None
        self._is_asynchronous = False
        self._temporary: Any = None

    @classmethod
    def from_folder(
        cls,
        path_to_folder: str | os.PathLike[str],
        *,
        device: str | Sequence[str] = "CPU",
        hook_state: str | os.PathLike[str] | None = None,
        jpeg_decoding: Literal["scaled", "whole"] | None = None,
    ) -> Deployment:
        """Loads a saved deployment with its OOD model and its hooks; needs no server.

        :param path_to_folder: the folder with ``project.json``, or the one above it
        :param device: OpenVINO's name of the device, or one for each task
        :param hook_state: folder in which hooks keep what waits for a server, so that it survives
            a crash and a restart; without one it waits in memory
        :param jpeg_decoding: how JPEG files are decoded that are far larger than what the network
            sees of them: ``scaled``, with about three times the pixels a side that it sees, or ``whole``;
            as for the OOD model if ``None``, else ``scaled``. Arrays are always taken whole
        :raises MissingFileError: (a FileNotFoundError) if there is no deployment
        :raises ConfigurationError: (a ValueError) if a file of it is not what it should be
        """
        deployment = cls.__new__(cls)
        deployment._open(path_to_folder, device, hook_state, jpeg_decoding=jpeg_decoding)
        return deployment

    @property
    def project(self) -> Project:
        """The project."""
        return Project.from_dict(json.loads(self._native.project))

    @property
    def models(self) -> list[DeployedModel]:
        """The model of each task, in pipeline order."""
        return [
            DeployedModel(
                name=task.title,
                task_title=task.title,
                labels=task.labels or [],
                has_xai_head=self._native.has_features if index == 0 else False,
                folder=os.fspath(self._native.folder),
            )
            for index, task in enumerate(self.project.get_trainable_tasks())
        ]

    @property
    def jpeg_decoding(self) -> str:
        """How JPEG files are decoded, ``scaled`` or ``whole``; see :meth:`from_folder`."""
        return self._native.jpeg_decoding

    @property
    def is_single_task(self) -> bool:
        """Whether the project has one task."""
        return len(self.project.get_trainable_tasks()) == 1

    @property
    def are_models_loaded(self) -> bool:
        """Always true: a deployment loads its models when it is made."""
        return True

    def load_inference_models(
        self,
        device: str | Sequence[str] = "CPU",
        max_async_infer_requests: int | Sequence[int] | None = None,
        openvino_configuration: dict[str, str] | None = None,
    ) -> None:
        """Loads the models for a device.

        They are loaded for the CPU already; calling this with other arguments loads them anew.
        Hooks and OOD model stay.

        :param device: OpenVINO's name of the device, or one for each task
        :param max_async_infer_requests: how many images may be inferred at once
        :param openvino_configuration: ``INFERENCE_PRECISION_HINT`` alone: ``f32`` (the default
            here, so that numbers are the same on every machine), or ``bf16`` or ``f16`` for
            whatever the device is fastest with
        """
        fast = _is_fast(openvino_configuration or {})
        requests = max_async_infer_requests or 0
        if not isinstance(requests, int):
            requests = max(requests)
        devices = _devices(device)
        if (devices, requests, fast) != (self._devices, self._requests, self._fast):
            self._load_again(devices, requests, fast)

    def _load_again(self, devices: list[str], requests: int, fast: bool) -> None:
        hooks, old = self.post_inference_hooks, self._native
        # The queues on disk are let go before they are opened anew.
        old.clear_hooks()
        new = _native.Deployment.load(
            old.folder,
            devices,
            requests,
            fast,
            saved_hooks=False,
            hook_state=self._hook_state,
            jpeg_decoding=self._jpeg_decoding,
        )
        if old.ood_model is not None:
            new.set_ood_model(old.ood_model)
        for hook in hooks:
            new.add_hook(hook._native)
        self._stream = None
        self._native, self._hooks = new, list(hooks)
        self._devices, self._requests, self._fast = devices, requests, fast

    def infer(
        self, image: ImageLike, name: str | None = None, *, activations: bool = False
    ) -> Prediction:
        """Infers one image; the attached hooks see it.

        :param image: uint8 or uint16 RGB of shape (height, width, 3); grey (height, width) and
            RGBA are converted; or the path of an image file
        :param name: what hooks call the image
        :param activations: whether the prediction has feature vector, logits and probabilities
            even if no hook needs them
        :return: the prediction; it owns all of its data
        """
        return self._native.infer(image, name, activations)

    def explain(self, image: ImageLike, name: str | None = None) -> Prediction:
        """Infers one image as :meth:`infer` does, with saliency maps and feature vector.

        :raises InferenceError: if the model has no XAI head
        """
        return self._native.explain(image, name)

    @property
    def asynchronous_mode(self) -> bool:
        """Whether a callback is set; synchronous inference works all the same."""
        return self._is_asynchronous

    @asynchronous_mode.setter
    def asynchronous_mode(self, mode: bool) -> None:
        if mode and self._callback is None:
            raise ValueError("set a callback first: set_asynchronous_callback")
        self._is_asynchronous = mode

    def set_asynchronous_callback(self, callback_function: Callback | None = None) -> None:
        """Sets what is called with image, prediction and runtime data of each asynchronous
        inference, on a thread of its own; without one, predictions only go to the hooks."""
        self._callback = callback_function or _ignore
        self._stream = None
        self._is_asynchronous = True

    def infer_async(self, image: ImageLike, runtime_data: Any = None) -> None:
        """Infers one image on another thread; waits while too many are on their way.

        The callback gets a frame's own image object: do not change it before then.
        """
        self._queue().submit(image, runtime_data, False)

    def explain_async(self, image: ImageLike, runtime_data: Any = None) -> None:
        """Explains one image on another thread; see :meth:`infer_async`."""
        self._queue().submit(image, runtime_data, True)

    def _queue(self) -> _native.Stream:
        if self._stream is None:
            self._stream = self._native.stream(0, self._callback or _ignore)
        return self._stream

    def infer_queue_full(self) -> bool:
        """Whether the next asynchronous inference would wait."""
        return self._stream is not None and self._stream.is_full()

    def await_all(self) -> None:
        """Waits for all asynchronous inferences; raises what the first failed one raised."""
        if self._stream is not None:
            self._stream.await_all()

    def await_any(self) -> None:
        """Waits until one more image can be handed over without waiting."""
        if self._stream is not None:
            self._stream.await_any()

    @property
    def post_inference_hooks(self) -> list[PostInferenceHookInterface]:
        """The attached hooks."""
        if self._hooks is None:
            from ..post_inference_hooks import PostInferenceHook

            model = self._native.ood_model
            configs = (json.loads(text) for text in self._native.hook_configs() if text)
            self._hooks = [PostInferenceHook._of_config(config, model) for config in configs]
        return list(self._hooks)

    def add_post_inference_hook(self, hook: PostInferenceHookInterface) -> None:
        """Attaches a hook; it sees every image inferred from now on."""
        hooks = self.post_inference_hooks
        self._native.add_hook(hook._native)
        self._hooks = [*hooks, hook]

    def clear_inference_hooks(self) -> None:
        """Removes all hooks after they delivered what they had accepted."""
        self._native.clear_hooks()
        self._hooks = []

    def await_hooks(self, timeout: float = 60.0) -> bool:
        """Waits until no hook has anything left to deliver; says whether that is so.

        :param timeout: seconds
        """
        return self._native.drain(timeout)

    @property
    def hook_statistics(self) -> list[dict[str, Any]]:
        """What each hook has done: images evaluated, fired, delivered, dropped, failed, dead."""
        return json.loads(self._native.hook_stats())

    @property
    def ood_model(self) -> OodModel | None:
        """The OOD model that is saved with the deployment."""
        from ..ood import OodModel

        native = self._native.ood_model
        return None if native is None else OodModel(native)

    @ood_model.setter
    def ood_model(self, model: OodModel) -> None:
        self._native.set_ood_model(model._native)

    def generate_ovms_config(self, output_folder: str | os.PathLike[str]) -> None:
        """Not supported: a model server would be given models without their pre-processing.

        :raises NotSupportedError: always; ``straylight serve --deployment`` answers the inference
            protocol of model servers, KServe version 2, with this deployment
        """
        raise NotSupportedError(
            "configurations of OpenVINO Model Server are not written: `straylight serve "
            "--deployment FOLDER` answers the same protocol (KServe version 2), with pre- and "
            "post-processing and hooks"
        )

    def save(self, path_to_folder: str | os.PathLike[str]) -> bool:
        """Saves the deployment with its OOD model and hooks, as a whole or not at all.

        Tokens are not written: a saved hook holds a reference to where the token is. A trigger
        or action that is written in Python cannot be saved.

        :param path_to_folder: receives the folder ``deployment``
        :return: True
        """
        self._native.save(path_to_folder)
        return True

    def __repr__(self) -> str:
        hooks = len(self.post_inference_hooks)
        return f"Deployment({self.project.name}, {self.project.project_type}, {hooks} hooks)"


def _devices(device: str | Sequence[str]) -> list[str]:
    return [device] if isinstance(device, str) else list(device)


def _is_fast(configuration: dict[str, str]) -> bool:
    """Whether the device may choose the precision."""
    unknown = set(configuration) - {"INFERENCE_PRECISION_HINT"}
    if unknown:
        raise ValueError(
            f"openvino_configuration: {', '.join(sorted(unknown))} is not supported; only "
            "INFERENCE_PRECISION_HINT is"
        )
    return configuration.get("INFERENCE_PRECISION_HINT", "f32").lower() != "f32"


def _ignore(image: Any, prediction: Prediction, runtime_data: Any) -> None:
    """The callback of those who have none."""
