"""One script for the SDK and for this package: what deployments say about images.

    compare_deployment.py PACKAGE DEPLOYMENT OUT ITEM...      run it (PACKAGE: geti_sdk|straylight)
    compare_deployment.py --compare ONE OTHER                 compare what two runs wrote

Only the name of the package differs between the runs. An ITEM is a photo, seen by DEPLOYMENT, or
one of `fixtures/deployments`: a deployment of its own, which sees a made picture.
"""

import base64
import importlib
import json
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

#: How far probabilities may lie apart.
TOLERANCE = 1e-3

#: Numbers are compared in 32 bits; the chip may prefer 16.
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def load(package, folder):
    deployment = importlib.import_module(f"{package}.deployment").Deployment.from_folder(folder)
    deployment.load_inference_models(device="CPU", openvino_configuration=EXACT)
    return deployment


def run(package, folder, out, items):
    """Looks at each item; writes what the package says."""
    deployment = load(package, folder)
    found = {}
    for item in items:
        if item.endswith(".json"):
            found[item] = look_at_fixture(package, json.loads(Path(item).read_text()))
        else:
            image = cv2.cvtColor(cv2.imread(item), cv2.COLOR_BGR2RGB)
            found[item] = look_at(package, deployment, image) | explained(deployment, image)
    Path(out).write_text(json.dumps(found))


def look_at_fixture(package, fixture):
    """Unpacks a deployment and lets it see the picture that belongs to it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in fixture["files"].items():
            path = Path(folder) / "deployment" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            is_binary = name.endswith(".bin")
            path.write_bytes(base64.b64decode(text) if is_binary else text.encode())
        deployment = load(package, folder)
        return look_at(package, deployment, picture(fixture["width"], fixture["height"]))


def picture(width, height):
    """The picture that the fixtures were made with."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    channels = (7 * x + 3 * y, 2 * x + 11 * y, x * y + 5 * x)
    return np.stack([channel % 256 for channel in channels], axis=-1).astype(np.uint8)


def look_at(package, deployment, image):
    """Annotations, names and the decisions of triggers."""
    hooks = importlib.import_module(f"{package}.post_inference_hooks")
    triggers = [
        hooks.AlwaysTrigger(),
        hooks.LabelTrigger(label_names=["fish", "dog"]),
        hooks.ObjectCountTrigger(threshold=1),
        hooks.ObjectCountTrigger(threshold=1, label_names=["dog"], mode="lower"),
        hooks.ConfidenceTrigger(threshold=0.7),
    ]
    prediction = deployment.infer(image.copy())
    # The SDK's raises for shapes that are no boxes.
    if all(str(one.shape.type) == "RECTANGLE" for one in prediction.annotations):
        triggers.append(hooks.EmptyLabelTrigger())
    return {
        "annotations": [described(one) for one in prediction.annotations],
        "label_names": sorted(prediction.get_label_names()),
        "kind": str(prediction.kind),
        "decisions": [
            bool(trigger.get_decision(trigger(image=image, prediction=prediction)))
            for trigger in triggers
        ],
    }


def explained(deployment, image):
    """Features and the names of saliency maps."""
    prediction = deployment.explain(image)
    return {
        "features": [float(value) for value in prediction.feature_vector.reshape(-1)],
        "feature_shape": list(prediction.feature_vector.shape),
        "maps": sorted(prediction.maps[0].data),
    }


def described(annotation):
    shape = annotation.shape
    if hasattr(shape, "points"):
        numbers = [[float(point.x), float(point.y)] for point in shape.points]
    else:
        keys = [key for key in ("x", "y", "width", "height", "angle") if hasattr(shape, key)]
        numbers = [float(getattr(shape, key)) for key in keys]
    return {
        "shape": [str(shape.type), numbers],
        "labels": {label.name: label.probability for label in annotation.labels},
    }


def compare(one, other):
    """Fails where two runs differ; returns the largest difference of a probability."""
    first, second = (json.loads(Path(path).read_text()) for path in (one, other))
    assert list(first) == list(second)
    worst = 0.0
    for item, theirs in first.items():
        ours = second[item]
        for key in ("label_names", "kind", "maps", "decisions", "feature_shape"):
            assert ours.get(key) == theirs.get(key), (item, key, ours.get(key), theirs.get(key))
        for a, b in zip(theirs["annotations"], ours["annotations"], strict=True):
            assert a["shape"] == b["shape"], (item, a, b)
            assert set(a["labels"]) == set(b["labels"]), (item, a, b)
            apart = [abs(a["labels"][name] - b["labels"][name]) for name in a["labels"]]
            worst = max([worst, *apart])
        if "features" in theirs:
            pairs = zip(theirs["features"], ours["features"], strict=True)
            scale = max(abs(value) for value in theirs["features"])
            assert max(abs(x - y) for x, y in pairs) <= 1e-2 * scale, item
    assert worst <= TOLERANCE, worst
    return len(first), worst


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        count, worst = compare(*sys.argv[2:4])
        print(f"{count} items: same labels and shapes; probabilities at most {worst:.1e} apart")
    else:
        run(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
