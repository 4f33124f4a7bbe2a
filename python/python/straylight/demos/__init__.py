"""Pictures and data to try things with."""

from .data import (
    DEFAULT_DATA_PATH,
    DEMO_DEPLOYMENT_PATH,
    EXAMPLE_IMAGE_PATH,
    get_coco_dataset,
)

__all__ = ["DEFAULT_DATA_PATH", "DEMO_DEPLOYMENT_PATH", "EXAMPLE_IMAGE_PATH", "get_coco_dataset"]
