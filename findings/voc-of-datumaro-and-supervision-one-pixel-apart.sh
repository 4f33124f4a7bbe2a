#!/usr/bin/env bash
# Datumaro and supervision write one box into Pascal VOC one pixel apart
#
# Guess: Pascal VOC has one convention for its first pixel, and two maintained libraries agree on
# it.
#
# Package: datumaro 1.13.12, supervision 0.31.2 (opencv-python-headless 4.14.0.94, numpy 2.4.6)
#
# Behaviour: supervision counts pixels from 1 as the original data does: it adds 1 to xmin and
# ymin, and takes it off when reading. Datumaro writes and reads the corners as they are, with a
# decimal point. A file written by one and read by the other moves the left and upper edge by a
# pixel each time.
#
# Output seen:
#     box 10 20 40 60: supervision xmin 11, Datumaro xmin 10.0
#     Datumaro's file read by supervision: [9.0, 19.0, 40.0, 60.0]
#
# Where a user of Straylight meets it: VOC folders of unknown origin. Nothing in the file tells the
# two apart, unless a 0 stands in it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 supervision==0.31.2 opencv-python-headless==4.14.0.94 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import pathlib
import re
import sys
import warnings

import cv2
import datumaro
import numpy as np
import supervision
from datumaro.components.annotation import Bbox
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

warnings.simplefilter("ignore")
pathlib.Path("images").mkdir()
pixels = np.zeros((100, 200, 3), np.uint8)
picture = str(pathlib.Path("images/a.jpg").resolve())
cv2.imwrite(picture, pixels)
found = supervision.Detections(xyxy=np.array([[10.0, 20, 40, 60]]), class_id=np.array([0]))
supervision.DetectionDataset(["cat"], [picture], {picture: found}).as_pascal_voc(annotations_directory_path="supervision")
item = DatasetItem(id="a", subset="train", media=Image.from_numpy(data=pixels), annotations=[Bbox(10, 20, 30, 40, label=0)])
datumaro.Dataset.from_iterable([item], categories=["cat"]).export("datumaro", "voc", save_media=True)


def xmin(folder):
    return re.search("<xmin>(.*?)</xmin>", next(pathlib.Path(folder).rglob("a.xml")).read_text())[1]


print(f"box 10 20 40 60: supervision xmin {xmin('supervision')}, Datumaro xmin {xmin('datumaro')}")
crossed = supervision.DetectionDataset.from_pascal_voc("images", "datumaro/Annotations").annotations
corners = next(iter(crossed.values())).xyxy[0].tolist()
print(f"Datumaro's file read by supervision: {corners}")
if (float(xmin("supervision")), float(xmin("datumaro"))) != (11, 10):
    sys.exit("changed: the two libraries write other corners")
PY
