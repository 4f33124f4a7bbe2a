#!/usr/bin/env bash
# A metadata.csv makes Hugging Face's imagefolder forget images, classes and leading zeros
#
# Guess: images without a row in metadata.csv come with empty columns, or raise; the folders go on
# naming the classes; "007" stays what it is.
#
# Package: datasets 5.2.0 (pillow 13.0.0, pyarrow 26.0.1, numpy 2.4.6)
#
# Behaviour: only images with a row are loaded, the label column of the folders is gone, and a
# column of numbers with leading zeros becomes integers. Nothing is said.
#
# Output seen:
#     without a file: 3 images, columns {'label': [0, 0, 1]}
#     with two rows:  2 images, columns {'camera': [7, 12]}
#
# Where a user of Straylight meets it: adding a file with scores or cameras beside collected images:
# what is not in the file is lost from the training. Write metadata.jsonl (it keeps strings), with a
# row for each image and the label as a column. Straylight's own folders are read by its own
# program, without such a file.
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


def load(rows):
    folder = f"of_{len(os.listdir())}"
    for name in ("cat/a", "cat/b", "dog/c"):
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(f"{folder}/{name}.png")
    if rows:
        with open(f"{folder}/metadata.csv", "w") as file:
            file.write("\n".join(["file_name,camera", *rows]))
    rows = datasets.load_dataset("imagefolder", data_dir=folder, cache_dir="cache", split="train")
    columns = {name: list(rows[name]) for name in rows.column_names if name != "image"}
    print(f"{len(rows)} images, columns {columns}")
    return len(rows), columns


print("without a file: ", end="")
plain = load([])
print("with two rows:  ", end="")
described = load(["cat/a.png,007", "cat/b.png,012"])
if (plain, described) != ((3, {"label": [0, 0, 1]}), (2, {"camera": [7, 12]})):
    sys.exit("changed: imagefolder keeps images without a row, their classes or leading zeros")
PY
