#!/usr/bin/env bash
# pylabel's COCO export repeats an object where an image has none
#
# Guess: an image without objects is written as an image with no annotation.
#
# Package: pylabel 0.1.55 (pandas 2.3.3, opencv-python 5.0.0.93, numpy 2.4.6)
#
# Behaviour: ExportToCoco appends the annotation of the row before once more, with the same id, so
# that the image before has one object twice. A file with a hundred empty images holds a hundred
# copies.
#
# Output seen:
#     2 images, 1 object in; 2 objects out, ids [0, 0], images ['a.jpg', 'a.jpg']
#
# Where a user of Straylight meets it: importing COCO that pylabel wrote for a dataset with
# background images. Straylight imports what the file says; two equal boxes with one id are a sign
# of it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pylabel==0.1.55 pandas==2.3.3 numpy==2.4.6 opencv-python==5.0.0.93 matplotlib==3.11.2 scikit-learn==1.9.1 jupyter-bbox-widget==0.7.0 bbox-visualizer==1.0.1 ipywidgets==8.1.9 ipython==9.18.1 anywidget==0.11.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import contextlib
import io
import json
import pathlib
import sys

import cv2
import numpy as np
from pylabel import importer

pathlib.Path("images").mkdir()
pixels = np.zeros((100, 200, 3), np.uint8)
names = {1: "a.jpg", 2: "b.jpg"}
for name in names.values():
    cv2.imwrite(f"images/{name}", pixels)
bolt = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 80, 40], "area": 3200, "iscrowd": 0, "segmentation": []}
coco = {
    "images": [{"id": number, "file_name": name, "width": 200, "height": 100} for number, name in names.items()],
    "categories": [{"id": 1, "name": "bolt"}],
    "annotations": [bolt],
}
pathlib.Path("coco.json").write_text(json.dumps(coco))
with contextlib.redirect_stderr(io.StringIO()):
    importer.ImportCoco("coco.json", path_to_images="images", name="parts").export.ExportToCoco("out.json")
out = json.loads(pathlib.Path("out.json").read_text())
file_of = {image["id"]: image["file_name"] for image in out["images"]}
ids = [annotation["id"] for annotation in out["annotations"]]
where = [file_of[annotation["image_id"]] for annotation in out["annotations"]]
print(f"{len(out['images'])} images, 1 object in; {len(ids)} objects out, ids {ids}, images {where}")
if not (len(ids) == 2 and where == ["a.jpg", "a.jpg"]):
    sys.exit("changed: pylabel no longer repeats an object")
PY
