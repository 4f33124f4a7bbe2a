#!/usr/bin/env bash
# albumentations.Normalize divides by 255 whatever the type of the image
#
# Guess: the largest pixel value follows from the type: 255 for uint8, 65535 for uint16, 1 for
# floats. Other transforms of the library do that.
#
# Package: albumentations 2.0.8 (numpy 2.4.6)
#
# Behaviour: max_pixel_value is 255 unless given. White becomes 1.0 for uint8, -0.99 for float
# images in 0..1, and 513 for uint16, with mean and std of 0.5. No error.
#
# Output seen:
#     uint8 white 1.00, float32 white -0.99, uint16 white 513.00
#
# Where a user of Straylight meets it: a network trained on images that were already scaled learns
# from a nearly black world, and everything in the field is out of distribution. The numbers for
# Straylight's `mean` and `scale` must be those that were really applied.
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

normalise = albumentations.Normalize(mean=(0.5,) * 3, std=(0.5,) * 3)
white = {"uint8": 255, "float32": 1, "uint16": 65535}
seen = {kind: float(normalise(image=np.full((2, 2, 3), value, kind))["image"].max()) for kind, value in white.items()}
print(", ".join(f"{kind} white {value:.2f}" for kind, value in seen.items()))
if not (abs(seen["uint8"] - 1) < 1e-4 and seen["float32"] < -0.9 and seen["uint16"] > 500):
    sys.exit("changed: Normalize follows the type of the image")
PY
