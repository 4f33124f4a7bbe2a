#!/usr/bin/env bash
# Datumaro takes the label away from objects of COCO category 0
#
# Guess: any integer may be the id of a category, as for pycocotools; many converters count from 0.
#
# Package: datumaro 1.13.12 (opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: the id 0 is taken for "no class". The objects are imported with label None, one line of
# the log says so for the category, none for the objects. Exported again, they are boxes without a
# class.
#
# Output seen:
#     categories bolt (0) and nut (1): labels of the objects [None, 'nut']
#
# Where a user of Straylight meets it: Geti's own tools and getitune read datasets by Datumaro.
# Straylight reads the id 0 like any other and counts from 1 when it writes COCO.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
import logging
import pathlib
import sys

import cv2
import numpy as np
from datumaro import Dataset
from datumaro.components.annotation import AnnotationType

logging.disable(logging.CRITICAL)
for folder in ("images/train", "annotations"):
    pathlib.Path(f"set/{folder}").mkdir(parents=True)
cv2.imwrite("set/images/train/a.jpg", np.zeros((100, 200, 3), np.uint8))
box = {"image_id": 1, "bbox": [10, 10, 80, 40], "area": 3200, "iscrowd": 0}
coco = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}],
    "categories": [{"id": 0, "name": "bolt"}, {"id": 1, "name": "nut"}],
    "annotations": [{"id": 1, "category_id": 0, **box}, {"id": 2, "category_id": 1, **box}],
}
pathlib.Path("set/annotations/instances_train.json").write_text(json.dumps(coco))
dataset = Dataset.import_from("set", "coco")
names = [entry.name for entry in dataset.categories()[AnnotationType.label]]
item = next(iter(dataset))
labels = [None if found.label is None else names[found.label] for found in sorted(item.annotations, key=lambda found: found.group)]
print(f"categories bolt (0) and nut (1): labels of the objects {labels}")
if labels != [None, "nut"]:
    sys.exit("changed: Datumaro keeps the label of category 0")
PY
