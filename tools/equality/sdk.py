"""Tiny Geti deployments with known outputs, and what geti-sdk makes of them."""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import numpy as np
import openvino as ov
from openvino import opset13 as ops

F32 = {"INFERENCE_PRECISION_HINT": "f32"}
DATE = "2026-01-01T00:00:00.000000+00:00"
PRISTINE: dict[str, Any] = {}
COLORS = ("#2f7ed8ff", "#b8860bff", "#2e8b57ff", "#c0392bff")


@dataclass
class Task:
    """One task: its type, its model's configuration, the project's labels and the outputs."""

    kind: str
    info: dict[str, str]
    labels: list[dict]
    outputs: dict[str, np.ndarray] | Callable[[ov.Output], dict[str, ov.Output]]
    network: tuple[int, int] = (32, 32)


@dataclass
class Case:
    """A deployment, an image of one colour, and what is special about them."""

    name: str
    about: str
    tasks: list[Task]
    image: tuple[int, int] = (64, 48)
    explain: bool = False
    ours: Callable[[list[dict] | None], list[dict]] | None = None
    error: str | None = None
    differs: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def label(name: str, number: int, *, empty: bool = False, anomalous: bool = False) -> dict:
    """Return a label of a project."""
    return {
        "id": f"a{number:023x}", "name": name, "color": COLORS[number % 4], "group": "labels",
        "is_empty": empty, "is_anomalous": anomalous, "hotkey": "", "parent_id": None,
    }


def labels(*names: str, first: int = 1) -> list[dict]:
    """Return labels of a project; `No object` and `No class` are empty ones."""
    return [label(name, first + place, empty=name in ("No object", "No class"))
            for place, name in enumerate(names)]


def info(model_type: str, task_labels: list[dict], **entries: Any) -> dict[str, str]:
    """Return a model's configuration; labels and ids follow the project unless given."""
    named = [item for item in task_labels if not item["is_empty"]]
    defaults = {
        "model_type": model_type,
        "labels": " ".join(item["name"].replace(" ", "_") for item in named),
        "label_ids": " ".join(item["id"] for item in named),
        "resize_type": "standard",
        "pad_value": "0",
    }
    merged = {**defaults, **{key: str(value) for key, value in entries.items()}}
    return {key: value for key, value in merged.items() if value != ""}


def build(task: Task) -> ov.Model:
    """Return the task's model: constants, kept alive by the input, or a function of it."""
    width, height = task.network
    image = ops.parameter([1, 3, height, width], np.float32, name="image")
    image.output(0).set_names({"image"})
    image.set_layout(ov.Layout("NCHW"))
    if callable(task.outputs):
        nodes = task.outputs(image.output(0))
    else:
        nodes = {name: constant(image.output(0), value) for name, value in task.outputs.items()}
    results = []
    for name, node in nodes.items():
        node.set_names({name})
        node.get_node().set_friendly_name(name)
        results.append(ops.result(node))
    model = ov.Model(results, [image], "equality")
    for key, value in task.info.items():
        model.set_rt_info(value, ["model_info", key])
    return model


def constant(image: ov.Output, value: np.ndarray) -> ov.Output:
    """Return a constant to which 0 times the image is added."""
    corner = ops.reduce_min(image, np.array([0, 1, 2, 3]), keep_dims=False)
    kind = "f32" if value.dtype == np.float32 else "i64" if value.dtype == np.int64 else "u8"
    nothing = ops.convert(ops.multiply(corner, np.float32(0)), kind)
    if value.dtype == np.bool_:
        return ops.logical_or(ops.constant(value), ops.convert(nothing, "boolean")).output(0)
    return ops.add(ops.constant(value), nothing).output(0)


def write(case: Case, root: Path) -> None:
    """Write the deployment's folder."""
    tasks, connections = [{"id": "d" * 24, "title": "Dataset", "task_type": "dataset"}], []
    for place, task in enumerate(case.tasks):
        if place:
            tasks.append({"id": f"c{place:023x}", "title": f"Crop {place}", "task_type": "crop"})
        tasks.append({"id": f"e{place:023x}", "title": f"Task {place}", "task_type": task.kind,
                      "labels": task.labels})
        write_model(task, root / "deployment" / f"Task {place}", case.explain)
    for first, second in zip(tasks, tasks[1:]):
        connections.append({"from": first["id"], "to": second["id"]})
    project = {
        "id": "f" * 24, "name": case.name, "creation_time": DATE,
        "datasets": [{"id": "b" * 24, "name": "Dataset", "use_for_training": True}],
        "pipeline": {"tasks": tasks, "connections": connections},
    }
    write_json(root / "deployment" / "project.json", project)


def write_model(task: Task, folder: Path, has_xai_head: bool) -> None:
    """Write one task's folder."""
    (folder / "model").mkdir(parents=True)
    ov.save_model(build(task), folder / "model" / "model.xml", compress_to_fp16=False)
    write_json(folder / "model" / "config.json", {})
    write_json(folder / "model.json", {
        "name": "equality", "id": "9" * 24, "fps_throughput": "0", "latency": "0",
        "precision": ["FP32"], "creation_date": DATE, "model_status": "SUCCESS",
        "optimization_methods": [], "optimization_objectives": {}, "optimization_type": "MO",
        "version": 1, "model_format": "OpenVINO", "has_xai_head": has_xai_head,
    })
    (folder / "python").mkdir()
    (folder / "python" / "requirements.txt").write_text("openvino==2025.4.1\n")


def write_json(path: Path, content: Any) -> None:
    """Write JSON with a line break at the end."""
    path.write_text(json.dumps(content, indent=1) + "\n")


def load(root: Path) -> Any:
    """Load a deployment with the SDK, single precision.

    ModelAPI's parameters are put back first: its YOLO models change the defaults of NMS and of
    the threshold for every model that the process loads after them.
    """
    from geti_sdk.deployment import Deployment
    from model_api.models.parameters import ParameterRegistry

    groups = {name: value for name, value in vars(ParameterRegistry).items() if isinstance(value, dict)}
    if not PRISTINE:
        PRISTINE.update(copy.deepcopy(groups))
    for name in groups:
        setattr(ParameterRegistry, name, copy.deepcopy(PRISTINE[name]))
    deployment = Deployment.from_folder(root)
    deployment.load_inference_models(device="CPU", openvino_configuration=F32)
    return deployment


def annotations(prediction: Any) -> list[dict]:
    """Return a prediction's annotations as plain values, in order."""
    return [{"shape": shape(item.shape), "labels": [
        {"id": scored.id, "name": scored.name, "probability": float(scored.probability)}
        for scored in item.labels]} for item in prediction.annotations]


def shape(item: Any) -> dict:
    """Return a shape in the form of the REST API."""
    kind = str(item.type)
    if kind == "POLYGON":
        return {"type": kind, "points": [[float(p.x), float(p.y)] for p in item.points]}
    keys = {"KEYPOINT": ("x", "y"), "ROTATED_RECTANGLE": ("x", "y", "width", "height", "angle")}
    return {"type": kind} | {key: float(getattr(item, key))
                             for key in keys.get(kind, ("x", "y", "width", "height"))}


def saliency(prediction: Any) -> dict[str, list]:
    """Return the maps of an explained prediction, by name of label."""
    maps = prediction.maps[0].data or {}
    return {name: np.asarray(levels).tolist() for name, levels in maps.items()}
