"""What geti-sdk gives on demo photos: labels, probabilities, logits, features, saliency.

Single precision: `Deployment.load_inference_models` is called with
`openvino_configuration={"INFERENCE_PRECISION_HINT": "f32"}`, which reaches
`Core.compile_model` through ModelAPI's `plugin_config`; the compiled model is asked
afterwards, and the script stops if it does not answer f32.
"""

import shutil
from pathlib import Path

import cv2
import numpy as np
from geti_sdk.deployment import Deployment
from geti_sdk.rest_converters.prediction_rest_converter import PredictionRESTConverter

from fixtures_golden import write_json
from fixtures_resize import F32, model_api_resize, read_rgb, write_png

PHOTOS = (
    "fish/fish1", "tool/plier3", "tool/plier2", "monument/cabrillo_b",
    "monument/redPyramid_b", "renewable/solar5", "other/cup", "farm_animal/duck",
)
CROPS = (("crop_5x3", "fish/fish1", 100, 80, 5, 3), ("crop_1x1", "fish/fish1", 150, 90, 1, 1),
         ("crop_300x1", "renewable/solar5", 10, 60, 300, 1))
"""Name, photo, x, y, width, height: sizes that no camera makes."""

JPEG_PHOTO = "renewable/solar5"
SUBSAMPLING = {
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}


def load(folder: Path) -> Deployment:
    """Load the deployment for single-precision inference on the CPU."""
    deployment = Deployment.from_folder(folder)
    deployment.load_inference_models(device="CPU", openvino_configuration=F32)
    compiled = deployment.models[0]._inference_model.inference_adapter.compiled_model
    precision = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    if precision not in ("f32", "float"):
        raise SystemExit(f"the model runs in {precision}, not f32")
    return deployment


def raw_outputs(deployment: Deployment, image: np.ndarray) -> dict[str, np.ndarray]:
    """Return copies of the network's outputs, through the SDK's own model wrapper."""
    wrapper = deployment.models[0]._inference_model
    inputs, _ = wrapper.base_preprocess(image)
    return {name: value.copy() for name, value in wrapper.infer_sync(inputs).items()}


def saliency_image(prediction: object, labels: list[str]) -> np.ndarray:
    """Return the enlarged maps below each other, in label order: (C * height) x width, u8."""
    maps = prediction.maps[0].data
    if list(maps) != labels:
        raise SystemExit(f"saliency maps in an unexpected order: {list(maps)}")
    return np.vstack([maps[label] for label in labels])


def describe(deployment: Deployment, name: str, photo: str | None, image: np.ndarray, out: Path) -> dict:
    """Run one image and write its fixture files; return its entry."""
    plain, explained = deployment.infer(image), deployment.explain(image)
    raw = raw_outputs(deployment, image)
    labels = [label.name for label in deployment.models[0].labels.get_non_empty_labels()]
    features = np.asarray(explained.feature_vector).reshape(-1)
    if not np.array_equal(features, raw["feature_vector"].reshape(-1)):
        raise SystemExit(f"{name}: the SDK's feature vector is not the network's")
    wrapper = deployment.models[0]._inference_model
    write_png(out / f"{name}.png", image)
    write_png(out / f"{name}_input.png", model_api_resize(image, 224, 224, "standard", 0))
    write_png(out / f"{name}_saliency.png", saliency_image(explained, labels))
    np.save(out / f"{name}_features.npy", features.astype(np.float32))
    best = plain.annotations[0].labels[0]
    return {
        "name": name,
        "photo": photo and f"photos/{photo}.webp",
        "width": image.shape[1],
        "height": image.shape[0],
        "label": best.name,
        "probability": float(best.probability),
        "probabilities": dict(zip(labels, wrapper.get_all_probs(raw["logits"]).astype(float).tolist())),
        "logits": raw["logits"][0].astype(float).tolist(),
        "saliency_map": raw["saliency_map"][0].tolist(),
        "prediction": PredictionRESTConverter.to_dict(plain),
    }


def images(photos: Path) -> list[tuple[str, str | None, np.ndarray]]:
    """Return name, photo (None for a crop) and pixels of every image."""
    listed = [(photo.replace("/", "_"), photo, read_rgb(photos / f"{photo}.webp")) for photo in PHOTOS]
    for name, photo, x, y, width, height in CROPS:
        crop = read_rgb(photos / f"{photo}.webp")[y : y + height, x : x + width]
        listed.append((name, None, np.ascontiguousarray(crop)))
    return listed


def make_jpegs(photos: Path, out: Path) -> None:
    """Write one photo as JPEG in several flavours, and what cv2 decodes from each."""
    bgr = cv2.imread(str(photos / f"{JPEG_PHOTO}.webp"))[:133, :187]
    flavours = {name: (factor, 0) for name, factor in SUBSAMPLING.items()}
    flavours["420_progressive"] = (SUBSAMPLING["420"], 1)
    for name, (factor, progressive) in flavours.items():
        path = out / f"jpeg_{name}.jpg"
        cv2.imwrite(str(path), bgr, [
            cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor,
            cv2.IMWRITE_JPEG_PROGRESSIVE, progressive,
        ])
        write_png(out / f"jpeg_{name}.png", read_rgb(path))


def make_smaller(photos: Path, out: Path) -> None:
    """Write a JPEG file whose sides divide by 8, and what cv2 decodes from it at parts of its size."""
    bgr = cv2.imread(str(photos / f"{JPEG_PHOTO}.webp"))[:128, :184]
    path = out / "jpeg_even.jpg"
    cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, 88])
    for divisor in (2, 4, 8):
        smaller = cv2.imread(str(path), getattr(cv2, f"IMREAD_REDUCED_COLOR_{divisor}"))
        write_png(out / f"jpeg_even_{divisor}.png", cv2.cvtColor(smaller, cv2.COLOR_BGR2RGB))


def make(demo: Path, out: Path) -> None:
    """Write the demo fixtures."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    deployment = load(demo / "deployment")
    listed = images(demo / "photos")
    entries = [describe(deployment, *item, out) for item in listed]
    make_jpegs(demo / "photos", out)
    make_smaller(demo / "photos", out)
    for entry in entries:
        write_json(out / f"{entry['name']}.json", entry, None)
    write_json(out / "names.json", [entry["name"] for entry in entries])
    for entry in entries:
        print(entry["name"], entry["width"], entry["height"], entry["label"], f"{entry['probability']:.4f}")
