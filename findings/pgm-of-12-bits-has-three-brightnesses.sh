#!/usr/bin/env bash
# One 12-bit PGM has three brightnesses in four readers
#
# Guess: a PGM names its largest value, 4095 for 12 bits; readers either all give the numbers of the
# file or all scale by that value.
#
# Package: pillow 13.0.0, imageio 2.38.1, opencv-python-headless 5.0.0.93, netpbmfile 2026.1.29
# (numpy 2.4.6)
#
# Behaviour: Pillow and imageio scale 0..4095 to 0..65535. OpenCV (unchanged) and netpbmfile give
# the numbers of the file. OpenCV's ordinary reading to 8 bits shifts by eight bits whatever the
# largest value is, so that white becomes 15, nearly black. With one byte a pixel and a largest
# value of 100, Pillow scales 100 to 255 and OpenCV gives 100.
#
# Output seen:
#     Pillow            [0, 1600, 32759, 65535]
#     imageio           [0, 1600, 32759, 65535]
#     OpenCV, unchanged [0, 100, 2047, 4095]
#     OpenCV, gray      [0, 0, 7, 15]
#     netpbmfile        [0, 100, 2047, 4095]
#
# Where a user of Straylight meets it: frame grabbers and camera programs that save PGM of 10 or 12
# bits, converted for a model with one tool for training and with another in the field. Straylight
# reads no PGM and refuses it by name (PNM); convert to 16-bit PNG or TIFF, and check what white is.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pillow==13.0.0 imageio==2.38.1 opencv-python-headless==5.0.0.93 netpbmfile==2026.1.29 \
    numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import imageio.v3 as imageio
import netpbmfile
import numpy as np
from PIL import Image

values = np.array([[0, 100, 2047, 4095]], ">u2")
with open("a.pgm", "wb") as file:
    file.write(b"P5\n4 1\n4095\n" + values.tobytes())
found = {
    "Pillow": np.asarray(Image.open("a.pgm")),
    "imageio": imageio.imread("a.pgm"),
    "OpenCV, unchanged": cv2.imread("a.pgm", cv2.IMREAD_UNCHANGED),
    "OpenCV, gray": cv2.imread("a.pgm", cv2.IMREAD_GRAYSCALE),
    "netpbmfile": netpbmfile.imread("a.pgm"),
}
for name, row in found.items():
    print(f"{name:18}{row.ravel().tolist()}")
white = [int(row.ravel()[-1]) for row in found.values()]
if white != [65535, 65535, 4095, 15, 4095]:
    sys.exit("changed: a 12-bit PGM is read in another way")
PY
