#!/usr/bin/env bash
# supervision writes one object of two parts as two objects of YOLO
#
# Guess: the number of objects stays. An object of two parts (something stands before it) becomes
# one line, as in the converter of Ultralytics, and a crowd region of COCO is left out.
#
# Package: supervision 0.31.2 (opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: as_yolo writes a line for each outer contour of the mask. One fish behind a post is two
# fish in the labels, and a model trained on them learns two boxes. The crowd region becomes an
# ordinary object too. Nothing is said.
#
# Output seen:
#     1 object of two parts and 1 crowd region in COCO, 3 lines in YOLO
#
# Where a user of Straylight meets it: turning a dataset that Straylight exports as COCO into YOLO
# by way of supervision. Straylight writes YOLO itself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    supervision==0.31.2 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
import pathlib
import sys

import cv2
import numpy as np
import supervision

pathlib.Path("images").mkdir()
cv2.imwrite("images/a.jpg", np.zeros((100, 200, 3), np.uint8))
parts = [[10, 10, 40, 10, 40, 50, 10, 50], [60, 10, 90, 10, 90, 50, 60, 50]]
crowd = {"size": [100, 200], "counts": [15000, 1000, 4000]}
shared = {"image_id": 1, "category_id": 1}
annotations = [
    {"id": 1, "bbox": [10, 10, 80, 40], "area": 2400, "iscrowd": 0, "segmentation": parts, **shared},
    {"id": 2, "bbox": [150, 0, 10, 100], "area": 1000, "iscrowd": 1, "segmentation": crowd, **shared},
]
images = [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}]
coco = {"images": images, "categories": [{"id": 1, "name": "fish"}], "annotations": annotations}
pathlib.Path("coco.json").write_text(json.dumps(coco))

dataset = supervision.DetectionDataset.from_coco("images", "coco.json", force_masks=True)
dataset.as_yolo(annotations_directory_path="labels")
lines = pathlib.Path("labels/a.txt").read_text().splitlines()
print(f"1 object of two parts and 1 crowd region in COCO, {len(lines)} lines in YOLO")
if len(lines) != 3:
    sys.exit("changed: supervision keeps the number of objects")
PY
