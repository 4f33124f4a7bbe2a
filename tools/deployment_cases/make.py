"""What the Python SDK predicts for small deployments of every task.

    python tools/deployment_cases/make.py fixtures/deployments

Each case is one JSON file: the files of a deployment, the size of an image (its pixels follow a
formula, see `picture`), and the SDK's prediction and explanation in f32.
"""

import base64
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import cv2
import numpy as np
import openvino as ov

import cases
from geti_sdk.data_models.shapes import Ellipse, Keypoint, Polygon, Rectangle, RotatedRectangle
from geti_sdk.deployment import Deployment
from model_api.pipelines import AsyncPipeline

F32 = {"INFERENCE_PRECISION_HINT": "f32"}


def picture(width: int, height: int) -> np.ndarray:
    """Return the test picture of this size: u8, height x width x RGB."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    channels = (7 * x + 3 * y, 2 * x + 11 * y, x * y + 5 * x)
    return np.stack([channel % 256 for channel in channels], axis=-1).astype(np.uint8)


def shape_of(shape) -> dict:
    """Return a shape as the REST API writes it, with full precision."""
    if isinstance(shape, Polygon):
        return {"type": "POLYGON", "points": [{"x": float(p.x), "y": float(p.y)} for p in shape.points]}
    kinds = {
        RotatedRectangle: ("ROTATED_RECTANGLE", ("x", "y", "width", "height", "angle")),
        Ellipse: ("ELLIPSE", ("x", "y", "width", "height")),
        Keypoint: ("KEYPOINT", ("x", "y", "is_visible")),
        Rectangle: ("RECTANGLE", ("x", "y", "width", "height")),
    }
    name, keys = next(kinds[kind] for kind in kinds if isinstance(shape, kind))
    values = {key: getattr(shape, key) for key in keys}
    return {"type": name} | {key: value if isinstance(value, bool) else float(value) for key, value in values.items()}


def annotations_of(prediction) -> list[dict]:
    """Return a prediction's annotations in order."""
    return [
        {
            "shape": shape_of(annotation.shape),
            "labels": [
                {"id": label.id, "name": label.name, "probability": float(label.probability)}
                for label in annotation.labels
            ],
        }
        for annotation in prediction.annotations
    ]


def encode(data: bytes) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(data).decode("ascii")


def explanation_of(deployment: Deployment, image: np.ndarray) -> dict:
    """Return the SDK's saliency maps (label name to grey levels) and feature vector."""
    prediction = deployment.explain(image)
    maps = prediction.maps[0].data or {}
    found = {"saliency_maps": {name: encode(np.ascontiguousarray(data).tobytes()) for name, data in maps.items()}}
    if prediction.feature_vector is not None and np.size(prediction.feature_vector):
        found["feature_vector"] = [float(value) for value in np.asarray(prediction.feature_vector).ravel()]
    return found


def write_deployment(case: cases.Case, folder: Path) -> None:
    """Write the files of a case's deployment."""
    for name, content in case.files().items():
        path = folder / "deployment" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class TileClassifier:
    """What ModelAPI's tiler asks of a tile classifier; the SDK never finds the file of one."""

    def __init__(self, model: ov.Model) -> None:
        """Compile the model in f32."""
        self.compiled = ov.compile_model(model, "CPU", F32)

    def infer_sync(self, inputs: dict[str, np.ndarray]) -> dict[str, float]:
        """Return the probability that the tile (1 x height x width x 3) shows an object."""
        (tile,) = inputs.values()
        height, width = self.compiled.input(0).shape[2:]
        scaled = cv2.resize(tile[0], (width, height)).transpose(2, 0, 1)[None].astype(np.float32)
        probability = float(self.compiled(scaled)["tile_prob"][0])
        assert abs(probability - 0.35) > 0.01, "too near to the threshold for two ways to scale"
        return {"tile_prob": probability}


def tile_asynchronously(model, classifier: ov.Model | None) -> None:
    """Let ModelAPI's tiler of a loaded model run asynchronously."""
    if classifier is not None:
        model._tiler.tile_classifier_model = TileClassifier(classifier)
    # The SDK reloads the model after it has made the tiler, whose callback is lost with it.
    model._tiler.async_pipeline = AsyncPipeline(model._inference_model)
    model._tiler.execution_mode = "async"


def run(case: cases.Case) -> dict:
    """Run the SDK on a case."""
    with tempfile.TemporaryDirectory() as folder:
        write_deployment(case, Path(folder))
        deployment = Deployment.from_folder(folder)
        deployment.load_inference_models(device="CPU", openvino_configuration=F32)
        if case.asynchronous:
            tile_asynchronously(deployment.models[0], case.tasks[0].tile_classifier)
        image = picture(*case.size)
        found = {"annotations": annotations_of(deployment.infer(image.copy()))}
        if case.explains:
            found |= explanation_of(deployment, image.copy())
        return found


def main() -> None:
    """Write all cases, or those whose names are given."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set(sys.argv[2:])
    for case in cases.ALL:
        if wanted and case.name not in wanted:
            continue
        texts = {name: encode(content) for name, content in case.files().items() if name.endswith(".bin")}
        texts |= {name: content.decode() for name, content in case.files().items() if not name.endswith(".bin")}
        width, height = case.size
        found = run(case)
        whole = {"about": case.about, "width": width, "height": height, "expected": found, "files": texts}
        (folder / f"{case.name}.json").write_text(json.dumps(whole, separators=(",", ":")) + "\n")
        print(case.name, len(found["annotations"]), "annotations")


if __name__ == "__main__":
    main()
