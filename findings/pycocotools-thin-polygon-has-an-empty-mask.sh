#!/usr/bin/env bash
# A polygon thinner than half a pixel becomes an empty mask in pycocotools
#
# Guess: every polygon marks at least the pixels that its border runs through, as cv2.fillPoly and
# PIL's ImageDraw.polygon do.
#
# Package: pycocotools 2.0.11 (numpy 2.4.6)
#
# Behaviour: a pixel counts by its centre. A polygon 10 pixels long and 0.4 high between two rows
# of centres has area 4 by its corners and a mask without a pixel; merge, area and toBbox return
# zeros and no error. Mask IoU of a perfect detection is then 0.
#
# Output seen:
#     area by the corners 4.0, pixels in the mask 0, box [0. 0. 0. 0.]
#
# Where a user of Straylight meets it: cracks, wires and scratches in defect data sets, at the size
# of a scaled-down image. Straylight keeps polygons as corners and does not go through a mask.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pycocotools==2.0.11 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

from pycocotools import mask as coco_mask

crack = [2, 2, 12, 2, 12, 2.4, 2, 2.4]
mask = coco_mask.merge(coco_mask.frPyObjects([crack], 20, 20))
pixels, box = int(coco_mask.area(mask)), coco_mask.toBbox(mask)
print(f"area by the corners 4.0, pixels in the mask {pixels}, box {box}")
if not (pixels == 0 and not box.any()):
    sys.exit("changed: the thin polygon has pixels now")
PY
