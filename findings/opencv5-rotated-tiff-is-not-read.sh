#!/usr/bin/env bash
# OpenCV 5 returns None for a TIFF whose orientation swaps width and height
#
# Guess: cv2.imread turns the picture upright as for JPEG, or ignores the tag as OpenCV 4.
#
# Package: opencv-python-headless 5.0.0.93 (pillow 12.3.0, numpy 2.4.6)
#
# Behaviour: a TIFF of 64 x 32 pixels with orientation 1 to 4 is read; with 5 to 8 imread logs an
# internal error ("original_ptr == real_mat.data") and returns None. A square picture with the same
# tag is read.
#
# Output seen:
#     64 x 32 read for orientations [1, 2, 3, 4], 64 x 64 read for [1, 2, 3, 4, 5, 6, 7, 8]
#
# Where a user of Straylight meets it: scans and microscope pictures with an orientation. Model API
# and geti-sdk read images by OpenCV. Straylight reads TIFF by a library of its own and turns it
# upright.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 pillow==12.3.0 numpy==2.4.6
cd "$work"
OPENCV_LOG_LEVEL=OFF "$work/venv/bin/python" - <<'PY'
import sys

import cv2
from PIL import Image

read = {}
for size in ((64, 32), (64, 64)):
    read[size] = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        Image.new("RGB", size).save("a.tif", exif=exif)
        if cv2.imread("a.tif") is not None:
            read[size].append(orientation)
print(f"64 x 32 read for orientations {read[64, 32]}, 64 x 64 read for {read[64, 64]}")
if read != {(64, 32): [1, 2, 3, 4], (64, 64): [1, 2, 3, 4, 5, 6, 7, 8]}:
    sys.exit("changed: OpenCV reads other orientations of TIFF")
PY
