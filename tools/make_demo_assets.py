"""Make `assets/demo`: photos, split, deployment folder, and the heads of five splits.

    pip install -r tools/requirements.txt
    python tools/make_demo_assets.py --photos PHOTOS --model efficientnet_lite0_feat.xml \
        --seed 0 --out assets/demo

PHOTOS holds one folder per class and CREDITS.tsv. The same inputs and package versions
give the same bytes: ids and dates are fixed, the head has no random start. (Another kind of
processor may sum features in another order, and round a few weights to the next FP16 value.)
Everything is made in a folder beside the output folder, which is replaced at the end.

For every seed in 0..4 the split is made anew, the head is fitted anew on that split's
training photos, and what simple scores reach on its held-out photos is printed. `--seed`
chooses the one that becomes the deployment.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import openvino as ov

import demo_head
import demo_ir
import demo_split
from demo_split import CLASSES

SEEDS = range(5)
TASK = "Classification task"
FIXED_DATE = "2026-01-01T00:00:00.000000+00:00"
COLORS = ("#2f7ed8ff", "#b8860bff", "#2e8b57ff", "#c0392bff")


def object_id(name: str) -> str:
    """Return a fixed 24-digit id for a name."""
    return hashlib.sha256(f"straylight demo: {name}".encode()).hexdigest()[:24]


def write_json(path: Path, value: object) -> None:
    """Write JSON with a stable layout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def project_json() -> dict:
    """Return the project as a Geti server gives it."""
    group = "Classification labels"
    labels = [
        {"id": object_id(name), "name": name, "color": color, "group": group,
         "is_empty": False, "hotkey": "", "parent_id": None}
        for name, color in zip(CLASSES, COLORS)
    ]
    source, task = object_id("task: dataset"), object_id("task: classification")
    return {
        "id": object_id("project"),
        "name": "straylight demo",
        "creation_time": FIXED_DATE,
        "datasets": [{"id": object_id("dataset"), "name": "Dataset", "use_for_training": True}],
        "pipeline": {
            "tasks": [
                {"id": source, "title": "Dataset", "task_type": "dataset"},
                {"id": task, "title": TASK, "task_type": "classification", "labels": labels},
            ],
            "connections": [{"from": source, "to": task}],
        },
    }


def model_json(size: int, accuracy: float) -> dict:
    """Return the description of the optimized model."""
    return {
        "name": "EfficientNet-Lite0 OpenVINO FP16 with XAI head",
        "id": object_id("model"),
        "model_group_id": object_id("model group"),
        "fps_throughput": "0",
        "latency": "0",
        "precision": ["FP16"],
        "creation_date": FIXED_DATE,
        "size": size,
        "target_device": "CPU",
        "target_device_type": None,
        "previous_revision_id": None,
        "performance": {"score": round(accuracy, 4)},
        "label_schema_in_sync": True,
        "model_status": "SUCCESS",
        "optimization_methods": [],
        "optimization_objectives": {},
        "optimization_type": "MO",
        "version": 1,
        "configurations": [],
        "model_format": "OpenVINO",
        "has_xai_head": True,
    }


def write_deployment(out: Path, backbone: Path, head: tuple, accuracy: float) -> None:
    """Write the deployment folder."""
    task = out / "deployment" / TASK
    info = demo_ir.model_info(list(CLASSES), [object_id(name) for name in CLASSES])
    demo_ir.save_model(demo_ir.build_model(backbone, *head, info), task / "model")
    size = sum((task / "model" / name).stat().st_size for name in ("model.xml", "model.bin"))
    write_json(out / "deployment" / "project.json", project_json())
    write_json(task / "model.json", model_json(size, accuracy))
    write_json(task / "model" / "config.json", {})
    hyper = {"components": [], "task_id": object_id("task: classification"), "task_title": TASK}
    write_json(task / "hyper_parameters.json", hyper)
    requirements = task / "python" / "requirements.txt"
    requirements.parent.mkdir(parents=True, exist_ok=True)
    requirements.write_text(f"openvino=={ov.__version__.split('-')[0]}\notx==2.2.0\n")


