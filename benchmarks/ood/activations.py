"""Activations of every pair of model and data, one `.npz` file per trial.

Arrays of a file: for each part `train` (seen by the network), `calibrate` (not seen), `test`,
`near`, `far_*` and `hole` (black-hole outliers of `train` and `calibrate`): `<part>_features`
[n, D] and `<part>_logits` [n, C]; `train_labels`, `calibrate_labels`, `test_labels` [n];
`head_w` [C, D] and `head_b` [C].
"""

import os
import sys
import zlib
from pathlib import Path

import numpy as np
import openvino
from sklearn.linear_model import LogisticRegression

import data

EXTRACTOR = Path(os.environ.get("STRAYLIGHT_EXTRACTOR", "efficientnet_lite0_feat.xml"))
SEEDS = (0, 1, 2)
FAR_IMAGES = 1000
MAX_TRAIN = 9000
"""Most images that train a small network: enough for its accuracy, and kind to the machine."""

FASHION_SPLITS = [(0, 1, 3, 5, 7, 8), (2, 3, 5, 6, 8, 9), (0, 2, 4, 6, 7, 8)]
# Pair -> class splits (in-distribution classes); a `dev_` pair chose the default, others report it.
SMALL_SETS = {
    "dev_digits": ("digits", "dense", 64, 12, [(0, 1, 2, 3, 4, 5), (4, 5, 6, 7, 8, 9), (0, 2, 4, 6, 8, 9)]),
    "dev_fashion": ("fashion", "dense", 128, 3, [(0, 1, 2, 3, 4, 9), (1, 4, 5, 6, 7, 9)]),
    "dev_mnist": ("mnist", "pooled", 64, 4, [(0, 1, 2, 3, 4, 5)]),
    "fashion": ("fashion", "dense", 128, 3, FASHION_SPLITS),
    "fashion_pooled": ("fashion", "pooled", 96, 2, FASHION_SPLITS),
    "mnist": ("mnist", "dense", 256, 4, [(4, 5, 6, 7, 8, 9), (0, 2, 4, 6, 8, 9), (1, 3, 5, 7, 8, 9)]),
    "animal": ("animal", "pooled", 64, 5, [(0, 1, 2, 3, 4, 5), (4, 5, 6, 7, 8, 9), (0, 2, 4, 6, 8, 9)]),
}  # fmt: skip
PICTURE_SETS = {
    "dev_clipart": ("clipart", [8, 12, 4]),
    "stamps": ("stamps", [6, 8, 4]),
    "photos": ("photos", [4, 3, 4]),
}


def save(name: str, split: int, seed: int, arrays: dict) -> None:
    """Write one trial in one piece."""
    folder = data.CACHE / "activations"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{split}-{seed}.npz"
    rounded = {k: v.astype(np.float32 if v.dtype.kind == "f" else np.int64) for k, v in arrays.items()}
    np.savez(path.with_suffix(".part.npz"), **rounded)
    path.with_suffix(".part.npz").rename(path)
    sys.stdout.write(f"{path.name} train {len(arrays['train_labels'])}\n")


def exists(name: str, split: int, seed: int) -> bool:
    """Say whether the trial was computed before."""
    return (data.CACHE / "activations" / f"{name}-{split}-{seed}.npz").exists()


def small_set(name: str) -> tuple:
    """Return (pixels, labels) that may train and (pixels, labels) of the test."""
    if name == "fashion":
        return data.fashion("train"), data.fashion("t10k")
    pixels, labels = {"digits": data.digits, "mnist": data.mnist, "animal": data.animals}[name]()
    order = np.random.default_rng(7).permutation(len(labels))
    test, train = order[: len(order) // 4], order[len(order) // 4 :]
    return (pixels[train], labels[train]), (pixels[test], labels[test])


def far_sets(name: str, side: int, rng) -> dict[str, np.ndarray]:
    """Return the pixels of the other small sets, resized to `side`."""
    import cv2

    sources = {"fashion": data.fashion("t10k"), "mnist": data.mnist(), "animal": data.animals()}
    far = {}
    for other, (pixels, _) in sources.items():
        if other != name:
            picked = pixels[rng.choice(len(pixels), FAR_IMAGES, replace=False)]
            far[other] = np.stack([cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA) for p in picked])
    return far


