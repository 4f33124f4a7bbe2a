#!/usr/bin/env bash
# pycocotools throws away the `ignore` flag of an annotation
#
# Guess: `"ignore": 1` takes an object out of the evaluation of boxes: finding it or missing it
# costs nothing. The code reads the key.
#
# Package: pycocotools 2.0.11 (numpy 2.4.6)
#
# Behaviour: one line reads `ignore`, the next replaces it by `iscrowd`. The missed object counts
# in full. Only `iscrowd: 1` takes an object out, and that changes how overlap is measured too.
#
# Output seen:
#     plain 0.505, ignore 0.505, iscrowd 1.0
#
# Where a user of Straylight meets it: data sets with "don't care" regions (LVIS style, VOC
# `difficult` converted to `ignore`). AP of a model depends on which key the converter chose.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pycocotools==2.0.11 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import contextlib
import io
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def ap(**flags):
    missed = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40], "area": 1600, "iscrowd": 0} | flags
    met = {"id": 2, "image_id": 1, "category_id": 1, "bbox": [50, 50, 40, 40], "area": 1600, "iscrowd": 0}
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": [{"id": 1, "width": 100, "height": 100}],
                         "categories": [{"id": 1, "name": "a"}], "annotations": [missed, met]}
        truth.createIndex()
        found = truth.loadRes([{"image_id": 1, "category_id": 1, "bbox": [50, 50, 40, 40], "score": 0.9}])
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(float(evaluation.stats[0]), 3)


plain, ignored, crowd = ap(), ap(ignore=1), ap(iscrowd=1)
print(f"plain {plain}, ignore {ignored}, iscrowd {crowd}")
if not (plain == ignored == 0.505 and crowd == 1.0):
    sys.exit("changed: the key `ignore` has an effect now")
PY
