#!/usr/bin/env bash
# Saving pixels as HEIC with an EXIF orientation loses the orientation
#
# Guess: Image.save("a.heic", exif=exif) with orientation 6 gives a picture that exif_transpose
# turns upright, as for JPEG and WebP.
#
# Package: pillow-heif 1.8.1 (pillow 12.3.0, numpy 2.4.6)
#
# Behaviour: HEIF readers ignore the orientation of EXIF, since the format has a box of its own for
# it. pillow-heif writes that box by the picture's own EXIF, not by the one that is given to save,
# so for pixels from an array the box is missing. On reading it sets the orientation to 1 and notes
# the old one as original_orientation: exif_transpose leaves the picture lying on its side.
#
# Output seen:
#     jpg  upright size (20, 40)
#     webp upright size (20, 40)
#     heic upright size (40, 20), original_orientation 6
#
# Where a user of Straylight meets it: grabbers that take pixels from a rotated camera and write
# HEIC. The pictures lie on their side in every reader, and in the JPEG files made of them for
# Straylight, which reads no HEIC; turn the pixels before saving.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pillow-heif==1.8.1 pillow==12.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()
exif = Image.Exif()
exif[0x112] = 6
pixels = Image.fromarray(np.zeros((20, 40, 3), np.uint8))
sizes = {}
for kind in ("jpg", "webp", "heic"):
    pixels.save(f"a.{kind}", exif=exif)
    copy = Image.open(f"a.{kind}")
    note = f", original_orientation {copy.info['original_orientation']}" if "original_orientation" in copy.info else ""
    sizes[kind] = ImageOps.exif_transpose(copy).size
    print(f"{kind:4} upright size {sizes[kind]}{note}")
if sizes != {"jpg": (20, 40), "webp": (20, 40), "heic": (40, 20)}:
    sys.exit("changed: the orientation survives saving as HEIC")
PY
