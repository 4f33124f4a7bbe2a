#!/usr/bin/env bash
# Datumaro's COCO export gives two annotations one id
#
# Guess: annotation ids in a written COCO file are unique; those without an id get new ones.
#
# Package: datumaro 1.13.12, pycocotools 2.0.11 (numpy 2.4.6)
#
# Behaviour: the numbering of annotations that have no id starts at the largest id that exists, not
# after it. In a file with one numbered annotation (an image annotated by hand, then the rest by a
# model) two annotations share that id. pycocotools then keeps one of the two in its index.
#
# Output seen:
#     ids in the file [1, 1, 2], annotations in pycocotools' index 2
#
# Where a user of Straylight meets it: merging predictions of Straylight with annotations in
# Datumaro and exporting to COCO. Reading the file, Straylight keeps both objects; evaluators that
# look objects up by id lose one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 pycocotools==2.0.11 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import contextlib
import io
import json
import sys

import datumaro
import numpy as np
from datumaro.components.annotation import Bbox
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image
from pycocotools.coco import COCO

boxes = [Bbox(10, 20, 30, 40, label=0), Bbox(50, 50, 9, 9, label=0, id=1), Bbox(70, 20, 5, 5, label=0)]
picture = Image.from_numpy(data=np.zeros((100, 200, 3), np.uint8))
dataset = datumaro.Dataset.from_iterable([DatasetItem(id="a", media=picture, annotations=boxes)], categories=["cat"])
dataset.export("coco", "coco_instances")
path = "coco/annotations/instances_default.json"
with open(path) as file:
    ids = [annotation["id"] for annotation in json.load(file)["annotations"]]
with contextlib.redirect_stdout(io.StringIO()):
    indexed = len(COCO(path).anns)
print(f"ids in the file {ids}, annotations in pycocotools' index {indexed}")
if not (len(ids) == 3 and len(set(ids)) == 2):
    sys.exit("changed: the exported ids are unique")
PY
