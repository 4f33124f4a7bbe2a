"""Pictures, projects and data to try things with."""

from typing import TYPE_CHECKING, Any

from .data import (
    DEFAULT_DATA_PATH,
    DEMO_DEPLOYMENT_PATH,
    EXAMPLE_IMAGE_PATH,
    get_coco_dataset,
    set_directory_permissions,
)

if TYPE_CHECKING:
    from .projects import (
        create_classification_demo_project,
        create_detection_demo_project,
        create_detection_to_classification_demo_project,
        create_detection_to_segmentation_demo_project,
        create_segmentation_demo_project,
    )
    from .video import AsyncVideoProcessor, predict_video_from_deployment

__all__ = [
    "DEFAULT_DATA_PATH",
    "DEMO_DEPLOYMENT_PATH",
    "EXAMPLE_IMAGE_PATH",
    "AsyncVideoProcessor",
    "create_classification_demo_project",
    "create_detection_demo_project",
    "create_detection_to_classification_demo_project",
    "create_detection_to_segmentation_demo_project",
    "create_segmentation_demo_project",
    "get_coco_dataset",
    "predict_video_from_deployment",
    "set_directory_permissions",
]


def __getattr__(name: str) -> Any:
    """Loads the larger parts when they are asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import projects, video

    return getattr(projects if name.startswith("create_") else video, name)
