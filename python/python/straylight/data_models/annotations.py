"""Annotations of people and predictions of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ._record import Record
from .enums import AnnotationKind
from .label import Label, ScoredLabel
from .shapes import Shape

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Annotation(Record):
    """One shape with its labels."""

    labels: list[ScoredLabel]
    shape: Shape
    modified: str | None = None
    id: str | None = None
    labels_to_revisit: list[str] | None = None

    _nested = {"labels": ScoredLabel, "shape": Shape}

    @property
    def label_names(self) -> list[str]:
        """The names of its labels."""
        return [label.name or "" for label in self.labels]

    def append_label(self, label: ScoredLabel) -> None:
        """Adds a label."""
        self.labels.append(label)

    def extend_labels(self, labels: list[ScoredLabel]) -> None:
        """Adds labels."""
        self.labels.extend(labels)

    def pop_label_by_name(self, label_name: str) -> None:
        """Removes the label of this name."""
        self.labels = [label for label in self.labels if label.name != label_name]


@dataclass
class AnnotationScene(Record):
    """All annotations of one image."""

    annotations: list[Annotation] = field(default_factory=list)
    kind: AnnotationKind = AnnotationKind.ANNOTATION
    media_identifier: dict[str, Any] | None = None
    id: str | None = None
    modified: str | None = None
    labels_to_revisit_full_scene: list[str] | None = None
    annotation_state_per_task: list[dict[str, Any]] | None = None

    _nested = {"annotations": Annotation}

    def __post_init__(self) -> None:
        self.kind = AnnotationKind(self.kind)

    @property
    def has_data(self) -> bool:
        """Whether there is any annotation."""
        return bool(self.annotations)

    def append(self, annotation: Annotation) -> None:
        """Adds an annotation; labels are merged where the shape is there already."""
        present = self.get_by_shape(annotation.shape)
        if present is None:
            self.annotations.append(annotation)
        else:
            present.extend_labels(annotation.labels)

    def extend(self, annotations: list[Annotation]) -> None:
        """Adds annotations as :meth:`append` does."""
        for annotation in annotations:
            self.append(annotation)

    def get_by_shape(self, shape: Shape) -> Annotation | None:
        """The annotation of exactly this shape."""
        return next((found for found in self.annotations if found.shape == shape), None)

    def get_labels(self) -> list[ScoredLabel]:
        """All labels, each once, in order of appearance."""
        found = (label for annotation in self.annotations for label in annotation.labels)
        return list(dict.fromkeys(found))

    def get_label_names(self) -> list[str]:
        """The names of all labels, each once, in order of appearance."""
        names = (name for annotation in self.annotations for name in annotation.label_names)
        return list(dict.fromkeys(names))

    def filter_annotations(self, labels: Sequence[Label | ScoredLabel | str]) -> AnnotationScene:
        """A copy with the annotations that have one of the labels."""
        names = {label if isinstance(label, str) else label.name for label in labels}
        kept = [found for found in self.annotations if names & set(found.label_names)]
        return replace(self, annotations=kept)

    @property
    def overview(self) -> str:
        """The scene in a few lines for people."""
        lines = [f"{type(self).__name__} with {len(self.annotations)} annotations"]
        for found in self.annotations:
            labels = ", ".join(f"{x.name} {x.probability:.2f}" for x in found.labels)
            lines.append(f"  {type(found.shape).__name__}: {labels}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        labels = ", ".join(f"{x.name} {x.probability:.2f}" for x in self.get_labels())
        return f"{type(self).__name__}({len(self.annotations)} annotations: {labels})"


@dataclass(repr=False)
class ResultMedium(Record):
    """A result that is a picture: saliency maps, one for each label."""

    name: str
    type: str | None = None
    url: str | None = None
    label_id: str | None = None
    id: str | None = None
    roi: dict[str, Any] | None = None
    #: By name of the label: array of uint8 of shape (height, width), 255 is the strongest.
    data: Any = None

    @property
    def friendly_name(self) -> str:
        """Its name for people."""
        return self.name

    def __repr__(self) -> str:
        labels = ", ".join(self.data) if isinstance(self.data, dict) else ""
        return f"ResultMedium({self.name}: {labels})"


@dataclass(repr=False)
class Prediction(AnnotationScene):
    """What a deployment says about one image; owns all of its data.

    The arrays are there when something asked for them: ``explain`` or a hook that needs them.
    """

    kind: AnnotationKind = AnnotationKind.PREDICTION
    maps: list[ResultMedium] = field(default_factory=list)
    #: Float32 of shape (1, D): the penultimate layer, as the model gives it.
    feature_vector: np.ndarray | None = None
    created: str | None = None
    #: Float32 of shape (C,): class scores before softmax, in the order of the model's labels.
    logits: np.ndarray | None = None
    #: Float32 of shape (C,): class probabilities, in the order of the model's labels.
    probabilities: np.ndarray | None = None
    #: Of the deployment's OOD model, in [0, 1], higher is more out of distribution; None without one.
    ood_score: float | None = None

    _nested = {"annotations": Annotation, "maps": ResultMedium}

    @property
    def has_result_media(self) -> bool:
        """Whether there are saliency maps."""
        return bool(self.maps)

    def filter_by_confidence(self, confidence_threshold: float) -> Prediction:
        """A copy with the labels of at least this probability; shapes without one are left out."""
        kept = []
        for found in self.annotations:
            labels = [x for x in found.labels if x.probability >= confidence_threshold]
            if labels:
                kept.append(replace(found, labels=labels))
        return replace(self, annotations=kept)

    def to_dict(self) -> dict[str, Any]:
        """Annotations and kind, as the SDK writes them; arrays and the OOD score are left out."""
        plain = replace(
            self, feature_vector=None, logits=None, probabilities=None, maps=[], ood_score=None
        )
        return super(Prediction, plain).to_dict()


def _prediction(annotations, maps, features, logits, probabilities, ood_score) -> Prediction:
    """Makes a prediction of what the extension hands over."""
    media = []
    if maps is not None:
        media = [ResultMedium(name="saliency map", type="saliency map", data=maps)]
    return Prediction(
        annotations=annotations,
        maps=media,
        feature_vector=features,
        logits=logits,
        probabilities=probabilities,
        ood_score=ood_score,
    )
