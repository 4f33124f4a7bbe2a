#!/usr/bin/env bash
# Three COCO evaluators read a missing `area` in three ways
#
# Guess: without `area` an evaluator computes it from the box, or all of them refuse alike.
#
# Package: pycocotools 2.0.11, faster-coco-eval 1.8.0, hotcoco 1.3.0 (numpy 2.4.6)
#
# Behaviour: pycocotools raises KeyError 'area'; faster-coco-eval takes the object as small (area
# 0); hotcoco takes width times height and finds it medium. AP for small and medium objects are
# then about other objects; AP over all is the same, so nobody notices.
#
# Output seen:
#     pycocotools        KeyError 'area'
#     faster-coco-eval   AP small 1.0, medium -1.0
#     hotcoco            AP small -1.0, medium 1.0
#
# Where a user of Straylight meets it: detection files without `area`, as several converters write
# them. Straylight always writes `area` (of the polygon or mask, or of the box where there is only
# a box).
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
with open("truth.json", "w") as file:
    json.dump({"images": [{"id": 1, "width": 100, "height": 100}], "categories": [{"id": 1, "name": "a"}],
               "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40], "iscrowd": 0}]}, file)
with open("found.json", "w") as file:
    json.dump([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40], "score": 0.9}], file)


def answer(make, evaluator, load):
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            truth = make("truth.json")
            evaluation = evaluator(truth, getattr(truth, load)("found.json"), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        except KeyError as error:
            return f"KeyError {error}"
    small, medium = (round(float(value), 3) for value in evaluation.stats[3:5])
    return f"AP small {small}, medium {medium}"


answers = {
    "pycocotools": answer(COCO, COCOeval, "loadRes"),
    "faster-coco-eval": answer(faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster, "loadRes"),
    "hotcoco": answer(hotcoco.COCO, hotcoco.COCOeval, "load_res"),
}
for name, text in answers.items():
    print(f"{name:18} {text}")
if list(answers.values()) != ["KeyError 'area'", "AP small 1.0, medium -1.0", "AP small -1.0, medium 1.0"]:
    sys.exit("changed: the evaluators read a missing area in another way")
PY
