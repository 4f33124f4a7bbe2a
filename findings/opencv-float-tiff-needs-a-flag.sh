#!/usr/bin/env bash
# cv2.imread returns None for a float32 TIFF unless it is told IMREAD_UNCHANGED
#
# Guess: by default imread converts any depth to 8 bits, as it does for 16-bit PNG and TIFF.
#
# Package: opencv-python-headless 4.14.0.94 (tifffile 2026.3.3, numpy 2.4.6)
#
# Behaviour: 16 bits are scaled down to 8. For 32-bit floats imread warns on the error stream and
# returns None, as if there were no such file; with IMREAD_UNCHANGED the same file is read as
# float32.
#
# Output seen:
#     uint16: default uint8, unchanged uint16
#     float32: default None, unchanged float32
#
# Where a user of Straylight meets it: thermal cameras, depth maps and calibrated microscopes.
# Straylight says which kinds of TIFF it takes, and lists the others with their reason.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    opencv-python-headless==4.14.0.94 tifffile==2026.3.3 numpy==2.4.6
cd "$work"
OPENCV_LOG_LEVEL=OFF "$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import tifffile

seen = {}
for kind in ("uint16", "float32"):
    tifffile.imwrite("a.tif", np.full((20, 40), 1000, kind))
    images = cv2.imread("a.tif"), cv2.imread("a.tif", cv2.IMREAD_UNCHANGED)
    seen[kind] = tuple("None" if image is None else str(image.dtype) for image in images)
    print(f"{kind}: default {seen[kind][0]}, unchanged {seen[kind][1]}")
if seen != {"uint16": ("uint8", "uint16"), "float32": ("None", "float32")}:
    sys.exit("changed: OpenCV reads these TIFF files in another way")
PY
