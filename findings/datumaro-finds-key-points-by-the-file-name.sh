#!/usr/bin/env bash
# Datumaro drops the key points of a COCO file that is called instances
#
# Guess: the content decides. A file whose categories have `keypoints` and whose annotations have
# them gives points.
#
# Package: datumaro 1.13.12 (opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: the name of the file decides. In `instances_train.json` the key points are dropped
# without a word, and only the same bytes called `person_keypoints_train.json` give points, whatever
# the objects are.
#
# Output seen:
#     instances_train.json: ['Bbox']
#     person_keypoints_train.json: ['Bbox', 'Points']
#
# Where a user of Straylight meets it: a key point dataset from CVAT, Label Studio or Roboflow
# (`_annotations.coco.json`) on its way through Datumaro. Straylight goes by the content.
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

logging.disable(logging.CRITICAL)
person = {
    "id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 80, 40], "area": 3200, "iscrowd": 0,
    "num_keypoints": 2, "keypoints": [20, 20, 2, 60, 40, 2],
}
coco = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}],
    "categories": [{"id": 1, "name": "pump", "keypoints": ["inlet", "outlet"], "skeleton": [[1, 2]]}],
    "annotations": [person],
}
found = {}
for name in ("instances_train.json", "person_keypoints_train.json"):
    folder = pathlib.Path(name.split(".")[0])
    for part in ("images/train", "annotations"):
        (folder / part).mkdir(parents=True)
    cv2.imwrite(str(folder / "images/train/a.jpg"), np.zeros((100, 200, 3), np.uint8))
    (folder / "annotations" / name).write_text(json.dumps(coco))
    item = next(iter(Dataset.import_from(str(folder), "coco")))
    found[name] = sorted(type(annotation).__name__ for annotation in item.annotations)
    print(f"{name}: {found[name]}")
if list(found.values()) != [["Bbox"], ["Bbox", "Points"]]:
    sys.exit("changed: Datumaro no longer goes by the name of the file")
PY
