#!/usr/bin/env bash
# pylabel writes the category ids of COCO as class numbers of YOLO
#
# Guess: class numbers in the label files count from 0 in the order of `names` in the YAML that the
# same call writes.
#
# Package: pylabel 0.1.55 (pandas 2.3.3, opencv-python 5.0.0.93, numpy 2.4.6)
#
# Behaviour: the label files keep the ids of COCO, which count from 1 as a rule, and the YAML lists
# the names from 0. A bolt (id 1) is read as a nut, and the last class is out of range. No warning.
# The parameter `cat_id_index=0` makes the numbers right.
#
# Output seen:
#     bolt is written as 1, and number 1 of the YAML is nut
#
# Where a user of Straylight meets it: importing a YOLO folder that came from COCO by pylabel: every
# label is one off. Look at a few pictures after the import.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pylabel==0.1.55 pandas==2.3.3 numpy==2.4.6 opencv-python==5.0.0.93 matplotlib==3.11.2 scikit-learn==1.9.1 jupyter-bbox-widget==0.7.0 bbox-visualizer==1.0.1 ipywidgets==8.1.9 ipython==9.18.1 anywidget==0.11.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import contextlib
import io
import json
import pathlib
import sys

import cv2
import numpy as np
import yaml
from pylabel import importer

pathlib.Path("images").mkdir()
cv2.imwrite("images/a.jpg", np.zeros((100, 200, 3), np.uint8))
bolt = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 80, 40], "area": 3200, "iscrowd": 0, "segmentation": []}
nut = {**bolt, "id": 2, "category_id": 2}
coco = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}],
    "categories": [{"id": 1, "name": "bolt"}, {"id": 2, "name": "nut"}],
    "annotations": [bolt, nut],
}
pathlib.Path("coco.json").write_text(json.dumps(coco))
with contextlib.redirect_stderr(io.StringIO()):
    dataset = importer.ImportCoco("coco.json", path_to_images="images", name="parts")
    dataset.export.ExportToYoloV5(output_path="out/labels", yaml_file="data.yaml", copy_images=False)
number = int(pathlib.Path("out/labels/a.txt").read_text().split()[0])
names = yaml.safe_load(pathlib.Path("out/data.yaml").read_text())["names"]
print(f"bolt is written as {number}, and number {number} of the YAML is {names[number]}")
if not (number == 1 and names[1] == "nut"):
    sys.exit("changed: pylabel writes class numbers that fit its YAML")
PY
