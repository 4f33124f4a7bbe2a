#!/usr/bin/env bash
# albumentations hands integer labels back as floats, and rounds large ones
#
# Guess: label fields travel beside the boxes and come back as they were.
#
# Package: albumentations 2.0.8 (numpy 2.4.6)
#
# Behaviour: text labels come back unchanged. Numbers are put into one float32 array with the
# boxes: 3 comes back as 3.0 and 1073741825 as 1073741824.0. Coordinates go through the same array:
# 1234.5678 comes back as 1234.5677.
#
# Output seen:
#     given [3, 1073741825], back [3.0, 1073741824.0]
#
# Where a user of Straylight meets it: annotation or image ids as label field, to find an object
# again after augmentation. Two objects get one id. Straylight's COCO reader takes 3.0 as 3;
# readers that want whole numbers refuse it.
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

labels = [3, 2**30 + 1]
boxes = albumentations.BboxParams(format="pascal_voc", label_fields=["ids"])
result = albumentations.Compose([albumentations.NoOp()], bbox_params=boxes)(
    image=np.zeros((10, 10, 3), np.uint8), bboxes=[[1, 2, 3, 4], [5, 5, 8, 8]], ids=labels)
back = [float(value) for value in result["ids"]]
print(f"given {labels}, back {back}")
if back != [3.0, 1073741824.0]:
    sys.exit("changed: integer labels come back exact")
PY
