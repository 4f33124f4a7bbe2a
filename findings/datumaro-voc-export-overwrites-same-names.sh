#!/usr/bin/env bash
# Datumaro's VOC export gives one image the objects of another of the same name
#
# Guess: an image "a" of the subset train and another "a" of the subset val are two images in an
# export, as they are in COCO and YOLO.
#
# Package: datumaro 1.13.12 (numpy 2.4.6)
#
# Behaviour: the folder layout of VOC has one name space. One image and its objects overwrite the
# other, and both subsets list that one. No error and no warning. The KITTI export loses one of the
# two images in the same way.
#
# Output seen:
#     coco  train: left edge 1.0; val: left edge 50.0
#     voc   train: left edge 1.0; val: left edge 1.0
#
# Where a user of Straylight meets it: frames of several cameras are called 000001.jpg in each
# folder. A stray that was collected from one camera gets the objects of another. Straylight's own
# exports keep names apart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from datumaro import Dataset
from datumaro.components.annotation import Bbox
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

edges = {"train": 1, "val": 50}
items = [
    DatasetItem(id="000001", subset=subset, media=Image.from_numpy(data=np.zeros((100, 200, 3), np.uint8)), annotations=[Bbox(edge, 10, 30, 30, label=0)])
    for subset, edge in edges.items()
]
found = {}
for name in ("coco", "voc"):
    Dataset.from_iterable(items, categories=["fish"]).export(name, name, save_media=True)
    found[name] = {item.subset: item.annotations[0].x for item in Dataset.import_from(name, name)}
    print(f"{name:5} train: left edge {found[name]['train']}; val: left edge {found[name]['val']}")
if not (found["coco"] == edges and found["voc"]["train"] == found["voc"]["val"]):
    sys.exit("changed: Datumaro keeps the two images apart")
PY
