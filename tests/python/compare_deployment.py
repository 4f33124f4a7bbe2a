"""One script for the SDK and for this package: what a deployment says about photos.

    compare_deployment.py PACKAGE DEPLOYMENT OUT PHOTO...     run it (PACKAGE: geti_sdk|straylight)
    compare_deployment.py --compare ONE OTHER                 compare what two runs wrote

Only the name of the package differs between the runs.
"""

import importlib
import json
import sys

#: How far probabilities may lie apart.
TOLERANCE = 1e-3


def run(package, folder, out, photos):
    """Infers and explains each photo; writes labels, shapes, probabilities, features."""
    import cv2

    deployment_module = importlib.import_module(f"{package}.deployment")
    hooks = importlib.import_module(f"{package}.post_inference_hooks")
    deployment = deployment_module.Deployment.from_folder(folder)
    # The chip may prefer 16-bit numbers; numbers are compared with 32 bits.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    deployment.load_inference_models(device="CPU", openvino_configuration=exact)
    triggers = [
        hooks.AlwaysTrigger(),
        hooks.LabelTrigger(label_names=["fish"]),
        hooks.ObjectCountTrigger(threshold=0),
        hooks.EmptyLabelTrigger(),
    ]
    found = []
    for photo in photos:
        image = cv2.cvtColor(cv2.imread(photo), cv2.COLOR_BGR2RGB)
        prediction = deployment.infer(image)
        explained = deployment.explain(image)
        found.append(
            {
                "annotations": [described(one) for one in prediction.annotations],
                "label_names": sorted(prediction.get_label_names()),
                "kind": str(prediction.kind),
                "features": [float(x) for x in explained.feature_vector.reshape(-1)],
                "maps": sorted(explained.maps[0].data),
                "decisions": [
                    bool(trigger.get_decision(trigger(image=image, prediction=prediction)))
                    for trigger in triggers
                ],
            }
        )
    with open(out, "w") as file:
        json.dump(found, file)


def described(annotation):
    shape = annotation.shape
    keys = ("x", "y", "width", "height")
    return {
        "shape": [str(shape.type)] + [int(getattr(shape, key)) for key in keys],
        "labels": {label.name: label.probability for label in annotation.labels},
    }


def compare(one, other):
    """Says where two runs differ; returns the largest difference of a probability."""
    with open(one) as first, open(other) as second:
        pairs = list(zip(json.load(first), json.load(second), strict=True))
    worst = 0.0
    for ours, theirs in pairs:
        for key in ("label_names", "kind", "maps", "decisions"):
            assert ours[key] == theirs[key], (key, ours[key], theirs[key])
        for a, b in zip(ours["annotations"], theirs["annotations"], strict=True):
            assert a["shape"] == b["shape"], (a, b)
            assert set(a["labels"]) == set(b["labels"]), (a, b)
            apart = [abs(a["labels"][name] - b["labels"][name]) for name in a["labels"]]
            worst = max([worst, *apart])
        scale = max(abs(x) for x in ours["features"])
        apart = max(abs(x - y) for x, y in zip(ours["features"], theirs["features"], strict=True))
        assert apart <= 1e-2 * scale, (apart, scale)
    assert worst <= TOLERANCE, worst
    return len(pairs), worst


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        count, worst = compare(*sys.argv[2:4])
        print(f"{count} photos: same labels and shapes; probabilities at most {worst:.1e} apart")
    else:
        run(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
