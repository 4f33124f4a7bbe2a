#!/usr/bin/env bash
# Pillow turns a TIFF upright when it is opened, and no other format
#
# Guess: Image.open gives stored pixels whatever the orientation says, and ImageOps.exif_transpose
# is the one place that turns them. It is so for JPEG, PNG, WebP.
#
# Package: pillow 12.3.0 (numpy 2.4.6)
#
# Behaviour: a TIFF with orientation 6 has its upright size at once and upright pixels after
# loading; getexif() still says 6 until the pixels are loaded. Code that reads the tag and turns by
# itself turns a TIFF twice.
#
# Output seen:
#     PNG:  stored 60 x 40, Pillow says (60, 40), tag 6
#     TIFF: stored 60 x 40, Pillow says (40, 60), tag 6; after load no tag
#
# Where a user of Straylight meets it: scripts around a deployment that turn pictures by their tag
# before they send them. Straylight turns all formats the same way; send files, or pixels from
# exif_transpose.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pillow==12.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from PIL import Image

stored = Image.fromarray(np.zeros((40, 60, 3), np.uint8))
exif = stored.getexif()
exif[0x0112] = 6
sizes = {}
for kind in ("PNG", "TIFF"):
    stored.save("photo", format=kind, exif=exif)
    opened = Image.open("photo")
    sizes[kind] = opened.size
    tag = opened.getexif().get(0x0112)
    opened.load()
    after = "" if opened.getexif().get(0x0112) else "; after load no tag"
    print(f"{kind + ':':5} stored 60 x 40, Pillow says {opened.size}, tag {tag}{after}")
if sizes != {"PNG": (60, 40), "TIFF": (40, 60)}:
    sys.exit("changed: Pillow treats all formats alike")
PY
