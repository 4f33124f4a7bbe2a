"""A connection with a Geti server, or with the local server."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from ._archives import _Archives
from ._names import safe_name
from ._predictions import _Predictions
from ._progress import showing
from ._uploads import _Uploads
from .data_models import Image, Model, OptimizedModel, Project
from .deployment import Deployment
from .exceptions import NotFoundError, NotSupportedError
from .http_session import GetiSession, ServerTokenConfig


class Geti(_Archives, _Predictions, _Uploads):
    """A connection with a Geti server, or with the local one (``straylight serve``).

    Logging in with user name and password is not supported (the platform has deprecated it):
    make a personal access token on the server.

    :param host: the server, with or without ``https://``
    :param token: a personal access token
    :param workspace_id: the workspace, where the account has several
    :param verify_certificate: whether the server's certificate is checked
    :param proxies: proxies by scheme
    :param server_config: all of this at once, see
        :func:`straylight.utils.get_server_details_from_env`
    :param ca_file: PEM file of the only certificates that may sign the server's
    :raises LoginError: if the server does not accept the token
    """

    def __init__(
        self,
        host: str | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        workspace_id: str | None = None,
        verify_certificate: bool = True,
        proxies: dict[str, str] | None = None,
        server_config: ServerTokenConfig | None = None,
        *,
        ca_file: str | os.PathLike[str] | None = None,
    ) -> None:
        if server_config is None:
            if host is None or token is None:
                raise TypeError(
                    "give `server_config`, or `host` and `token`; a user name and password are "
                    "not supported: make a personal access token on the server"
                )
            server_config = ServerTokenConfig(
                host=host,
                token=token,
                has_valid_certificate=verify_certificate,
                proxies=proxies,
                ca_file=None if ca_file is None else os.fspath(ca_file),
                workspace_id=workspace_id,
            )
        _show_log()
        self.session = GetiSession(server_config)
        self.workspace_id: str = self.session.workspace_id
        self._temporary: list[Any] = []

    @property
    def credit_balance(self) -> int | None:
        """The credits that are left; None if the server has no credit system."""
        balance = json.loads(self.session._client.balance())
        return None if balance is None else balance["available"]

    @property
    def projects(self) -> list[Project]:
        """All projects of the workspace."""
        from .rest_clients import ProjectClient

        return ProjectClient(self.session, self.workspace_id).get_all_projects()

    def get_project(
        self,
        project_name: str | None = None,
        project_id: str | None = None,
        project: Project | None = None,
    ) -> Project:
        """The project of a name or of an identifier, or a project as it is now.

        :raises NotFoundError: (a LookupError) if there is none
        """
        from .rest_clients import ProjectClient

        client = ProjectClient(self.session, self.workspace_id)
        found = client.get_project(project_name, project_id, project)
        if found is None:
            raise NotFoundError(f"the server has no project `{project_name or project_id}`")
        return found

    def deploy_project(
        self,
        project: Project | None = None,
        project_name: str | None = None,
        output_folder: str | os.PathLike[str] | None = None,
        models: Sequence[Model | OptimizedModel] | None = None,
        enable_explainable_ai: bool = False,
        prepare_ovms_config: bool = False,
    ) -> Deployment:
        """Downloads a deployment of a project.

        :param project: the project
        :param project_name: its name instead
        :param output_folder: receives the folder ``deployment``; a temporary one when None
        :param models: one model for each task; the active ones when None
        :param enable_explainable_ai: whether forms with an XAI head are taken
        :param prepare_ovms_config: not supported
        """
        if prepare_ovms_config:
            raise NotSupportedError("prepare_ovms_config is not supported: use `straylight serve`")
        if project is None:
            project = self.get_project(project_name=project_name)
        folder = output_folder or self._temporary_folder()
        client = self.session._client
        logging.getLogger("straylight").info("downloading a deployment of `%s`", project.name)
        with showing() as progress:
            if models is None:
                root = client.deploy_active(project.id, enable_explainable_ai, folder, progress)
            else:
                forms = [_form(model, enable_explainable_ai) for model in models]
                chosen = [(form.id, form.model_group_id) for form in forms]
                root = client.deploy(project.id, chosen, folder, progress)
        return Deployment.from_folder(root)

    def _temporary_folder(self) -> str:
        """A folder that lives as long as this connection."""
        import tempfile

        self._temporary.append(tempfile.TemporaryDirectory(prefix="straylight-"))
        return self._temporary[-1].name

    def download_project_data(
        self,
        project: Project,
        target_folder: str | os.PathLike[str] | None = None,
        include_predictions: bool = False,
        include_active_models: bool = False,
        include_deployment: bool = False,
        max_threads: int = 10,
    ) -> Project:
        """Downloads a project: description, media and annotations.

        :param project: the project
        :param target_folder: where to; a folder with the project's name when None
        :param include_predictions: whether the predictions of images are written into
            ``predictions``, if the project has a model
        :param include_active_models: whether the active models are written into ``models``
        :param include_deployment: whether a deployment is downloaded as well
        :param max_threads: accepted for the SDK's sake
        """
        from .rest_clients import ModelClient

        folder = os.fspath(target_folder or os.path.join(".", safe_name(project.name)))
        with showing() as progress:
            text = self.session._client.download_project(project.id, folder, progress)
        downloaded = Project.from_dict(json.loads(text))
        models = ModelClient(self.workspace_id, downloaded, self.session)
        if include_predictions and None not in models.get_all_active_models():
            self._write_predictions(downloaded, self._images_of(downloaded), folder)
        if include_active_models:
            models.download_all_active_models(folder)
        if include_deployment:
            self.deploy_project(project=downloaded, output_folder=folder)
        return downloaded

    def _images_of(self, project: Project) -> list[Image]:
        """The images of all datasets."""
        from .rest_clients import ImageClient

        client = ImageClient(self.session, self.workspace_id, project)
        return [image for it in project.datasets or [] for image in client.get_all_images(it)]

    def upload_project_data(
        self,
        target_folder: str | os.PathLike[str],
        project_name: str | None = None,
        enable_auto_train: bool = True,
        max_threads: int = 5,
    ) -> Project:
        """Makes a new project of a folder that :meth:`download_project_data` wrote.

        :param target_folder: the folder
        :param project_name: name of the new project; that of the downloaded one when None
        :param enable_auto_train: whether automatic training is on afterwards
        :param max_threads: accepted for the SDK's sake
        """
        client = self.session._client
        with showing() as progress:
            text = client.upload_project(target_folder, project_name, enable_auto_train, progress)
        return Project.from_dict(json.loads(text))

    def logout(self) -> None:
        """Does nothing: a personal access token has no session to end."""

    def __repr__(self) -> str:
        return f"Geti({self.session!r}, workspace {self.workspace_id})"


def _show_log() -> None:
    """Shows the log on standard output, as the SDK does, unless somebody else sees to logs."""
    logger = logging.getLogger("straylight")
    if logger.hasHandlers():
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(levelname)s - %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _form(model: Model | OptimizedModel, xai_head: bool) -> OptimizedModel:
    """The form of a model that is deployed."""
    if isinstance(model, OptimizedModel):
        return model
    form = model.get_optimized_model(require_xai=xai_head)
    if form is None:
        raise NotFoundError(f"the model `{model.name}` has no form that can be deployed")
    return form
