#!/usr/bin/env bash
# pycocotools encodes a mask of several non-zero values to a wrong area
#
# Guess: mask.encode takes every non-zero pixel as foreground; with only 0 and 255 in the mask that
# is what it does.
#
# Package: pycocotools 2.0.11 (numpy 2.4.6)
#
# Behaviour: the encoder starts a new run at each change of value, whatever the values are, and
# runs alternate between background and foreground. A mask of instance numbers, or one whose edge
# was smoothed, gives other areas and other pixels, with no error.
#
# Output seen:
#     mask of 0 and 1: area 6
#     same pixels with the values 255, 7 and 9: area 14
#
# Where a user of Straylight meets it: writing COCO masks from instance maps (PNG of 1, 2, 3) or
# resized masks before reading them in Straylight. Encode `mask > 0` or each instance by itself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pycocotools==2.0.11 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from pycocotools import mask as coco_mask

values = np.zeros((5, 6), np.uint8)
values[1:3, 2:5] = 255
values[1, 2] = 7
values[2, 2] = 9
binary = (values > 0).astype(np.uint8)
area = {name: int(coco_mask.area(coco_mask.encode(np.asfortranarray(mask)))) for name, mask in
        (("binary", binary), ("values", values))}
print(f"mask of 0 and 1: area {area['binary']}")
print(f"same pixels with the values 255, 7 and 9: area {area['values']}")
if not (area["binary"] == 6 and area["values"] != 6):
    sys.exit("changed: masks of several values are now encoded like binary ones")
PY
