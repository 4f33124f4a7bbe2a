#!/usr/bin/env bash
# Datumaro's pixels of a 16-bit image wrap at 256
#
# Guess: Image.data of a 16-bit PNG is 16 bits wide, or scaled down to 8 bits as OpenCV's plain
# imread does it.
#
# Package: datumaro 1.13.12 (opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: the values are cast to uint8, that is taken modulo 256. A smooth ramp becomes a saw
# tooth, 1000 becomes 232 and 256 becomes black. No warning. An export of an image that comes from a
# file copies the file and is not touched; whatever goes through `data` (resize, tiling, crops,
# training) is.
#
# Output seen:
#     [0, 255, 256, 1000, 40000, 65535] -> [0, 255, 0, 232, 64, 255]
#
# Where a user of Straylight meets it: thermal, X-ray and depth cameras write 16-bit gray.
# Straylight scales them to the range that the model was trained with; a training on Datumaro's
# pixels sees noise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
from datumaro.components.media import Image

values = [0, 255, 256, 1000, 40000, 65535]
cv2.imwrite("gray.png", np.array([values], np.uint16))
pixels = Image.from_file(path="gray.png").data
print(f"{values} -> {pixels[0].tolist()}")
if pixels[0].tolist() != [value % 256 for value in values]:
    sys.exit("changed: Datumaro no longer takes 16-bit pixels modulo 256")
PY
