#!/usr/bin/env bash
# OpenCV turns JPEG, PNG and WebP upright by their EXIF, and AVIF not
#
# Guess: one rule holds for all formats that OpenCV reads.
#
# Package: opencv-python-headless 5.0.0.93 (pillow 12.3.0, numpy 2.4.6)
#
# Behaviour: of four files with the same picture and EXIF orientation 6, imread gives three as 40 x
# 20 and AVIF as stored, 20 x 40. Pillow's exif_transpose treats all four alike.
#
# Output seen:
#     jpg  OpenCV (40, 20)  Pillow (40, 20)
#     png  OpenCV (40, 20)  Pillow (40, 20)
#     webp OpenCV (40, 20)  Pillow (40, 20)
#     avif OpenCV (20, 40)  Pillow (40, 20)
#
# Where a user of Straylight meets it: boxes drawn on AVIF pictures in a tool that honours EXIF do
# not fit what an OpenCV pipeline trains on. Straylight reads no AVIF, and says so; every format
# that it reads it turns upright, so convert with a tool that does the same.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 pillow==12.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
from PIL import Image, ImageOps

exif = Image.Exif()
exif[0x112] = 6
shapes = {}
for kind in ("jpg", "png", "webp", "avif"):
    Image.new("RGB", (40, 20), "red").save(f"a.{kind}", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(f"a.{kind}")).size[::-1]
    shapes[kind] = cv2.imread(f"a.{kind}").shape[:2], upright
    print(f"{kind:4} OpenCV {shapes[kind][0]}  Pillow {upright}")
if not (all(shapes[kind][0] == (40, 20) for kind in ("jpg", "png", "webp")) and shapes["avif"] == ((20, 40), (40, 20))):
    sys.exit("changed: OpenCV turns other formats upright")
PY
