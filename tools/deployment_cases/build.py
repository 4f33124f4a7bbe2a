"""Builds small OpenVINO models and the files of a Geti deployment around them."""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

COLORS = ("#cc0000ff", "#00cc00ff", "#0000ccff", "#cccc00ff", "#00ccccff")


def fixed(outputs: dict[str, np.ndarray], height: int = 32, width: int = 32, layout: str = "NCHW",
          by_level: dict[str, np.ndarray] | None = None) -> ov.Model:
    """Return a model that looks at its image and gives the same outputs all the same.

    `by_level` is added to an output as often as the image's mean grey level says.
    """
    image = image_input(height, width, layout)
    nothing = ops.multiply(ops.reduce_sum(image, np.array([0, 1, 2, 3]), False), np.float32(0))
    results = []
    for name, value in outputs.items():
        constant = ops.constant(value)
        kind = constant.get_element_type()
        node = ops.add(constant, ops.convert(nothing, kind.to_string().replace("<Type: '", "")))
        if by_level and name in by_level:
            level = ops.reduce_mean(image, np.array([0, 1, 2, 3]), False)
            node = ops.add(node, ops.multiply(ops.constant(by_level[name]), level))
        results.append(result(node, name))
    return ov.Model(results, [image], "fixed")


def image_input(height: int, width: int, layout: str) -> ov.Node:
    """Return the image parameter of a model."""
    shape = [1, 3, height, width] if layout == "NCHW" else [1, height, width, 3]
    image = ops.parameter(shape, np.float32, name="image")
    image.output(0).set_names({"image"})
    image.set_layout(ov.Layout(layout))
    return image


def result(node: ov.Node, name: str) -> ov.Node:
    """Name a node's output and return the result for it."""
    node.output(0).set_names({name})
    return ops.result(node)