def small_trial(name: str, split: int, seed: int) -> dict:
    """Train a network on one class split of a small set and return the arrays of the trial."""
    import networks

    source, kind, width, epochs, splits = SMALL_SETS[name]
    known = splits[split]
    rng = np.random.default_rng([seed, split, zlib.crc32(name.encode())])
    (pixels, labels), (test_pixels, test_labels) = small_set(source)
    test_pixels, test_labels = test_pixels[:6000], test_labels[:6000]
    order = rng.permutation(np.flatnonzero(np.isin(labels, known)))
    held = order[: len(order) // 8][:600]
    rest = order[len(order) // 8 :][:MAX_TRAIN]
    to_index = np.full(10, -1)
    to_index[list(known)] = np.arange(len(known))
    net = networks.train(kind, pixels[rest], to_index[labels[rest]], len(known), width, epochs, seed)
    is_known = np.isin(test_labels, known)
    fit = np.concatenate([rest, held])
    parts = {
        "train": pixels[rest], "calibrate": pixels[held],
        "test": test_pixels[is_known], "near": test_pixels[~is_known],
        "hole": np.stack([data.black_hole(p, rng) for p in pixels[rng.permutation(fit)[:2600]]]),
    }  # fmt: skip
    parts |= {f"far_{k}": v for k, v in far_sets(source, pixels.shape[1], rng).items()}
    arrays = {}
    for part, images in parts.items():
        arrays[f"{part}_features"], arrays[f"{part}_logits"] = networks.activations(net, images)
    arrays["head_w"], arrays["head_b"] = networks.head(net)
    arrays["train_labels"], arrays["calibrate_labels"] = to_index[labels[rest]], to_index[labels[held]]
    arrays["test_labels"] = to_index[test_labels[is_known]]
    return arrays


class Extractor:
    """EfficientNet-Lite0 in float32: RGB images [224, 224, 3] to features [1280]."""

    def __init__(self):
        core = openvino.Core()
        model = core.read_model(EXTRACTOR)
        model.reshape([1, 3, data.SIDE, data.SIDE])
        options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2}
        self.compiled = core.compile_model(model, "CPU", options)

    def __call__(self, images) -> np.ndarray:
        return np.stack([self._one(image) for image in images])

    def _one(self, image: np.ndarray) -> np.ndarray:
        x = (image.astype(np.float32) - 127) / 128
        return self.compiled(x.transpose(2, 0, 1)[None])["features"][0].copy()


def picture_features(name: str) -> dict[str, np.ndarray]:
    """Return and cache `features`, `hole_features` and `classes` of a set of pictures."""
    path = data.CACHE / f"pictures-{name}.npz"
    if not path.exists():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        pictures = getattr(data, name)() if name != "garments" else garments(rng)
        extract = Extractor()
        holes = [data.black_hole(image, rng) for image in pictures.images]
        np.savez(
            path, features=extract(pictures.images), hole_features=extract(holes), classes=pictures.classes
        )
    return dict(np.load(path))


def garments(rng) -> data.LabelledImages:
    """Return 300 FashionMNIST test images as pictures, a set far from everything else."""
    import cv2

    pixels, _ = data.fashion("t10k")
    picked = pixels[rng.choice(len(pixels), 300, replace=False)]
    images = [cv2.resize(cv2.cvtColor(p, cv2.COLOR_GRAY2RGB), (data.SIDE, data.SIDE)) for p in picked]
    return data.LabelledImages(images, np.full(len(images), "garment"))


def picture_trial(found: dict, known, near, far: dict, rng) -> dict:
    """Fit a linear head on the features of `known` and return the arrays of the trial."""
    members = rng.permutation(np.flatnonzero(np.isin(found["classes"], known)))
    cuts = [int(len(members) * share) for share in (0.5, 0.7)]
    indices = dict(zip(("train", "calibrate", "test"), np.split(members, cuts), strict=True))
    labels = {k: np.searchsorted(known, found["classes"][v]) for k, v in indices.items()}
    train = found["features"][indices["train"]]
    fitted = LogisticRegression(C=0.01, max_iter=2000).fit(train, labels["train"])
    w, b = fitted.coef_, fitted.intercept_
    if len(known) == 2:
        w, b = np.concatenate([-w / 2, w / 2]), np.concatenate([-b / 2, b / 2])
    features = {k: found["features"][v] for k, v in indices.items()}
    features["near"] = found["features"][np.isin(found["classes"], near)]
    features["hole"] = found["hole_features"][members[: cuts[1]]]
    features |= {f"far_{k}": v for k, v in far.items()}
    arrays = {f"{k}_features": v for k, v in features.items()}
    arrays |= {f"{k}_logits": v @ w.T + b for k, v in features.items()}
    arrays |= {f"{k}_labels": v for k, v in labels.items()}
    return arrays | {"head_w": w, "head_b": b}


def known_classes(classes, count: int, split: int):
    """Choose the in-distribution classes of a split by a fixed draw; returns (known, near), sorted."""
    names = np.unique(classes)
    drawn = np.random.default_rng([split, 11]).permutation(names)
    return np.sort(drawn[:count]), np.sort(drawn[count:])


def picture_pair(name: str) -> None:
    """Compute all trials of one set of pictures."""
    source, counts = PICTURE_SETS[name]
    found = picture_features(source)
    others = {k: picture_features(k)["features"] for k in ("garments", "patterns")}
    others["cells"] = picture_features("solar_cells")["features"][::8]
    for split, count in enumerate(counts):
        known, near = known_classes(found["classes"], count, split)
        for seed in SEEDS:
            rng = np.random.default_rng([seed, split, zlib.crc32(name.encode())])
            save(name, split, seed, picture_trial(found, known, near, others, rng))


def solar_pair() -> None:
    """Compute the trials of the solar cells: good cells in, defects near, other pictures far."""
    found = picture_features("solar_cells")
    others = {k: picture_features(k)["features"] for k in ("garments", "patterns", "photos")}
    for split in range(3):
        for seed in SEEDS:
            rng = np.random.default_rng([seed, split, 5])
            arrays = picture_trial(found, np.array(["mono", "poly"]), ["defect"], others, rng)
            save("solar", split, seed, arrays)


def main() -> None:
    """Compute every trial that is not cached."""
    for name in PICTURE_SETS:
        picture_pair(name)
    solar_pair()
    for seed in SEEDS:
        for name, spec in SMALL_SETS.items():
            for split in range(len(spec[4])):
                if not exists(name, split, seed):
                    save(name, split, seed, small_trial(name, split, seed))


if __name__ == "__main__":
    main()
