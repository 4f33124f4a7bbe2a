#!/usr/bin/env bash
# Label Studio's converter writes one rotated rectangle to two different places
#
# Guess: a rectangle with a rotation becomes the upright box around it in every format without
# rotation.
#
# Package: label-studio-converter 0.0.59 (setuptools 65.5.0)
#
# Behaviour: the COCO export computes the box around the turned corners. The YOLO and Pascal VOC
# exports drop the rotation and write the box as it was before turning (Label Studio turns about
# the upper left corner), which does not hold the object. Nothing is said. `area` in COCO is that
# of the rectangle, not of the box.
#
# Output seen:
#     COCO  x 274.7 to 410.5, y 240.0 to 341.8
#     YOLO  x 320.0 to 448.0, y 240.0 to 288.0
#
# Where a user of Straylight meets it: labels drawn in Label Studio and converted for a trainer.
# Straylight reads Label Studio's own JSON, turned rectangles included; give it that, and use the
# converter's COCO export where another tool needs one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    label-studio-converter==0.0.59 setuptools==65.5.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
import logging
import sys

from label_studio_converter import Converter

logging.disable(logging.CRITICAL)
with open("labels.xml", "w") as file:
    file.write('<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
               '<Label value="cat"/></RectangleLabels></View>')
turned = {"x": 50, "y": 50, "width": 20, "height": 10, "rotation": 45, "rectanglelabels": ["cat"]}
region = {"id": "r1", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "original_width": 640,
          "original_height": 480, "image_rotation": 0, "value": turned}
with open("tasks.json", "w") as file:
    json.dump([{"id": 1, "data": {"image": "http://localhost/a.jpg"},
                "annotations": [{"id": 1, "completed_by": 1, "result": [region]}]}], file)
converter = Converter("labels.xml", ".", download_resources=False)
converter.convert("tasks.json", "coco", "COCO", is_dir=False)
converter.convert("tasks.json", "yolo", "YOLO", is_dir=False)
with open("coco/result.json") as file:
    x, y, width, height = json.load(file)["annotations"][0]["bbox"]
places = {"COCO": (x, x + width, y, y + height)}
with open("yolo/labels/a.txt") as file:
    _, x, y, width, height = map(float, file.read().split())
places["YOLO"] = ((x - width / 2) * 640, (x + width / 2) * 640, (y - height / 2) * 480, (y + height / 2) * 480)
for name, (left, right, top, bottom) in places.items():
    print(f"{name}  x {left:.1f} to {right:.1f}, y {top:.1f} to {bottom:.1f}")
if not (abs(places["COCO"][0] - 274.7) < 0.1 and abs(places["YOLO"][0] - 320) < 0.1):
    sys.exit("changed: the exports place a rotated rectangle in another way")
PY
