"""Lets the tools that train read what Straylight writes, and compares what they read.

    python tools/check_exports.py target/debug/straylight [--train]

Needs `pycocotools`, `datumaro` and `ultralytics` where they are installed; what is missing is said
and counts as not checked. Ultralytics is AGPL-3.0: it is run here, and never shipped.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SET = ROOT / "fixtures/datasets/category_ids_not_in_order"
NAMES = ["bolt", "nut", "washer"]
# File, class, centre and size as fractions: a.png and b.png of 64 x 48 pixels.
BOXES = {
    ("a", 0): (14 / 64, 10 / 48, 20 / 64, 10 / 48),
    ("a", 1): (35 / 64, 10 / 48, 10 / 64, 10 / 48),
    ("b", 2): (6 / 64, 11 / 48, 10 / 64, 20 / 48),
}


class Missing(Exception):
    """A tool is not installed."""


def run(program, *arguments, cwd):
    done = subprocess.run(
        [program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )
    if done.returncode not in (0, 3):
        sys.exit(f"straylight {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
    return done


def export(program, folder, form, *more):
    """The fixture through the local store; the folder of the export."""
    store = folder / "store"
    if not store.exists():
        into = ["--into", "parts", "--task", "detection", "--store", store]
        run(program, "dataset", "import", SET, *into, cwd=folder)
    out = folder / f"{form}{len(more)}"
    run(
        program, "dataset", "export", "parts", "--format", form, "--out", out,
        "--store", store, *more, cwd=folder,
    )
    return out


def close(found, wanted):
    return all(abs(a - b) < 1e-6 for a, b in zip(found, wanted, strict=True))


def ultralytics_reads(out):
    try:
        from ultralytics.data import build_yolo_dataset
        from ultralytics.data.utils import check_det_dataset
        from ultralytics.cfg import get_cfg
    except ImportError as error:
        raise Missing(error) from error
    # From elsewhere, and after the set was moved.
    moved = out.with_name(out.name + "_moved")
    shutil.move(out, moved)
    os.chdir(tempfile.gettempdir())
    data = check_det_dataset(str(moved / "data.yaml"), autodownload=False)
    assert list(data["names"].values()) == NAMES, data["names"]
    found = {}
    for part in {str(data["train"]), str(data["val"])}:
        for label in build_yolo_dataset(get_cfg(), part, 1, data, mode="val").labels:
            stem = pathlib.Path(label["im_file"]).stem
            for number, box in zip(label["cls"][:, 0], label["bboxes"], strict=True):
                found[stem, int(number)] = tuple(float(value) for value in box)
    assert found.keys() == BOXES.keys(), found
    assert all(close(found[key], BOXES[key]) for key in BOXES), found
    return moved


def ultralytics_trains(moved):
    from ultralytics import YOLO

    model = YOLO("yolo11n.yaml")
    model.train(
        data=str(moved / "data.yaml"), epochs=1, imgsz=64, batch=2, workers=0, device="cpu",
        project=str(moved.parent), name="run", verbose=False, plots=False,
    )


def pycocotools_reads(out):
    try:
        from pycocotools.coco import COCO
    except ImportError as error:
        raise Missing(error) from error
    files = sorted((out / "annotations").glob("*.json"))
    found = {}
    for file in files:
        coco = COCO(str(file))
        order = [category["name"] for category in coco.loadCats(sorted(coco.getCatIds()))]
        assert order == NAMES, order
        for one in coco.loadAnns(coco.getAnnIds()):
            image = coco.loadImgs(one["image_id"])[0]
            x, y, w, h = one["bbox"]
            key = pathlib.Path(image["file_name"]).stem, NAMES.index(
                coco.loadCats(one["category_id"])[0]["name"]
            )
            size = image["width"], image["height"]
            found[key] = ((x + w / 2) / size[0], (y + h / 2) / size[1], w / size[0], h / size[1])
    assert found.keys() == BOXES.keys(), found
    assert all(close(found[key], BOXES[key]) for key in BOXES), found


def datumaro_reads(out, form):
    try:
        import datumaro
    except ImportError as error:
        raise Missing(error) from error
    dataset = datumaro.Dataset.import_from(str(out), form)
    found = {}
    labels = dataset.categories()[datumaro.AnnotationType.label]
    for item in dataset:
        for one in item.annotations:
            x, y, w, h = one.get_bbox()
            name = NAMES.index(labels[one.label].name)
            found[pathlib.Path(item.id).stem, name] = (
                (x + w / 2) / 64, (y + h / 2) / 48, w / 64, h / 48,
            )
    assert found.keys() == BOXES.keys(), found
    assert all(all(abs(a - b) < 0.02 for a, b in zip(found[k], BOXES[k])) for k in BOXES), found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--train", action="store_true", help="train a tiny model for one epoch")
    arguments = parser.parse_args()
    program = str(arguments.program.resolve())
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()

        def yolo(*more):
            moved = ultralytics_reads(export(program, folder, "yolo", *more))
            if arguments.train and not more:
                ultralytics_trains(moved)

        checks = {
            "Ultralytics, YOLO": yolo,
            "Ultralytics, YOLO with a split": lambda: yolo("--split", "50/50"),
            "pycocotools, COCO": lambda: pycocotools_reads(export(program, folder, "coco")),
            "datumaro, COCO": lambda: datumaro_reads(folder / "coco0", "coco"),
            "datumaro, Datumaro": lambda: datumaro_reads(
                export(program, folder, "datumaro"), "datumaro"
            ),
            "datumaro, VOC": lambda: datumaro_reads(export(program, folder, "voc"), "voc"),
        }
        for what, check in checks.items():
            try:
                check()
                results[what] = "ok"
            except Missing as error:
                results[what] = f"NOT CHECKED: {error}"
            except Exception as error:  # Whatever a tool says is shown.
                results[what] = f"WRONG: {type(error).__name__}: {error}"
    print(json.dumps(results, indent=1))
    sys.exit(any(result.startswith("WRONG") for result in results.values()))


if __name__ == "__main__":
    main()
