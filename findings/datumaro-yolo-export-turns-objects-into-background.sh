#!/usr/bin/env bash
# Datumaro's YOLO export leaves polygons and masks out, without a word
#
# Guess: the export converts polygons to boxes, or warns that it cannot write them.
#
# Package: datumaro 1.13.12 (numpy 2.4.6)
#
# Behaviour: only Bbox annotations are written. An image whose objects are polygons gets an empty
# label file, which YOLO trainers take for an image of pure background: the model is taught that
# there is nothing. No warning, no error.
#
# Output seen:
#     label file of the polygon image: '', warnings: 0
#
# Where a user of Straylight meets it: converting segmentation data for a YOLO detector.
# Straylight's YOLO writer keeps polygons as lines of corners, makes polygons of masks, and reports
# image by image what the format cannot hold. In Datumaro, apply the transform `shapes_to_boxes`
# first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import logging
import pathlib
import sys

import datumaro
import numpy as np
from datumaro.components.annotation import Polygon
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

messages = []
listener = logging.Handler(logging.WARNING)
listener.emit = messages.append
logging.getLogger().addHandler(listener)
picture = Image.from_numpy(data=np.zeros((100, 200, 3), np.uint8))
cat = Polygon([10, 20, 50, 20, 50, 60, 10, 60], label=0)
dataset = datumaro.Dataset.from_iterable([DatasetItem(id="a", subset="train", media=picture, annotations=[cat])],
                                         categories=["cat"])
dataset.export("yolo", "yolo", save_media=True)
text = next(pathlib.Path("yolo").rglob("a.txt")).read_text()
print(f"label file of the polygon image: {text.strip()!r}, warnings: {len(messages)}")
if text.strip() or messages:
    sys.exit("changed: polygons are written to YOLO, or their loss is said")
PY
