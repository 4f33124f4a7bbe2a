"""Measure whether the objects' scores of a detector help to find strange images.

python objects.py DETECTOR.xml

DETECTOR takes RGB images of 512 x 512 in 0..255, shape [1, 512, 512, 3], and has an output `detections`
[1, n, 6] with the score of each object in column 4. STRAYLIGHT_PHOTOS names the folder of the demo photos.
Each group of photos is in-distribution once and all other groups are strange. The pooled score is the mean of
three parts of the default (nearest image and Gaussian of unit features, Gaussian of raw features) in 5 folds;
an object score is scaled in the same way (median and 90 % quantile of the in-distribution images) and weighs
as much as one part.
"""

import os
import sys
from pathlib import Path

import numpy as np

GROUPS = {
    "animals": ("wild_animal", "farm_animal"),
    "monuments": ("monument", "monument2"),
    "fish": ("fish",),
    "tools": ("tool",),
    "renewables": ("renewable",),
}
SIDE, FOLDS = 512, 5
OBJECTS = {
    "most certain object": lambda p: -p.max(axis=1),
    "five most certain": lambda p: -p[:, :5].mean(axis=1),
}


def compiled(path: str):
    """Return the detector with the widest feature map of 16 x 16 cells as a second output."""
    import openvino

    core = openvino.Core()
    model = core.read_model(path)

    def channels(node) -> int:
        if node.get_type_name() in ("Constant", "Result", "Parameter") or node.get_output_size() != 1:
            return 0
        shape = node.output(0).get_partial_shape()
        sizes = tuple(shape.to_shape()) if shape.is_static else ()
        return sizes[1] if len(sizes) == 4 and sizes[2:] == (16, 16) else 0

    nodes = model.get_ordered_ops()
    widest = max(map(channels, nodes))
    last = [node for node in nodes if channels(node) == widest][-1]
    model.add_outputs([last.output(0)])
    return core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def infer(detector, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the pooled features and the objects' scores of every image of a folder."""
    from PIL import Image

    features, objects = [], []
    for path in sorted(folder.iterdir()):
        image = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        found = detector(np.asarray(image, np.float32)[None])
        features.append(found[detector.outputs[-1]][0].mean(axis=(1, 2)))
        objects.append(np.sort(found["detections"][0, :, 4])[::-1])
    return np.array(features, np.float64), np.array(objects, np.float64)


def unit(rows: np.ndarray) -> np.ndarray:
    """Scale every row to length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def gaussian(fit: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the Mahalanobis distance with the covariance of Ledoit and Wolf."""
    from sklearn.covariance import LedoitWolf

    return LedoitWolf().fit(fit).mahalanobis(rows)


def parts(fit: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the three pooled parts, shape [3, n]."""
    ufit, urows = unit(fit), unit(rows)
    nearest = np.linalg.norm(urows[:, None] - ufit[None], axis=2).min(axis=1)
    return np.stack([nearest, gaussian(fit, rows), gaussian(ufit, urows)])


def scaled(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre on the median and divide by the 90 % quantile's distance from it."""
    centre = np.median(inside)
    size = np.quantile(inside, 0.9) - centre + 1e-9
    return (inside - centre) / size, (outside - centre) / size


def auroc(inside: np.ndarray, outside: np.ndarray) -> float:
    """Return the area under the ROC curve in per cent."""
    above = (outside[:, None] > inside[None]).mean()
    return 100 * (above + 0.5 * (outside[:, None] == inside[None]).mean())


def measure(features: dict, objects: dict, name: str) -> dict:
    """Return the AUROC of the pooled score, each object score, and both, with one group as normal."""
    fit = features[name]
    others = [other for other in features if other != name]
    strange = np.concatenate([features[other] for other in others])
    fold = np.random.default_rng(0).permutation(len(fit)) % FOLDS
    own = np.zeros((3, len(fit)))
    for k in range(FOLDS):
        own[:, fold == k] = parts(fit[fold != k], fit[fold == k])
    pairs = [scaled(a, b) for a, b in zip(own, parts(fit, strange), strict=True)]
    pooled = [np.sum(side, axis=0) for side in zip(*pairs, strict=True)]
    found = {"pooled": auroc(*pooled)}
    for label, score in OBJECTS.items():
        both = scaled(score(objects[name]), score(np.concatenate([objects[other] for other in others])))
        found[label] = auroc(*both)
        found[f"pooled + {label}"] = auroc(*(a + b for a, b in zip(pooled, both, strict=True)))
    return found


def main() -> None:
    """Print one row a group and their mean."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    detector, photos = compiled(sys.argv[1]), Path(os.environ["STRAYLIGHT_PHOTOS"])
    features, objects = {}, {}
    for name, folders in GROUPS.items():
        found = [infer(detector, photos / folder) for folder in folders]
        features[name], objects[name] = (np.concatenate(side) for side in zip(*found, strict=True))
    rows = {name: measure(features, objects, name) for name in GROUPS}
    columns = list(rows["animals"])
    rows["mean"] = {c: np.mean([row[c] for row in rows.values()]) for c in columns}
    lines = ["| in-distribution | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{row[c]:.1f}" for c in columns) + " |" for name, row in rows.items()
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
