"""Clients of the parts of a server: projects, datasets, media, annotations, models."""

from .annotation_client import AnnotationClient
from .dataset_client import DatasetClient
from .image_client import ImageClient
from .model_client import ModelClient
from .project_client import ProjectClient
from .video_client import VideoClient

__all__ = [
    "AnnotationClient",
    "DatasetClient",
    "ImageClient",
    "ModelClient",
    "ProjectClient",
    "VideoClient",
]
