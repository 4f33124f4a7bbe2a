"""OOD models of the projects of a server."""

from .ood_model import COODModel, fit_on_folder
from .utils import get_deployment_with_xai_head

__all__ = ["COODModel", "fit_on_folder", "get_deployment_with_xai_head"]
