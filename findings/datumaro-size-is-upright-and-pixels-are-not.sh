#!/usr/bin/env bash
# Datumaro tells the size of an upright photo and gives its pixels lying on the side
#
# Guess: Image.size and the shape of Image.data are the same two numbers.
#
# Package: datumaro 1.13.12 (pillow 12.3.0, opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: for a photo with an EXIF orientation that swaps the sides (any phone held upright),
# `size` is that of the upright picture, and `data` holds the stored rows. Boxes drawn on `data`, or
# crops by them, are at the wrong place; exports write the upright size into COCO.
#
# Output seen:
#     size (height, width) (200, 100), shape of the pixels (100, 200, 3)
#
# Where a user of Straylight meets it: crops or overlays made by Datumaro of photos that Straylight
# collected and exported with their EXIF. Straylight's boxes refer to the upright picture.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 pillow==12.3.0 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from datumaro.components.media import Image
from PIL import Image as Picture

picture = Picture.fromarray(np.zeros((100, 200, 3), np.uint8))
exif = picture.getexif()
exif[0x0112] = 6  # Orientation: turn a quarter to the right
picture.save("photo.jpg", exif=exif)
image = Image.from_file(path="photo.jpg")
print(f"size (height, width) {image.size}, shape of the pixels {image.data.shape}")
if tuple(image.size) == image.data.shape[:2]:
    sys.exit("changed: size and pixels of Datumaro agree")
PY
