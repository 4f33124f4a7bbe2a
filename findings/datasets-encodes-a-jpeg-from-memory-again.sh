#!/usr/bin/env bash
# Hugging Face datasets compresses a JPEG again when it was opened from memory
#
# Guess: an image that Pillow opened from bytes (an upload, a bucket, a message) is stored without
# further loss, as one that was opened from a file is, and as an array is (PNG).
#
# Package: datasets 5.2.0 (pillow 13.0.0, pyarrow 26.0.1, numpy 2.4.6)
#
# Behaviour: the pixels are encoded as JPEG a second time, at Pillow's default quality of 75,
# because the image still says that its format is JPEG. A photo of quality 95 loses several gray
# levels on the mean. Opened from a file, the file itself is stored.
#
# Output seen:
#     opened from a file: the pixels differ by up to 0
#     opened from memory: the pixels differ by up to 34
#     given as bytes: the pixels differ by up to 0
#
# Where a user of Straylight meets it: pictures from buckets and topics packed into a dataset for
# training: the training sees other pixels than the deployed model did, which is just the difference
# that OOD scores feel. Store {"bytes": data} instead of an image. Straylight's actions send the
# bytes of the file as they are.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import io
import sys

import datasets
import numpy as np
from PIL import Image

datasets.disable_progress_bars()
random = np.random.default_rng(0)
noise = Image.fromarray(random.integers(0, 256, (16, 16, 3)).astype(np.uint8)).resize((128, 128), Image.Resampling.BICUBIC)
noise.save("a.jpg", quality=95)
with open("a.jpg", "rb") as file:
    data = file.read()
features = datasets.Features(image=datasets.Image())
given = np.asarray(Image.open("a.jpg")).astype(int)
worst = {}
for name, image in {
    "opened from a file": Image.open("a.jpg"),
    "opened from memory": Image.open(io.BytesIO(data)),
    "given as bytes": {"bytes": data, "path": None},
}.items():
    stored = datasets.Dataset.from_dict({"image": [image]}, features=features)[0]["image"]
    worst[name] = int(np.abs(np.asarray(stored).astype(int) - given).max())
    print(f"{name}: the pixels differ by up to {worst[name]}")
if not (worst["opened from memory"] > 3 and worst["opened from a file"] == worst["given as bytes"] == 0):
    sys.exit("changed: datasets keeps the pixels of a JPEG")
PY
