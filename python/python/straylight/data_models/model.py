"""Models of a project and their optimized forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ._record import Record


@dataclass
class Performance(Record):
    """How good a model is; the score lies in 0 to 1."""

    score: float | None = None


@dataclass
class OptimizedModel(Record):
    """A form of a model that can be deployed."""

    name: str
    id: str | None = None
    version: int | None = None
    creation_date: str | None = None
    model_format: str | None = None
    precision: list[str] = field(default_factory=list)
    #: Whether it gives feature vectors and saliency maps.
    has_xai_head: bool = False
    model_status: str = ""
    optimization_type: str | None = None
    optimization_methods: list[str] = field(default_factory=list)
    optimization_objectives: dict[str, Any] = field(default_factory=dict)
    performance: Performance | None = None
    size: int | None = None
    latency: Any = None
    fps_throughput: Any = None
    target_device: str | None = None
    previous_revision_id: str | None = None
    #: Identifier of the group of its model.
    model_group_id: str | None = None

    _nested = {"performance": Performance}


@dataclass
class Model(Record):
    """A trained model."""

    name: str
    id: str | None = None
    architecture: str = ""
    version: int | None = None
    creation_date: str | None = None
    size: int | None = None
    precision: list[str] = field(default_factory=list)
    performance: Performance | None = None
    optimized_models: list[OptimizedModel] = field(default_factory=list)
    training_dataset_info: dict[str, Any] | None = None
    label_schema_in_sync: bool | None = None
    #: Identifier of its group.
    model_group_id: str | None = None

    _nested = {"performance": Performance, "optimized_models": OptimizedModel}

    def __post_init__(self) -> None:
        for optimized in self.optimized_models:
            optimized.model_group_id = optimized.model_group_id or self.model_group_id

    def get_optimized_model(
        self,
        optimization_type: str | None = None,
        precision: str | None = None,
        require_xai: bool = False,
    ) -> OptimizedModel | None:
        """The first optimized form that has all that is asked for."""
        for model in self.optimized_models:
            fits_type = optimization_type in (None, model.optimization_type)
            fits_precision = precision is None or precision in model.name
            if fits_type and fits_precision and (model.has_xai_head or not require_xai):
                return model
        return None


@dataclass
class ModelSummary(Record):
    """A trained model of a group, in short."""

    name: str
    id: str | None = None
    creation_date: str | None = None
    version: int | None = None
    active_model: bool = False
    performance: Performance | None = None
    size: int | None = None
    purge_info: dict[str, Any] | None = None
    score_up_to_date: bool | None = None
    label_schema_in_sync: bool | None = None
    #: Identifier of its group.
    model_storage_id: str | None = None

    _nested = {"performance": Performance}


@dataclass
class ModelGroup(Record):
    """The models of one task that one algorithm gave."""

    name: str
    model_template_id: str = ""
    models: list[ModelSummary] = field(default_factory=list)
    task_id: str | None = None
    id: str | None = None
    learning_approach: str | None = None

    _nested = {"models": ModelSummary}

    def __post_init__(self) -> None:
        for model in self.models:
            model.model_storage_id = model.model_storage_id or self.id

    @property
    def has_trained_models(self) -> bool:
        """Whether there is any model."""
        return bool(self.models)

    def get_latest_model(self) -> ModelSummary | None:
        """The model of the latest date; None without models."""
        return max(self.models, key=lambda model: model.creation_date or "", default=None)