def copy_photos(out: Path, root: Path, photos: list[demo_split.Photo]) -> None:
    """Copy the photos byte for byte, and the credits with the shipped names."""
    shipped = {photo.source.relative_to(root).as_posix(): photo.file for photo in photos}
    for photo in photos:
        target = out / photo.file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo.source, target)
    lines = (root / "CREDITS.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line]
    credited = {row[0] for row in rows}
    if credited != set(shipped):
        raise SystemExit(f"CREDITS.tsv and photos differ: {sorted(credited ^ set(shipped))}")
    text = "".join("\t".join([shipped[row[0]], *row[1:]]) + "\n" for row in rows)
    (out / "CREDITS.tsv").write_text("file\tlicence\tsource\n" + text, encoding="utf-8")


def rows_of(split: dict, part: str, features: dict) -> np.ndarray:
    """Stack the features of one part of a split."""
    return np.stack([features[entry["file"]] for entry in split[part]]).astype(np.float64)


def labels_of(split: dict, part: str) -> np.ndarray:
    """Return the class indices of one part of a split."""
    return np.array([CLASSES.index(entry["label"]) for entry in split[part]])


def fit_split(split: dict, features: dict) -> tuple[np.ndarray, np.ndarray]:
    """Fit a head on a split's training photos; weights and bias rounded as FP16 holds them."""
    weights, bias = demo_head.fit_head(
        rows_of(split, "train", features), labels_of(split, "train"), len(CLASSES)
    )
    return tuple(part.astype(np.float16).astype(np.float32) for part in (weights, bias))


def measure(split: dict, features: dict, head: tuple) -> dict:
    """Return accuracy and what simple scores reach on the held-out photos."""
    weights, bias = (part.astype(np.float64) for part in head)
    known, strange = (rows_of(split, part, features) for part in ("known", "strange"))
    p_known = demo_head.softmax(known @ weights.T + bias)
    p_strange = demo_head.softmax(strange @ weights.T + bias)
    bank = rows_of(split, "train", features)
    scores = {
        "msp": (1 - p_strange.max(axis=1), 1 - p_known.max(axis=1)),
        "knn": (demo_head.knn_score(bank, strange), demo_head.knn_score(bank, known)),
    }
    result = {
        "accuracy": float((p_known.argmax(axis=1) == labels_of(split, "known")).mean()),
        "confidence_known": float(np.median(p_known.max(axis=1))),
        "confidence_strange": float(np.median(p_strange.max(axis=1))),
    }
    for name, pair in scores.items():
        result[f"auroc_{name}"] = demo_head.auroc(*pair)
        result[f"fpr_at_95_tpr_{name}"] = demo_head.fpr_at_95_tpr(*pair)
    return result


def report(split: dict, measured: dict) -> None:
    """Print one line for a seed."""
    counts = " ".join(f"{part} {len(split[part])}" for part in ("train", "known", "strange"))
    values = "  ".join(f"{name} {value:.3f}" for name, value in measured.items())
    print(f"seed {split['seed']}: {counts}  {values}")


def make_seed(out: Path, seed: int, photos: list, features: dict) -> tuple[dict, tuple, dict]:
    """Split, fit and measure one seed, and write its split and its head."""
    split = demo_split.make_split(seed, photos)
    head = fit_split(split, features)
    measured = measure(split, features, head)
    report(split, measured)
    write_json(out / "seeds" / f"split_{seed}.json", split)
    np.save(out / "seeds" / f"head_{seed}.npy", np.hstack([head[0], head[1][:, None]]))
    return split, head, measured


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos with CREDITS.tsv")
    parser.add_argument("--model", type=Path, required=True, help="EfficientNet-Lite0 IR (.xml)")
    parser.add_argument("--seed", type=int, default=0, choices=SEEDS, help="split of the deployment")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, e.g. assets/demo")
    return parser.parse_args()


def make(out: Path, args: argparse.Namespace) -> None:
    """Make everything below `out`."""
    photos = demo_split.list_photos(args.photos)
    copy_photos(out, args.photos, photos)
    rows = demo_ir.extract_features(args.model, [photo.source for photo in photos])
    features = {photo.file: row for photo, row in zip(photos, rows)}
    made = {seed: make_seed(out, seed, photos, features) for seed in SEEDS}
    split, head, measured = made[args.seed]
    write_json(out / "split.json", split)
    write_deployment(out, args.model, head, measured["accuracy"])
    shutil.copyfile(args.model.parent / "LICENSE", out / "LICENSE.efficientnet_lite0")


def replace(target: Path, fresh: Path) -> None:
    """Put the fresh folder in the target's place."""
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Make the assets beside the output folder, then replace it."""
    args = arguments()
    fresh = args.out.with_name(args.out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    make(fresh, args)
    replace(args.out, fresh)


if __name__ == "__main__":
    main()
