#!/usr/bin/env bash
# Hugging Face datasets stores the file, not the picture, when an image was changed in place
#
# Guess: a dataset built from Pillow images holds their pixels. The documentation of the Image
# feature lists "a PIL.Image.Image object" as one of the inputs.
#
# Package: datasets 5.2.0 (pillow 13.0.0, pyarrow 26.0.1, numpy 2.4.6)
#
# Behaviour: if the image still knows the file that it was opened from, only the path is stored.
# Pillow's changes in place (thumbnail, paste, ImageDraw, putalpha) keep that name, so that a
# picture of 8 x 8 comes back as the file of 64 x 64, and a region that was blacked out is visible
# again. Methods that return a new image (resize, crop) are stored as they are.
#
# Output seen:
#     thumbnail: given (8, 8), stored (64, 64)
#     blacked out: brightest pixel given 0, stored 200
#     a copy of it: stored 0
#
# Where a user of Straylight meets it: making a dataset of collected images for training, with faces
# or edges painted over before. Give datasets a copy (image.copy() forgets the file) or encoded
# bytes. Straylight writes and reads no Hugging Face datasets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import datasets
import numpy as np
from PIL import Image, ImageDraw

datasets.disable_progress_bars()
Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save("a.png")
small = Image.open("a.png")
small.thumbnail((8, 8))
hidden = Image.open("a.png")
ImageDraw.Draw(hidden).rectangle((0, 0, 63, 63), fill=(0, 0, 0))
features = datasets.Features(image=datasets.Image())
stored = datasets.Dataset.from_dict({"image": [small, hidden, hidden.copy()]}, features=features)["image"]
print(f"thumbnail: given {small.size}, stored {stored[0].size}")
print(f"blacked out: brightest pixel given {np.asarray(hidden).max()}, stored {np.asarray(stored[1]).max()}")
print(f"a copy of it: stored {np.asarray(stored[2]).max()}")
if not (stored[0].size == (64, 64) and np.asarray(stored[1]).max() == 200 and np.asarray(stored[2]).max() == 0):
    sys.exit("changed: datasets stores the pixels of a changed image")
PY
