"""The records that the package speaks in: labels, shapes, predictions, projects, media, models."""

from .annotations import (
    Annotation,
    AnnotationScene,
    Prediction,
    ResultMedium,
    _prediction,  # noqa: F401
)
from .enums import AnnotationKind, MediaType, ShapeType, TaskType
from .job import Job
from .label import Label, ScoredLabel
from .media import Image, MediaInformation, MediaItem, MediaList, Video, VideoFrame
from .model import Model, ModelGroup, ModelSummary, OptimizedModel, Performance
from .project import Connection, Dataset, Pipeline, Project, Task
from .shapes import Ellipse, Keypoint, Point, Polygon, Rectangle, RotatedRectangle, Shape

__all__ = [
    "Annotation",
    "AnnotationKind",
    "AnnotationScene",
    "Connection",
    "Dataset",
    "Ellipse",
    "Image",
    "Job",
    "Keypoint",
    "Label",
    "MediaInformation",
    "MediaItem",
    "MediaList",
    "MediaType",
    "Model",
    "ModelGroup",
    "ModelSummary",
    "OptimizedModel",
    "Performance",
    "Pipeline",
    "Point",
    "Polygon",
    "Prediction",
    "Project",
    "Rectangle",
    "ResultMedium",
    "RotatedRectangle",
    "ScoredLabel",
    "Shape",
    "ShapeType",
    "Task",
    "TaskType",
    "Video",
    "VideoFrame",
]
