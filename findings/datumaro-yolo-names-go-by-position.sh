#!/usr/bin/env bash
# Datumaro reads the numbered class names of a YOLO file by their position, not by their number
#
# Guess: in `names: {1: nut, 0: bolt}` of a data.yaml the number is the class, as for Ultralytics,
# which wrote this layout first.
#
# Package: datumaro 1.13.12 (numpy 2.4.6)
#
# Behaviour: the keys are thrown away. Class 1 of a label file becomes the second name in the file,
# whatever its number. A map in another order swaps classes without a word; a map with a gap (0 and
# 2) moves the names after it, and a label with number 2 gets no name.
#
# Output seen:
#     names 1: nut, 0: bolt: an object of class 1 is read as bolt
#
# Where a user of Straylight meets it: a YOLO folder whose YAML was edited by hand or had a class
# removed. Straylight takes the number, and both tools show other labels for one dataset.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import pathlib
import sys

import cv2
import numpy as np
from datumaro import Dataset
from datumaro.components.annotation import AnnotationType

for folder in ("images", "labels"):
    pathlib.Path(f"set/{folder}/train").mkdir(parents=True)
cv2.imwrite("set/images/train/a.jpg", np.zeros((100, 200, 3), np.uint8))
pathlib.Path("set/labels/train/a.txt").write_text("1 0.5 0.5 0.2 0.2\n")
pathlib.Path("set/data.yaml").write_text("path: .\ntrain: images/train\nnames:\n  1: nut\n  0: bolt\n")
dataset = Dataset.import_from("set", "yolo")
labels = [entry.name for entry in dataset.categories()[AnnotationType.label]]
label = labels[next(iter(dataset)).annotations[0].label]
print(f"names 1: nut, 0: bolt: an object of class 1 is read as {label}")
if label != "bolt":
    sys.exit("changed: Datumaro goes by the number of the class")
PY
