"""The actions that come with the package."""

from __future__ import annotations

import datetime
import json
import os
from typing import TYPE_CHECKING, Any

from .. import _native
from ..data_models import Dataset, Prediction, Project
from ..deployment.inference_hook_interfaces import PostInferenceAction

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Self

    from ..http_session import GetiSession
    from ..ood import OodModel


def _vault() -> str:
    """Folder for tokens of saved hooks, for this user alone."""
    home = os.environ.get("XDG_DATA_HOME") or os.path.join(
        os.path.expanduser("~"), ".local", "share"
    )
    return os.path.join(home, "straylight", "secrets")


class _BuiltinAction(PostInferenceAction):
    """An action of the crates. A subclass that overrides it is called as one of Python's."""

    def __init__(self, settings: dict[str, Any], log_level: str) -> None:
        super().__init__(log_level)
        self._settings = {**settings, "log_level": self.log_level}
        self._builtin = self._build(self._settings)

    def _build(self, settings: dict[str, Any]) -> _native.Action:
        name = next(cls.__name__ for cls in type(self).__mro__ if cls.__name__ in _NAMES)
        return _native.Action.of_config(json.dumps({name: settings}), _vault())

    def __call__(
        self,
        image: np.ndarray,
        prediction: Prediction,
        score: float | None = None,
        name: str | None = None,
        timestamp: datetime.datetime | None = None,
    ) -> None:
        """Delivers one image here and now.

        :raises HookFailedError: if it could not be delivered
        """
        _native.perform(self._builtin, image, prediction, score, name)

    def to_dict(self) -> dict[str, Any]:
        """The name of the class with its settings; references stand for secrets."""
        text = self._builtin.config
        if self._is_changed or text is None:
            return super().to_dict()
        return json.loads(text)

    @classmethod
    def _of_arguments(cls, arguments: dict[str, Any], ood_model: OodModel | None) -> Self:
        if cls.__name__ not in _NAMES:
            return cls(**arguments)
        action = cls.__new__(cls)
        _BuiltinAction.__init__(action, arguments, arguments.get("log_level", "debug"))
        return action

    @property
    def _is_changed(self) -> bool:
        return type(self).__call__ is not _BuiltinAction.__call__

    @property
    def _native(self) -> _native.Action:
        return _native.Action.of_python(self) if self._is_changed else self._builtin


class FileSystemDataCollection(_BuiltinAction):
    """Writes image, prediction, score and overlay of each event into a folder.

    The files of one event have the same name in the subfolders ``images``, ``predictions``,
    ``scores`` and ``overlays``, and appear all or not at all.

    :param target_folder: receives the subfolders; made when the first event arrives
    :param file_name_prefix: put before the image's name in file names
    :param save_predictions: whether predictions are written, as JSON
    :param save_scores: whether scores are written, as text
    :param save_overlays: whether images with the prediction drawn on them are written
    :param log_level: ``debug`` or ``info``
    :param picture_format: ``png``, ``jpeg``, or ``original`` for the bytes of the source's file
    """

    def __init__(
        self,
        target_folder: str | os.PathLike[str],
        file_name_prefix: str = "",
        save_predictions: bool = True,
        save_scores: bool = True,
        save_overlays: bool = True,
        log_level: str = "debug",
        *,
        picture_format: str = "png",
    ) -> None:
        settings = {
            "target_folder": os.fspath(target_folder),
            "file_name_prefix": file_name_prefix,
            "save_predictions": save_predictions,
            "save_scores": save_scores,
            "save_overlays": save_overlays,
            "picture_format": picture_format,
        }
        super().__init__(settings, log_level)

    def _arguments(self) -> dict[str, Any]:
        return {"target_folder": self._settings["target_folder"]}


class GetiDataCollection(_BuiltinAction):
    """Uploads images to a dataset of a Geti server, or of the local server.

    The dataset is made when it is missing. An upload that fails is tried again; one whose answer
    was lost is looked for first, so that no image is stored twice. A saved hook holds a reference
    to the token, never the token.

    :param session: an open session
    :param workspace_id: identifier of the workspace
    :param project: the project, or its name
    :param dataset: the dataset, or its name; the training dataset when None
    :param log_level: ``debug`` or ``info``
    """

    def __init__(
        self,
        session: GetiSession,
        workspace_id: str,
        project: str | Project,
        dataset: str | Dataset | None = None,
        log_level: str = "debug",
    ) -> None:
        config = session.config
        server = {
            "host": config.host,
            "has_valid_certificate": config.has_valid_certificate,
            "proxies": config.proxies,
            "token": config.token_reference or config.token,
            "ca_file": config.ca_file,
        }
        settings = {
            "session": {key: value for key, value in server.items() if value is not None},
            "workspace_id": workspace_id,
            "project": project if isinstance(project, str) else project.name,
            "dataset": dataset.name if isinstance(dataset, Dataset) else dataset,
        }
        super().__init__(settings, log_level)

    def _arguments(self) -> dict[str, Any]:
        return {"project": self._settings["project"], "dataset": self._settings["dataset"]}


class HttpRequestAction(_BuiltinAction):
    """Sends a request to a URL.

    :param url: where to
    :param method: HTTP method
    :param headers: headers; a value ``env:NAME`` or ``file:PATH`` stands for a secret
    :param include_prediction_data: whether the body holds the prediction
    :param log_level: ``debug`` or ``info``
    :param timeout: seconds that a request may take in all
    """

    def __init__(
        self,
        url: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        include_prediction_data: bool = False,
        log_level: str = "info",
        *,
        timeout: float = 10.0,
    ) -> None:
        settings = {
            "url": url,
            "method": method,
            "headers": headers or {},
            "include_prediction_data": include_prediction_data,
            "timeout_seconds": timeout,
        }
        super().__init__(settings, log_level)

    def _arguments(self) -> dict[str, Any]:
        return {"url": self._settings["url"].split("?")[0], "method": self._settings["method"]}


class LocalDatasetCollection(_BuiltinAction):
    """Adds images to a dataset of the local store, with prediction, score and reason.

    :param store_folder: folder of the store
    :param project: name or identifier of the project
    :param dataset: name of the dataset; made when it is missing
    """

    def __init__(self, store_folder: str | os.PathLike[str], project: str, dataset: str) -> None:
        settings = {
            "store_folder": os.fspath(store_folder),
            "project": project,
            "dataset": dataset,
        }
        super().__init__(settings, "debug")

    def _build(self, settings: dict[str, Any]) -> _native.Action:
        # It has no setting for a log level.
        return super()._build({k: v for k, v in settings.items() if k != "log_level"})

    def _arguments(self) -> dict[str, Any]:
        return {key: self._settings[key] for key in ("store_folder", "project", "dataset")}


#: Classes whose settings the crates read.
_NAMES = (
    "FileSystemDataCollection",
    "GetiDataCollection",
    "HttpRequestAction",
    "LocalDatasetCollection",
)
