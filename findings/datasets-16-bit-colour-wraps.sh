#!/usr/bin/env bash
# Hugging Face datasets wraps 16-bit colour at 256, and keeps 16-bit gray
#
# Guess: an array of 16 bits is stored as it is, or refused: one channel is kept as 16 bits.
#
# Package: datasets 5.2.0 (pillow 13.0.0, pyarrow 26.0.1, numpy 2.4.6)
#
# Behaviour: with three channels 1000 becomes 232 (modulo 256). A warning speaks of "downcasting to
# be compatible with Pillow", which sounds like scaling; it is shown once. One channel keeps its 16
# bits.
#
# Output seen:
#     gray: 1000 of uint16 becomes 1000 of uint16
#     colour: 1000 of uint16 becomes 232 of uint8
#
# Where a user of Straylight meets it: images of industrial, medical or multispectral cameras packed
# into a dataset for training. Scale to 8 bits first, or store encoded bytes of a TIFF. Straylight
# keeps the 16 bits of PNG and TIFF for models that ask for u16, and scales for all others.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import warnings

import datasets
import numpy as np

datasets.disable_progress_bars()
warnings.simplefilter("ignore")
features = datasets.Features(image=datasets.Image())
arrays = {"gray": np.full((4, 4), 1000, np.uint16), "colour": np.full((4, 4, 3), 1000, np.uint16)}
found = {}
for name, array in arrays.items():
    image = np.asarray(datasets.Dataset.from_dict({"image": [array]}, features=features)[0]["image"])
    found[name] = int(image.flat[0]), str(image.dtype)
    print(f"{name}: 1000 of uint16 becomes {found[name][0]} of {found[name][1]}")
if found != {"gray": (1000, "uint16"), "colour": (232, "uint8")}:
    sys.exit("changed: datasets stores 16-bit colour in another way")
PY
