"""The combined out-of-distribution model of a project."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import _native
from .._progress import Progress, showing
from ..data_models import Prediction, Project
from ..ood import OodModel

if TYPE_CHECKING:
    from ..deployment import Deployment
    from ..geti import Geti

#: Datasets of these names hold images that are known to be out of distribution.
OOD_DATASET_NAMES = ("ood dataset", "OOD Images Collected")


class COODModel(OodModel):
    """A combined OOD model, fitted on the images of a project when it is made.

    The images and annotations of the training dataset are downloaded and run through the
    deployment. The score lies in 0 to 1; a higher score is always more out of distribution.
    The deployment keeps the model and saves it.

    :param geti: an open connection
    :param project: the project, or its name
    :param deployment: a deployment of it with an XAI head; made if it is None
    :param kind: ``default`` (needs no outliers), ``geti`` (the reference's sub-scores and its
        forest, cross-fitted) or ``supervised`` (for those who have real outliers)
    :param max_false_collection_rate: the threshold's promise: at most this part of
        in-distribution images is collected
    :param confidence: the chance that the promise holds
    :param ood_dataset_names: datasets with images that are out of distribution
    :param workspace_dir: folder for the downloads; a temporary one when None
    :param seed: where random choices begin
    :param progress: whether bars are shown, or a function that is told
    :raises FitFailedError: (a ValueError) if there are too few images
    """

    def __init__(
        self,
        geti: Geti,
        project: str | Project,
        deployment: Deployment | None = None,
        *,
        kind: str = "default",
        max_false_collection_rate: float = 0.01,
        confidence: float = 0.95,
        ood_dataset_names: Sequence[str] = OOD_DATASET_NAMES,
        workspace_dir: str | os.PathLike[str] | None = None,
        seed: int = 0,
        progress: bool | Progress = True,
    ) -> None:
        if isinstance(project, str):
            project = geti.get_project(project_name=project)
        if deployment is None:
            deployment = _deployment(geti, project)
        self.project, self.deployment = project, deployment
        logging.getLogger("straylight").info("fitting an OOD model for `%s`", project.name)
        with tempfile.TemporaryDirectory() as temporary, showing(progress) as shown:
            native, report, skipped = _native.fit_project(
                deployment._native,
                geti.session._client,
                project.id,
                list(ood_dataset_names),
                workspace_dir or temporary,
                kind,
                max_false_collection_rate,
                confidence,
                True,
                None,
                seed,
                shown,
            )
        super().__init__(native, json.loads(report))
        #: Images that could not be used: name and reason.
        self.skipped: list[tuple[str, str]] = skipped
        for name, reason in skipped:
            logging.getLogger("straylight").warning("left out %s: %s", name, reason)

    def __call__(self, prediction: Prediction) -> float:
        """The score of a prediction, 0 to 1; higher is more out of distribution."""
        return self.score_prediction(prediction)

    def _arguments(self) -> dict[str, Any]:
        return {"project": self.project.name, **super()._arguments()}


def _deployment(geti: Geti, project: Project) -> Deployment:
    from ..rest_clients import ModelClient
    from .utils import get_deployment_with_xai_head

    client = ModelClient(workspace_id=geti.workspace_id, project=project, session=geti.session)
    return get_deployment_with_xai_head(geti, client)


def fit_on_folder(
    deployment: Deployment,
    images: str | os.PathLike[str],
    outliers: str | os.PathLike[str] | None = None,
    *,
    kind: str = "default",
    max_false_collection_rate: float = 0.01,
    confidence: float = 0.95,
    relax: bool = True,
    threshold: float | None = None,
    seed: int = 0,
    progress: bool | Progress = True,
) -> OodModel:
    """Fits an OOD model on image files; the deployment keeps and saves it. Ctrl-C ends it.

    :param deployment: a deployment with an XAI head
    :param images: in-distribution images: a folder with a subfolder for each class, an annotated
        dataset in any format, or a folder of pictures
    :param outliers: images that are out of distribution, in the same forms
    :param kind: ``default``, ``geti`` or ``supervised``
    :param max_false_collection_rate: the threshold's promise
    :param confidence: the chance that the promise holds
    :param relax: with too few images, promise the lowest rate that they allow instead of failing
    :param threshold: a threshold of your own instead of a promise
    :param seed: where random choices begin; the same seed gives the same model
    :param progress: whether a bar is shown, or a function that is told
    :raises FitFailedError: (a ValueError) if there are too few images
    """
    with showing(progress) as shown:
        native, report, skipped = _native.fit_folder(
            deployment._native,
            images,
            outliers,
            kind,
            max_false_collection_rate,
            confidence,
            relax,
            threshold,
            seed,
            shown,
        )
    for name, reason in skipped:
        logging.getLogger("straylight").warning("left out %s: %s", name, reason)
    return OodModel(native, json.loads(report))
