#!/usr/bin/env bash
# Pillow scales 16-bit colour down to 8 bits, and clips 16-bit gray
#
# Guess: convert("RGB") brings a 16-bit picture to 8 bits in one way, whether it is gray or in
# colour.
#
# Package: pillow 12.3.0, opencv-python-headless 4.14.0.94 (numpy 2.4.6)
#
# Behaviour: a colour PNG of 16 bits is read with its upper 8 bits. A gray one has mode I;16, and
# convert("RGB") or convert("L") clips everything above 255 to white. OpenCV takes the upper 8 bits
# of both.
#
# Output seen:
#     value 32768 as colour: Pillow 128, OpenCV 128
#     value 32768 as gray:   Pillow 255, OpenCV 128
#
# Where a user of Straylight meets it: X-ray, thermal and industrial cameras. A loader that uses
# Pillow trained on white pictures, one that uses OpenCV did not. Straylight takes the upper 8 of
# 16 bits, in colour and in gray.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pillow==12.3.0 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
from PIL import Image

seen = {}
for name, shape in (("colour", (4, 4, 3)), ("gray", (4, 4))):
    cv2.imwrite("a.png", np.full(shape, 32768, np.uint16))
    seen[name] = int(np.asarray(Image.open("a.png").convert("RGB"))[0, 0, 0]), int(cv2.imread("a.png")[0, 0, 0])
    print(f"value 32768 as {name + ':':7} Pillow {seen[name][0]}, OpenCV {seen[name][1]}")
if seen != {"colour": (128, 128), "gray": (255, 128)}:
    sys.exit("changed: Pillow or OpenCV reads 16 bits in another way")
PY
