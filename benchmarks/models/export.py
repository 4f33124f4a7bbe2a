"""Export the models of the table, with what their own libraries predict.

    python export.py OUT PHOTO PHOTO PHOTO [--only WORD]

Each model gets a folder with the exported file and `expected.json`.
"""

import importlib
import json
import shutil
import sys
import traceback
from pathlib import Path

import common

# TensorFlow, Paddle and optimum want other versions of what the others use: each has an environment of its own.
MODULES = (
    "classifiers", "detectors", "libre", "others", "segmentations", "ultralytics_models", "optimum_models", "sklearn_models", "tensorflow_models",
    "paddle_models",
)


def register() -> None:
    """Import the exporters whose libraries are there."""
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            print("left out", name, error, flush=True)


def main() -> None:
    """Export all models whose names hold a word."""
    register()
    common.in_f32()
    arguments = sys.argv[1:]
    words = arguments[arguments.index("--only") + 1 :] if "--only" in arguments else [""]
    arguments = arguments[: arguments.index("--only")] if "--only" in arguments else arguments
    out, photos = Path(arguments[0]), [Path(photo).resolve() for photo in arguments[1:]]
    for name, (function, library, line) in common.MODELS.items():
        folder = out.resolve() / name.replace(" ", "_").replace("/", "_")
        if not any(word in name for word in words) or (folder / "expected.json").exists():
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            found = function(folder, photos)
        except Exception:  # One exporter that fails must not hide the others.
            traceback.print_exc()
            print("FAILED", name, flush=True)
            continue
        facts = {"name": name, "library": library, "line": line, "predictions": found}
        used = sorted((folder / "photos").iterdir()) if (folder / "photos").exists() else photos
        facts["photos"] = [str(photo) for photo in used]
        (folder / "expected.json").write_text(json.dumps(facts, indent=1))
        print("exported", name, {photo: len(items) for photo, items in found.items()}, flush=True)


if __name__ == "__main__":
    main()
