"""The closed sets of names that the REST API knows."""

from enum import Enum


class _Name(str, Enum):
    """A name that prints, formats and compares as its text."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, format_spec: str) -> str:
        return format(str(self.value), format_spec)

    @classmethod
    def _missing_(cls, value: object):
        text = str(value).lower()
        return next((name for name in cls if name.value.lower() == text), None)


class ShapeType(_Name):
    """The kinds of shape."""

    RECTANGLE = "RECTANGLE"
    ELLIPSE = "ELLIPSE"
    ROTATED_RECTANGLE = "ROTATED_RECTANGLE"
    POLYGON = "POLYGON"
    KEYPOINT = "KEYPOINT"


class AnnotationKind(_Name):
    """Who made annotations: people, or a model."""

    ANNOTATION = "annotation"
    PREDICTION = "prediction"


class MediaType(_Name):
    """The kinds of media."""

    IMAGE = "image"
    VIDEO = "video"
    VIDEO_FRAME = "video_frame"


class TaskType(_Name):
    """The kinds of task."""

    DATASET = "dataset"
    CROP = "crop"
    CLASSIFICATION = "classification"
    DETECTION = "detection"
    ROTATED_DETECTION = "rotated_detection"
    INSTANCE_SEGMENTATION = "instance_segmentation"
    SEGMENTATION = "segmentation"
    ANOMALY = "anomaly"
    ANOMALY_CLASSIFICATION = "anomaly_classification"
    ANOMALY_DETECTION = "anomaly_detection"
    ANOMALY_SEGMENTATION = "anomaly_segmentation"
    KEYPOINT_DETECTION = "keypoint_detection"

    @property
    def is_trainable(self) -> bool:
        """Whether the task has a model and labels."""
        return self not in (TaskType.DATASET, TaskType.CROP)

    @property
    def is_anomaly(self) -> bool:
        """Whether the task tells the normal from the anomalous."""
        return self.value.startswith("anomaly")

    @property
    def is_global(self) -> bool:
        """Whether its labels are of the whole image."""
        return self in (
            TaskType.CLASSIFICATION,
            TaskType.ANOMALY,
            TaskType.ANOMALY_CLASSIFICATION,
        )
