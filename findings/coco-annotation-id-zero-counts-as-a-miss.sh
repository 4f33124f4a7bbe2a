#!/usr/bin/env bash
# An annotation with id 0 can never be detected, says pycocotools
#
# Guess: annotation ids are arbitrary numbers, so two perfect detections of two objects give AP 1,
# with ids 0 and 1 as with 1 and 2.
#
# Package: pycocotools 2.0.11, faster-coco-eval 1.8.0, hotcoco 1.3.0 (numpy 2.4.6)
#
# Behaviour: pycocotools and faster-coco-eval note for each detection the id of what it matched,
# and read 0 as "no match". The match counts as a false alarm: AP 0.25 in place of 1. hotcoco,
# which says that it is a drop-in replacement, gives 1.
#
# Output seen:
#     ids 1, 2   pycocotools 1.000   faster-coco-eval 1.000   hotcoco 1.000
#     ids 0, 1   pycocotools 0.252   faster-coco-eval 0.252   hotcoco 1.000
#
# Where a user of Straylight meets it: COCO files from scripts that enumerate from 0. Straylight
# reads such files. When it writes, it keeps the annotation ids of the source where each object has
# one of its own and none is 0, and numbers from 1 otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pycocotools==2.0.11 faster-coco-eval==1.8.0 hotcoco==1.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import contextlib
import io
import json
import sys
import warnings

import faster_coco_eval
import hotcoco
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

warnings.simplefilter("ignore")
BOXES = [[0, 0, 40, 40], [50, 50, 40, 40]]


def ap(make, evaluator, load, first):
    annotations = [{"id": first + i, "image_id": 1, "category_id": 1, "bbox": box, "area": 1600, "iscrowd": 0}
                   for i, box in enumerate(BOXES)]
    truth = {"images": [{"id": 1, "width": 100, "height": 100}], "categories": [{"id": 1, "name": "a"}],
             "annotations": annotations}
    found = [{"image_id": 1, "category_id": 1, "bbox": box, "score": 0.9 - i / 10} for i, box in enumerate(BOXES)]
    with open("truth.json", "w") as file:
        json.dump(truth, file)
    with open("found.json", "w") as file:
        json.dump(found, file)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = make("truth.json")
        evaluation = evaluator(truth, getattr(truth, load)("found.json"), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(float(evaluation.stats[0]), 3)


tools = {
    "pycocotools": (COCO, COCOeval, "loadRes"),
    "faster-coco-eval": (faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster, "loadRes"),
    "hotcoco": (hotcoco.COCO, hotcoco.COCOeval, "load_res"),
}
results = {first: {name: ap(*tool, first) for name, tool in tools.items()} for first in (1, 0)}
for first, values in results.items():
    print(f"ids {first}, {first + 1}   " + "   ".join(f"{name} {value:.3f}" for name, value in values.items()))
expected = {"pycocotools": 0.252, "faster-coco-eval": 0.252, "hotcoco": 1.0}
if not (set(results[1].values()) == {1.0} and results[0] == expected):
    sys.exit("changed: the evaluators treat annotation id 0 in another way")
PY
