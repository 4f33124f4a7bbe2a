#!/usr/bin/env bash
# imageio reads a TIFF as a negative, or as numbers of a palette
#
# Guess: imageio.v3.imread gives the picture, as for PNG: white is 255, and a palette is looked up.
#
# Package: imageio 2.38.1, tifffile 2026.3.3 (pillow 12.3.0, numpy 2.4.6)
#
# Behaviour: when tifffile is there imageio uses it for TIFF, and passes the stored numbers on. A
# scan with photometric "white is zero" is a negative; a palette image is a gray image of palette
# indices. Pillow, OpenCV and libvips give the colours. Without tifffile imageio takes Pillow, so
# that installing a package inverts a dataset.
#
# Output seen:
#     white is zero, a white pixel: imageio 0, Pillow 255
#     palette, a red pixel: imageio 7, Pillow [255, 0, 0]
#
# Where a user of Straylight meets it: fax, X-ray and line scanners write such files. Straylight
# decodes to what is seen; features that were computed on imageio's arrays belong to other pictures.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    imageio==2.38.1 tifffile==2026.3.3 pillow==12.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import imageio.v3 as imageio
import numpy as np
import tifffile
from PIL import Image

tifffile.imwrite("scan.tif", np.zeros((8, 8), np.uint8), photometric="miniswhite")
white = int(imageio.imread("scan.tif")[0, 0]), Image.open("scan.tif").getpixel((0, 0))
print(f"white is zero, a white pixel: imageio {white[0]}, Pillow {white[1]}")

colours = np.zeros((3, 256), np.uint16)
colours[0, 7] = 65535
tifffile.imwrite("palette.tif", np.full((8, 8), 7, np.uint8), photometric="palette", colormap=colours)
red = imageio.imread("palette.tif")[0, 0].tolist(), list(Image.open("palette.tif").convert("RGB").getpixel((0, 0)))
print(f"palette, a red pixel: imageio {red[0]}, Pillow {red[1]}")
if white != (0, 255) or red != (7, [255, 0, 0]):
    sys.exit("changed: imageio gives the colours of a TIFF")
PY
