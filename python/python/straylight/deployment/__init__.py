"""Deployments: models that run on this machine, without a server."""

from .deployment import DeployedModel, Deployment

__all__ = ["DeployedModel", "Deployment"]
