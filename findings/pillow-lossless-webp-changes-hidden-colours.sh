#!/usr/bin/env bash
# A lossless WebP of Pillow loses the colours under transparent pixels
#
# Guess: lossless keeps every value of every channel, as PNG and TIFF do.
#
# Package: pillow 13.0.0 (numpy 2.4.6)
#
# Behaviour: where alpha is 0, the three colours are replaced, so that the file becomes smaller. The
# documentation has the option exact for it, false by default, in another line than lossless.
# OpenCV's and libvips' lossless WebP do the same.
#
# Output seen:
#     a.png: of 128 hidden pixels 0 changed, of 128 visible ones 0
#     a.webp: of 128 hidden pixels 128 changed, of 128 visible ones 0
#     exact.webp: of 128 hidden pixels 0 changed, of 128 visible ones 0
#
# Where a user of Straylight meets it: pictures that carry a mask as alpha: a reader that drops the
# alpha, which is what models are given, sees other pixels outside of the mask than from the PNG.
# Straylight's own files are PNG or the file as it came. Save with exact=True.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from PIL import Image

pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 4)).astype(np.uint8)
pixels[..., 3] = 255
pixels[:8, :, 3] = 0
changed = {}
for name, options in {"a.png": {}, "a.webp": {"lossless": True}, "exact.webp": {"lossless": True, "exact": True}}.items():
    Image.fromarray(pixels).save(name, **options)
    differ = (np.asarray(Image.open(name))[..., :3] != pixels[..., :3]).any(axis=2)
    changed[name] = int(differ[:8].sum()), int(differ[8:].sum())
    print(f"{name}: of 128 hidden pixels {changed[name][0]} changed, of 128 visible ones {changed[name][1]}")
if changed != {"a.png": (0, 0), "a.webp": (128, 0), "exact.webp": (0, 0)}:
    sys.exit("changed: lossless WebP keeps the colours of hidden pixels")
PY
