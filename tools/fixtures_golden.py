"""Convert golden numbers of other implementations into small fixture files."""

import json
import shutil
from pathlib import Path

import numpy as np

DETECTOR_FILES = ("small", "rankdef", "wide", "conformal")
COOD_FILES = ("cood_default", "cood_full")
COOD_JSON = ("cood_default", "cood_full", "splits", "metrics_cases", "entropy_cases")
# The forest's nodes and the PCA axes are megabytes that no test compares.
COOD_LEFT_OUT = ("rf_offsets", "rf_left", "rf_right", "rf_feature", "rf_threshold", "rf_value")


def plain(array: np.ndarray) -> np.ndarray:
    """Return an array that a simple reader can read: booleans become u8, order C."""
    return np.ascontiguousarray(array.astype(np.uint8) if array.dtype == bool else array)


def write_json(path: Path, value: object, indent: int | None = 1) -> None:
    """Write JSON; the shortest form when `indent` is None."""
    path.parent.mkdir(parents=True, exist_ok=True)
    separators = (",", ":") if indent is None else None
    path.write_text(json.dumps(value, indent=indent, separators=separators) + "\n", encoding="utf-8")


def convert_detectors(source: Path, out: Path) -> None:
    """Copy the detector vectors; the versions and parameters move to a JSON file each."""
    out.mkdir(parents=True, exist_ok=True)
    for name in DETECTOR_FILES:
        with np.load(source / f"{name}.npz") as stored:
            arrays = {key: plain(stored[key]) for key in stored.files if key != "meta_json"}
            meta = json.loads(str(stored["meta_json"]))
        np.savez_compressed(out / f"{name}.npz", **arrays)
        write_json(out / f"{name}.json", meta)


def convert_features(source: Path, out: Path) -> None:
    """Copy the raw feature vectors and the per-image columns as single arrays."""
    with np.load(source / "features.npz") as stored:
        raw, used = stored["raw_feature_vector"], stored["feature_vector"]
        norm = np.linalg.norm(raw.astype(np.float64), axis=1, keepdims=True)
        if np.abs(raw / norm - used).max() > 1e-6:
            raise SystemExit("cood: the reference's features are not the L2-normalised raw ones")
        np.save(out / "raw_features.npy", raw)
        for key in ("raw_scores", "msp", "predicted", "annotated"):
            np.save(out / f"{key}.npy", plain(stored[key]))


def kept(key: str) -> bool:
    """Whether an array of the COOD files is kept."""
    return key not in COOD_LEFT_OUT and not key.endswith(("_components", "_mean"))


def convert_cood(source: Path, out: Path) -> None:
    """Copy the COOD reference's numbers without its model and its pictures."""
    out.mkdir(parents=True, exist_ok=True)
    convert_features(source, out)
    for name in COOD_FILES:
        with np.load(source / f"{name}.npz") as stored:
            arrays = {key: plain(stored[key]) for key in stored.files if kept(key)}
            counts = {
                key.removesuffix("_components").removeprefix("pca_"): len(stored[key])
                for key in stored.files if key.endswith("_components")
            }
        np.savez_compressed(out / f"{name}.npz", **arrays)
        if counts:
            write_json(out / "pca_components.json", counts)
    for name in COOD_JSON:
        write_json(out / f"{name}.json", json.loads((source / f"{name}.json").read_text()), None)
    labels = json.loads((source / "files.json").read_text())["labels"]
    write_json(out / "labels.json", labels, None)


def convert(source: Path, out: Path) -> None:
    """Convert everything."""
    for folder in ("cood", "detectors"):
        shutil.rmtree(out / folder, ignore_errors=True)
    convert_cood(source / "cood", out / "cood")
    convert_detectors(source / "detectors", out / "detectors")
