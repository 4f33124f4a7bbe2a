#!/usr/bin/env bash
# supervision and pycocotools make masks of different size from one polygon
#
# Guess: a polygon from (10, 20) to (50, 60) covers 40 x 40 pixels in both libraries.
#
# Package: supervision 0.31.2, pycocotools 2.0.11 (opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: sv.polygon_to_mask draws with cv2.fillPoly, which counts the border on all four sides:
# 41 x 41 pixels. pycocotools fills 40 x 40. A detection_mask made by one and a ground truth made
# by the other never reach IoU 1; for an object of 10 pixels the best is 0.83.
#
# Output seen:
#     supervision 1681 pixels, pycocotools 1600 pixels, IoU 0.952
#
# Where a user of Straylight meets it: comparing predicted masks with polygons of Straylight's COCO
# files. Straylight draws nothing when it writes polygons: corners are at pixel edges, as
# pycocotools reads them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    supervision==0.31.2 pycocotools==2.0.11 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import supervision as sv
from pycocotools import mask as coco_mask

corners = [10, 20, 50, 20, 50, 60, 10, 60]
drawn = sv.polygon_to_mask(np.array(corners).reshape(-1, 2), (200, 100)).astype(bool)
counted = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects([corners], 100, 200))).astype(bool)
iou = (drawn & counted).sum() / (drawn | counted).sum()
print(f"supervision {drawn.sum()} pixels, pycocotools {counted.sum()} pixels, IoU {iou:.3f}")
if (drawn.sum(), counted.sum()) != (1681, 1600):
    sys.exit("changed: the two masks have other sizes now")
PY