def looking(classes: int, height: int = 32, width: int = 32, layout: str = "NCHW", extra: bool = False) -> ov.Model:
    """Return a classifier whose logits depend on the mean colours of the image's quarters."""
    image = image_input(height, width, layout)
    channels_first = image if layout == "NCHW" else ops.transpose(image, np.array([0, 3, 1, 2]))
    pooled = ops.reshape(pool(channels_first, height // 2, width // 2), np.array([1, 12]), False)
    rng = np.random.default_rng(classes)
    weights = rng.normal(0, 0.02, (12, classes)).astype(np.float32)
    results = [result(ops.matmul(pooled, ops.constant(weights), False, False), "logits")]
    if extra:
        maps = rng.integers(0, 256, (1, classes, 5, 6)).astype(np.uint8)
        results.append(result(ops.relu(pooled), "feature_vector"))
        zero = ops.convert(ops.multiply(ops.reduce_sum(pooled, np.array([0, 1]), False), np.float32(0)), "u8")
        results.append(result(ops.add(ops.constant(maps), zero), "saliency_map"))
    return ov.Model(results, [image], "looking")


def pool(node: ov.Node, height: int, width: int) -> ov.Node:
    """Average over tiles of this size."""
    return ops.avg_pool(node, [height, width], [0, 0], [0, 0], [height, width], False)


def colours(classes: int, height: int = 32, width: int = 32, gain: float = 0.05, extra: bool = False) -> ov.Model:
    """Return a segmenter: a softmax over a linear map of each pixel's smoothed colour."""
    image = image_input(height, width, "NCHW")
    rng = np.random.default_rng(classes + 1)
    weights = rng.normal(0, gain, (classes, 3, 5, 5)).astype(np.float32) / 5
    scores = ops.convolution(image, ops.constant(weights), [1, 1], [2, 2], [2, 2], [1, 1])
    results = [result(ops.softmax(scores, 1), "soft")]
    if extra:
        pooled = ops.reshape(pool(image, height // 2, width // 2), np.array([1, 12]), False)
        results.append(result(pooled, "feature_vector"))
    return ov.Model(results, [image], "colours")


@dataclass
class Label:
    """A label of the project; a name may come twice with different ids."""

    name: str
    id: str
    is_empty: bool = False
    is_anomalous: bool = False

    def rest(self, index: int) -> dict:
        """Return the label as the REST API writes it."""
        return {
            "id": self.id, "name": self.name, "color": COLORS[index % len(COLORS)], "group": "labels",
            "is_empty": self.is_empty, "is_anomalous": self.is_anomalous, "hotkey": "", "parent_id": None,
        }


@dataclass
class TaskFolder:
    """One trainable task: its labels, its model, and the model's `model_info`."""

    kind: str
    labels: list[Label]
    model: ov.Model
    info: dict[str, str] = field(default_factory=dict)
    config: dict = field(default_factory=dict)
    explains: bool = False
    tile_classifier: ov.Model | None = None

    def files(self, title: str) -> dict[str, bytes]:
        """Return the files of the task's folder."""
        for key, value in self.info.items():
            self.model.set_rt_info(value, ["model_info", key])
        found = {
            f"{title}/model.json": dump(model_json(self.explains)),
            f"{title}/model/config.json": dump(self.config),
        }
        models = {"model": self.model, "tile_classifier": self.tile_classifier}
        for name, model in models.items():
            if model is not None:
                xml, weights = saved(model)
                found |= {f"{title}/model/{name}.xml": xml, f"{title}/model/{name}.bin": weights}
        return found


def saved(model: ov.Model) -> tuple[bytes, bytes]:
    """Return the two files of a model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        ov.save_model(model, path, compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()


def dump(value: dict) -> bytes:
    """Return JSON text."""
    return (json.dumps(value) + "\n").encode()


def model_json(explains: bool) -> dict:
    """Return what the platform says about an optimized model."""
    return {
        "name": "model", "id": "b" * 24, "model_group_id": "c" * 24, "fps_throughput": "0", "latency": "0",
        "precision": ["FP32"], "creation_date": "2026-01-01T00:00:00.000000+00:00", "size": 0,
        "target_device": "CPU", "target_device_type": None, "previous_revision_id": None,
        "performance": {"score": 0.9}, "label_schema_in_sync": True, "model_status": "SUCCESS",
        "optimization_methods": [], "optimization_objectives": {}, "optimization_type": "MO", "version": 1,
        "configurations": [], "model_format": "OpenVINO", "has_xai_head": explains,
    }


def project_json(tasks: list[TaskFolder]) -> dict:
    """Return a project with the dataset task, the given tasks, and crop tasks between them."""
    listed = [{"id": "1" * 24, "title": "Dataset", "task_type": "dataset"}]
    for index, task in enumerate(tasks):
        if index:
            listed.append({"id": f"{index}0" * 12, "title": f"Crop {index}", "task_type": "crop"})
        labels = [label.rest(place) for place, label in enumerate(task.labels)]
        listed.append({"id": f"{index}9" * 12, "title": f"Task {index}", "task_type": task.kind, "labels": labels})
    edges = [{"from": one["id"], "to": other["id"]} for one, other in zip(listed, listed[1:])]
    return {
        "id": "a" * 24, "name": "equality", "creation_time": "2026-01-01T00:00:00.000000+00:00",
        "datasets": [{"id": "d" * 24, "name": "Dataset", "use_for_training": True}],
        "pipeline": {"tasks": listed, "connections": edges},
    }


@dataclass
class Case:
    """A deployment, an image, and what is special about them."""

    name: str
    about: str
    tasks: list[TaskFolder]
    size: tuple[int, int] = (96, 64)
    # ModelAPI's own tiler fails on masks; its asynchronous one does not.
    asynchronous: bool = False

    @property
    def explains(self) -> bool:
        """Whether the first task has an explanation."""
        return self.tasks[0].explains

    def files(self) -> dict[str, bytes]:
        """Return all files of the deployment folder."""
        found = {"project.json": dump(project_json(self.tasks))}
        for index, task in enumerate(self.tasks):
            found |= task.files(f"Task {index}")
        return found
