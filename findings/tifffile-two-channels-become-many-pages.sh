#!/usr/bin/env bash
# tifffile writes an image of two or five channels as one page for each row
#
# Guess: an array of height x width x channels becomes one page with that many samples a pixel, as
# for three channels.
#
# Package: tifffile 2026.3.3 (pillow 12.3.0, numpy 2.4.6)
#
# Behaviour: only a last axis of 3 or 4 (uint8 and uint16) is taken for channels. 20 x 40 x 2
# becomes 20 pages of 40 rows and 2 columns. tifffile itself puts it together again; Pillow, OpenCV
# and GDAL see the first page, a strip of 2 x 40 pixels.
#
# Output seen:
#     20 x 40 x 3: pages 1, Pillow sees 40 x 20
#     20 x 40 x 2: pages 20, Pillow sees 2 x 40
#
# Where a user of Straylight meets it: multispectral and polarisation cameras, near infrared beside
# gray. Write such arrays with photometric="minisblack" and planarconfig="contig". A picture of 2 x
# 40 pixels is no error for Straylight: look at the sizes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    tifffile==2026.3.3 pillow==12.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import tifffile
from PIL import Image

seen = {}
for channels in (3, 2):
    tifffile.imwrite("a.tif", np.zeros((20, 40, channels), np.uint8))
    with Image.open("a.tif") as picture:
        seen[channels] = picture.n_frames, picture.size
    print(f"20 x 40 x {channels}: pages {seen[channels][0]}, Pillow sees {seen[channels][1][0]} x {seen[channels][1][1]}")
if seen != {3: (1, (40, 20)), 2: (20, (2, 40))}:
    sys.exit("changed: tifffile writes two channels in another way")
PY
