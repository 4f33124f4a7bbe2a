"""Expectations that need more than a change of what the SDK gives."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np

import cases_maps
from sdk import Case, Task, annotations, load, write


def special(case: Case, found: Any, maps: Any, run: Callable[[Case], tuple[Any, Any]]) -> tuple[Any, Any]:
    """Return the annotations and maps of a case with an entry in `extra`."""
    if "as_soft" in case.extra:
        return without_scores(case, run), None
    if "shift_maps" in case.extra:
        return found, own_maps(case)
    if "asynchronous" in case.extra:
        return asynchronously(case), None
    if "first_of" in case.extra:
        return first_object(case), None
    return averaged(case), None


def without_scores(case: Case, run: Callable) -> list[dict]:
    """Return the polygons of the case with scores, each with probability 1."""
    twin = next(item for item in cases_maps.segmentation() if item.name == case.extra["as_soft"])
    found, _ = run(twin)
    return [item | {"labels": [item["labels"][0] | {"probability": 1.0}]} for item in found]


def loaded(case: Case) -> Any:
    """Return the SDK's model of a case with one task."""
    with tempfile.TemporaryDirectory() as folder:
        write(case, Path(folder))
        return load(Path(folder)).models[0]


def own_maps(case: Case) -> dict[str, list]:
    """Return ModelAPI's map of each class, the background left out."""
    wrapper = loaded(case)._inference_model
    image = np.zeros((case.image[1], case.image[0], 3), np.uint8)
    levels = wrapper(image).saliency_map
    named = [item for item in case.tasks[0].labels if not item["is_empty"]]
    return {item["name"]: levels[:, :, place + 1].tolist() for place, item in enumerate(named)}


def with_info(case: Case, change: Callable[[dict], dict]) -> Case:
    """Return the case with another configuration of its only task."""
    task = case.tasks[0]
    return dataclasses.replace(case, tasks=[dataclasses.replace(task, info=change(task.info))])


def asynchronously(case: Case) -> list[dict]:
    """Return what the SDK gives when ModelAPI's tiler runs asynchronously."""
    from model_api.pipelines import AsyncPipeline

    model = loaded(case)
    # The SDK reloads the model after it has made the tiler, whose callback is lost with it.
    model._tiler.async_pipeline = AsyncPipeline(model._inference_model)
    model._tiler.execution_mode = "async"
    image = np.zeros((case.image[1], case.image[0], 3), np.uint8)
    return annotations(model.infer(image))


def first_object(case: Case) -> list[dict]:
    """Return the first object of the same case with room for two."""
    found = asynchronously(with_info(case, lambda info: info | {"max_pred_number": "2"}))
    assert len(found) == 2
    return found[:1]


def averaged(case: Case) -> list[dict]:
    """Return the polygons of scores that are averaged over tiles."""
    from model_api.models import ImageResultWithSoftPrediction

    task: Task = case.tasks[0]
    width, height = case.image
    size, step = int(task.info["tile_size"]), 24
    scores = task.outputs["output"][0].transpose(1, 2, 0)
    sums, votes = np.zeros((height, width, scores.shape[2])), np.zeros((height, width, 1))
    tiles = [(0, 0, width, height)] + [(x, y, min(x + size, width), min(y + size, height))
                                       for x in range(0, width, step) for y in range(0, height, step)]
    for x, y, right, bottom in tiles:
        part = cv2.resize(scores, (right - x, bottom - y), interpolation=cv2.INTER_NEAREST)
        sums[y:bottom, x:right] += part
        votes[y:bottom, x:right] += 1
    mean = (sums / votes).astype(np.float32)
    tiling = ("tile_size", "tiles_overlap", "max_pred_number", "iou_threshold")
    model = loaded(with_info(case, lambda info: {key: info[key] for key in info if key not in tiling}))
    merged = ImageResultWithSoftPrediction(mean.argmax(2), mean, np.ndarray(0), np.ndarray(0))
    return annotations(model._converter.convert_to_prediction(merged))
