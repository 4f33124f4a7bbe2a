#!/usr/bin/env bash
# supervision's COCO export numbers categories and images anew
#
# Guess: reading a COCO file and writing it again keeps the ids of categories and images, since
# predictions and other annotation files point at them.
#
# Package: supervision 0.31.2 (opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: categories and images are numbered from 1. A results file made for the original still
# loads with the new one, and its boxes count for other images and other classes; pycocotools has no
# way to notice.
#
# Output seen:
#     categories {'dog': 18, 'person': 1} -> {'person': 1, 'dog': 2}
#     images {'b.jpg': 9, 'a.jpg': 2} -> {'b.jpg': 1, 'a.jpg': 2}
#
# Where a user of Straylight meets it: comparing predictions of a deployment with a ground truth
# that went through supervision. Straylight reads COCO by the names of categories, so that its own
# import is safe; give pycocotools the file that the predictions were made for.
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
images = {"b.jpg": 9, "a.jpg": 2}
categories = {"dog": 18, "person": 1}
for name in images:
    cv2.imwrite(f"images/{name}", np.zeros((100, 200, 3), np.uint8))
box = {"bbox": [10, 10, 80, 40], "area": 3200, "iscrowd": 0}
coco = {
    "images": [{"id": number, "file_name": name, "width": 200, "height": 100} for name, number in images.items()],
    "categories": [{"id": number, "name": name} for name, number in categories.items()],
    "annotations": [{"id": number, "image_id": number, "category_id": 18, **box} for number in images.values()],
}
pathlib.Path("coco.json").write_text(json.dumps(coco))
supervision.DetectionDataset.from_coco("images", "coco.json").as_coco(annotations_path="again.json")
again = json.loads(pathlib.Path("again.json").read_text())
new_categories = {entry["name"]: entry["id"] for entry in again["categories"]}
new_images = {entry["file_name"]: entry["id"] for entry in again["images"]}
print(f"categories {categories} -> {new_categories}")
print(f"images {images} -> {new_images}")
if new_categories == categories and new_images == images:
    sys.exit("changed: supervision keeps the ids")
PY
