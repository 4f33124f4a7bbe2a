"""Projects, tasks, datasets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._record import Record
from .enums import TaskType
from .label import Label


@dataclass
class Dataset(Record):
    """A named set of media of a project."""

    name: str
    id: str | None = None
    creation_time: str | None = None
    #: True for exactly one dataset of a project.
    use_for_training: bool | None = None


@dataclass
class Task(Record):
    """One step of a pipeline."""

    title: str
    task_type: TaskType
    labels: list[Label] | None = None
    label_schema_id: str | None = None
    id: str | None = None
    keypoint_structure: dict | None = None

    _nested = {"labels": Label}

    def __post_init__(self) -> None:
        self.task_type = TaskType(self.task_type)

    @property
    def type(self) -> TaskType:
        """Its kind."""
        return self.task_type

    @property
    def is_trainable(self) -> bool:
        """Whether it has a model and labels."""
        return self.task_type.is_trainable

    @property
    def is_global(self) -> bool:
        """Whether its labels are of the whole image."""
        return self.task_type.is_global

    @property
    def is_anomaly(self) -> bool:
        """Whether it tells the normal from the anomalous."""
        return self.task_type.is_anomaly

    def get_label_names(self, include_empty: bool = True) -> list[str]:
        """The names of its labels."""
        labels = self.labels or []
        return [label.name for label in labels if include_empty or not label.is_empty]


@dataclass
class Connection(Record):
    """An edge of the pipeline, by task id."""

    to: str
    from_: str

    _renamed = {"from": "from_"}


@dataclass
class Pipeline(Record):
    """The tasks of a project and how data flows between them."""

    tasks: list[Task]
    connections: list[Connection] = field(default_factory=list)

    _nested = {"tasks": Task, "connections": Connection}

    @property
    def trainable_tasks(self) -> list[Task]:
        """The tasks that have a model, in order."""
        return [task for task in self.tasks if task.is_trainable]

    @property
    def label_id_to_name_mapping(self) -> dict[str, str]:
        """Names of labels by their ids."""
        return {label.id or "": label.name for label in self.get_all_labels()}

    def get_labels_per_task(self, include_empty: bool = True) -> list[list[Label]]:
        """The labels of each task that has a model."""
        tasks = self.trainable_tasks
        return [
            [label for label in task.labels or [] if include_empty or not label.is_empty]
            for task in tasks
        ]

    def get_all_labels(self) -> list[Label]:
        """The labels of all tasks."""
        return [label for labels in self.get_labels_per_task() for label in labels]


@dataclass
class Project(Record):
    """A project of a Geti server, or of the local store."""

    name: str
    pipeline: Pipeline
    datasets: list[Dataset] | None = None
    score: float | None = None
    performance: dict[str, Any] | None = None
    creation_time: str | None = None
    id: str | None = None
    thumbnail: str | None = None
    creator_id: str | None = None
    storage_info: dict[str, Any] | None = None

    _nested = {"pipeline": Pipeline, "datasets": Dataset}

    def get_trainable_tasks(self) -> list[Task]:
        """The tasks that have a model, in order."""
        return self.pipeline.trainable_tasks

    @property
    def project_type(self) -> str:
        """The kinds of its tasks, such as ``detection_to_classification``."""
        return "_to_".join(str(task.task_type) for task in self.get_trainable_tasks())

    def get_labels_per_task(self, include_empty: bool = True) -> list[list[dict[str, Any]]]:
        """The labels of each task that has a model, as dictionaries."""
        per_task = self.pipeline.get_labels_per_task(include_empty)
        return [[label.to_dict() for label in labels] for labels in per_task]

    def get_all_labels(self) -> list[Label]:
        """The labels of all tasks."""
        return self.pipeline.get_all_labels()

    @property
    def training_dataset(self) -> Dataset:
        """The dataset on which models are trained."""
        datasets = self.datasets or []
        training = [dataset for dataset in datasets if dataset.use_for_training]
        return (training or datasets)[0]

    @property
    def summary(self) -> str:
        """The project in a few lines for people."""
        lines = [f"Project: {self.name}"]
        for index, task in enumerate(self.get_trainable_tasks(), 1):
            lines.append(f"  Task {index}: {task.title}")
            lines.append(f"    Labels: {', '.join(task.get_label_names())}")
        return "\n".join(lines)

    @property
    def overview(self) -> str:
        """The same as :attr:`summary`."""
        return self.summary

    def __repr__(self) -> str:
        datasets = ", ".join(dataset.name for dataset in self.datasets or [])
        return f"Project({self.name}, {self.project_type}, datasets: {datasets})"
