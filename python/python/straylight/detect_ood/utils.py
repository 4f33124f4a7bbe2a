"""Deployments that OOD models can work with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import NotFoundError

if TYPE_CHECKING:
    from ..deployment import Deployment
    from ..geti import Geti
    from ..rest_clients import ModelClient


def get_deployment_with_xai_head(geti: Geti, model_client: ModelClient) -> Deployment:
    """Downloads a deployment whose model gives feature vectors.

    Of the optimized forms of the active model, the one with an XAI head that scores best.

    :param geti: an open connection
    :param model_client: the models of the project
    :raises NotFoundError: if no active model has such a form
    """
    best = model_client._best_xai_models()
    if not best:
        raise NotFoundError(
            f"no active model of the project `{model_client.project.name}` has a form with an "
            "XAI head: train a model, or optimize it with one"
        )
    return geti.deploy_project(project=model_client.project, models=best)
