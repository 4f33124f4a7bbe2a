#!/usr/bin/env bash
# In albumentations, resize and flip of key points give another place in another order
#
# Guess: scaling an image by 2 and mirroring it can be swapped: pixels, boxes and key points end in
# the same place.
#
# Package: albumentations 2.0.8 (numpy 2.4.6)
#
# Behaviour: for images and boxes they do. For key points the flip counts pixel centres (x becomes
# width - 1 - x), the resize counts edges (x becomes 2x). Point 1 of 10 columns ends at 17 or at
# 16. An enlargement by 8 is off by 7 pixels.
#
# Output seen:
#     resize, flip: point x 17.0, box 14.0 to 18.0
#     flip, resize: point x 16.0, box 14.0 to 18.0
#
# Where a user of Straylight meets it: training key point models (HRNet in Geti 3) with
# augmentation, then judging errors of one pixel in what Straylight shows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    albumentations==2.0.8 numpy==2.4.6
cd "$work"
NO_ALBUMENTATIONS_UPDATE=1 "$work/venv/bin/python" - <<'PY'
import sys

import albumentations
import numpy as np

steps = [albumentations.Resize(20, 20), albumentations.HorizontalFlip(p=1)]
points = []
for name, order in (("resize, flip", steps), ("flip, resize", steps[::-1])):
    result = albumentations.Compose(
        order, keypoint_params=albumentations.KeypointParams(format="xy"),
        bbox_params=albumentations.BboxParams(format="pascal_voc", label_fields=["names"]),
    )(image=np.zeros((10, 10, 3), np.uint8), keypoints=[(1, 2)], bboxes=[[1, 2, 3, 4]], names=["a"])
    points.append(float(result["keypoints"][0][0]))
    left, _, right, _ = result["bboxes"][0]
    print(f"{name}: point x {points[-1]}, box {left:.1f} to {right:.1f}")
if points != [17.0, 16.0]:
    sys.exit("changed: key points no longer depend on the order of resize and flip")
PY
