#!/usr/bin/env bash
# SAHI's slicing turns crowd regions into ordinary objects
#
# Guess: slice_coco cuts images and moves the annotations; what else an annotation says stays.
#
# Package: sahi 0.12.8 (opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: every annotation comes out with `iscrowd` 0. A region that evaluators must not count
# becomes one large object to find, and every slice of it is a miss. Nothing is said.
#
# Output seen:
#     1 slice, iscrowd 1 -> 0
#
# Where a user of Straylight meets it: slicing large pictures for training with SAHI after an export
# from Straylight, whose COCO files keep `iscrowd`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    sahi==0.12.8 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
import logging
import pathlib
import sys

import cv2
import numpy as np
from sahi.slicing import slice_coco

logging.disable(logging.CRITICAL)
pathlib.Path("images").mkdir()
cv2.imwrite("images/a.jpg", np.zeros((100, 200, 3), np.uint8))
crowd = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40], "area": 1200, "iscrowd": 1}
coco = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}],
    "categories": [{"id": 1, "name": "fish"}],
    "annotations": [crowd],
}
pathlib.Path("coco.json").write_text(json.dumps(coco))
sliced, _ = slice_coco("coco.json", "images", "sliced", output_dir="out", slice_height=100, slice_width=100, overlap_height_ratio=0, overlap_width_ratio=0, verbose=False)
annotation = sliced["annotations"][0]
print(f"{len(sliced['annotations'])} slice, iscrowd 1 -> {annotation['iscrowd']}")
if annotation["iscrowd"] == 1:
    sys.exit("changed: SAHI keeps iscrowd")
PY
