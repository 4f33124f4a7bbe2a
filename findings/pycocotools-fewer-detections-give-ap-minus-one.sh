#!/usr/bin/env bash
# AP is -1 when pycocotools is told to look at 50 detections an image
#
# Guess: params.maxDets = [1, 10, 50] gives AP and AR for at most 50 detections an image.
#
# Package: pycocotools 2.0.11, faster-coco-eval 1.8.0 (numpy 2.4.6)
#
# Behaviour: the summary looks the first AP up under the fixed number 100. When 100 is not in the
# list it prints and stores -1 for it, while AP50, AP75 and AR are right. faster-coco-eval uses the
# last entry of the list.
#
# Output seen:
#     pycocotools       AP -1.0, AP50 1.0
#     faster-coco-eval  AP 1.0, AP50 1.0
#
# Where a user of Straylight meets it: evaluating a model whose NMS keeps at most 50 boxes. -1 also
# stands for "no such objects", and is averaged into tables.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pycocotools==2.0.11 faster-coco-eval==1.8.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import contextlib
import io
import sys
import warnings

import faster_coco_eval
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

warnings.simplefilter("ignore")
TRUTH = {"images": [{"id": 1, "width": 100, "height": 100}], "categories": [{"id": 1, "name": "a"}],
         "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40], "area": 1600, "iscrowd": 0}]}
FOUND = [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40], "score": 0.9}]


def ap(truth, evaluator):
    with contextlib.redirect_stdout(io.StringIO()):
        truth.dataset = TRUTH
        truth.createIndex()
        evaluation = evaluator(truth, truth.loadRes([dict(FOUND[0])]), "bbox")
        evaluation.params.maxDets = [1, 10, 50]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return tuple(round(float(value), 3) for value in evaluation.stats[:2])


results = {"pycocotools": ap(COCO(), COCOeval),
           "faster-coco-eval": ap(faster_coco_eval.COCO(), faster_coco_eval.COCOeval_faster)}
for name, (mean, half) in results.items():
    print(f"{name:17} AP {mean}, AP50 {half}")
if results != {"pycocotools": (-1.0, 1.0), "faster-coco-eval": (1.0, 1.0)}:
    sys.exit("changed: maxDets without 100 is treated in another way")
PY
