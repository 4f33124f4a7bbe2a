"""Lets tools judge what Straylight writes, and Straylight read what they write.

    python -m venv venv && venv/bin/pip install -r tools/check_exports/requirements.txt
    (cd tools && ../venv/bin/python -m check_exports ../target/debug/straylight [--train])

What is not installed is said and counts as not checked; Ultralytics needs torch and is AGPL-3.0: it
is run here, and never shipped. `--train` also trains four tiny models for one epoch.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import traceback

from . import exports, theirs, truth
from .ours import Straylight


# As Datumaro calls formats: it reads key points, and masks of VOC, under names of their own.
THEIR_NAMES = {
    ("coco", "points"): "coco_person_keypoints",
    ("voc", "masks"): "voc_instance_segmentation",
}


def written(ours, sources):
    """Checks of what Straylight writes, by name."""

    def coco(kind):
        return ours.convert(sources[kind], "coco", f"coco_{kind}")

    for kind in ("boxes", "polygons", "masks", "points"):
        yield f"pycocotools reads COCO, {kind}", lambda k=kind: theirs.pycocotools(coco(k), k)
    for form, kinds in {
        "coco": ("boxes", "polygons", "masks", "points"),
        "datumaro": ("boxes", "polygons", "masks", "points", "labels"),
        "voc": ("boxes", "masks"),
    }.items():
        for kind in kinds:
            name = f"dm_{form}_{kind}"
            read_as = THEIR_NAMES.get((form, kind), form)
            yield (
                f"Datumaro reads {read_as}, {kind}",
                lambda f=form, k=kind, n=name, r=read_as: theirs.datumaro(
                    ours.convert(sources[k], f, n), r, k
                ),
            )
    for form, kinds in {"coco": ("boxes", "masks"), "yolo": ("boxes", "polygons"), "voc": ("boxes",)}.items():
        for kind in kinds:
            name = f"sv_{form}_{kind}"
            yield (
                f"supervision reads {form}, {kind}",
                lambda f=form, k=kind, n=name: theirs.supervision(ours.convert(sources[k], f, n), f, k),
            )
    yield "folders of a tree", lambda: theirs.tree(ours.convert(sources["labels"], "tree", "tree"))


def trained(ours, sources, train):
    """Ultralytics' own check of what Straylight writes, and one epoch."""
    models = {"boxes": "yolo11n.yaml", "polygons": "yolo11n-seg.yaml", "points": "yolo11n-pose.yaml"}

    def check(kind, *more):
        moved = theirs.ultralytics(ours.convert(sources[kind], "yolo", f"yolo_{kind}", *more), kind)
        if train:
            theirs.ultralytics_trains(moved, models[kind])

    for kind in models:
        # Checked in another environment as a rule, with `--only Ultralytics`.
        what = "reads and trains on" if train else "reads"
        yield f"Ultralytics {what} YOLO, {kind}", lambda k=kind: check(k)

    def turned():
        out = ours.convert(sources["boxes"], "yolo", "yolo_turned", "--yolo-task", "obb")
        moved = theirs.ultralytics(out, "boxes", "obb")
        if train:
            theirs.ultralytics_trains(moved, "yolo11n-obb.yaml")

    def merged():
        ours.convert(sources["boxes"], "yolo", "yolo_merged")
        theirs.ultralytics(ours.convert(sources["boxes"], "yolo", "yolo_merged", "--merge"), "boxes")

    yield f"Ultralytics {what} YOLO, turned boxes", turned
    yield "Ultralytics reads YOLO, merged", merged


def read(ours, folder):
    """Checks of what other tools write, by name."""
    for name, make in exports.EXPORTS.items():
        def check(make=make, name=name):
            source, kind, options = make(folder / f"of_{name}")
            ours.reads(source, kind, **options)

        yield f"Straylight reads {name}", check


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--only", default="", help="checks whose names have this text")
    parser.add_argument("--train", action="store_true", help="train tiny models for one epoch")
    parser.add_argument("--trace", action="store_true", help="show where a check went wrong")
    arguments = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        ours = Straylight(arguments.program, folder)
        sources = {kind: truth.write(kind, folder / "sources") for kind in truth.SETS}
        checks = [
            *written(ours, sources),
            *read(ours, folder),
            *trained(ours, sources, arguments.train),
        ]
        for what, check in checks:
            if arguments.only not in what:
                continue
            try:
                check()
                results[what] = "ok"
            except theirs.Missing as error:
                results[what] = f"NOT CHECKED: {error}"
            except Exception as error:  # Whatever a tool says is shown.
                results[what] = f"WRONG: {type(error).__name__}: {error}"
                if arguments.trace:
                    traceback.print_exc()
    print(json.dumps(results, indent=1))
    sys.exit(any(result.startswith("WRONG") for result in results.values()))


if __name__ == "__main__":
    main()
