#!/usr/bin/env bash
# Hugging Face's imagefolder leaves out most images when some have "test" in their names
#
# Guess: load_dataset("imagefolder") of a folder with a subfolder for each class gives every image.
# The documentation says that the folders name the classes, and that splits are folders called
# train, test and validation.
#
# Package: datasets 5.2.0 (pillow 13.0.0, pyarrow 26.0.1, numpy 2.4.6)
#
# Behaviour: a word such as test, testing, eval, val or dev between separators in the NAME of an
# image (cam-test-1.png) moves this image into that split; and as soon as one image has such a name,
# all images without such a word are in no split at all. Of four images one is left, without a word.
#
# Output seen:
#     cat/a, cat/b, dog/c, dog/d: {'train': 4}
#     cat/a, cat/b, dog/c, dog/cam-test-1: {'test': 1}
#
# Where a user of Straylight meets it: collected images that keep the names of their cameras or
# lines ("line3_test_004.png"). Count what was loaded; give data_files={"train": "**"}. Straylight's
# folders of classes do not look at the names of images.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import sys

import datasets
import numpy as np
from PIL import Image

datasets.disable_progress_bars()


def load(names):
    folder = f"of_{len(os.listdir())}"
    for name in names:
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(f"{folder}/{name}.png")
    return {split: len(rows) for split, rows in datasets.load_dataset("imagefolder", data_dir=folder, cache_dir="cache").items()}


plain = load(["cat/a", "cat/b", "dog/c", "dog/d"])
named = load(["cat/a", "cat/b", "dog/c", "dog/cam-test-1"])
print(f"cat/a, cat/b, dog/c, dog/d: {plain}")
print(f"cat/a, cat/b, dog/c, dog/cam-test-1: {named}")
if (plain, named) != ({"train": 4}, {"test": 1}):
    sys.exit("changed: imagefolder takes all images")
PY
