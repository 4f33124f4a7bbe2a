#!/usr/bin/env bash
# Datumaro makes two annotations of one COCO object with a polygon
#
# Guess: importing a COCO file with two objects gives two annotations.
#
# Package: datumaro 1.13.12 (numpy 2.4.6, pillow 12.3.0)
#
# Behaviour: a COCO annotation with a segmentation becomes a Polygon and a Bbox, with the same id
# and group. Counts of objects, class statistics and a following export to a box format see each
# object twice, or once as box and once as polygon.
#
# Output seen:
#     objects in the file 2, annotations in Datumaro 4: ['Polygon', 'Bbox', 'Polygon', 'Bbox']
#
# Where a user of Straylight meets it: COCO files of instance segmentation, those that Straylight
# writes included, imported into Datumaro. Straylight reads one object for each annotation; count
# groups, not annotations, in Datumaro.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 numpy==2.4.6 pillow==12.3.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
import pathlib
import sys

import datumaro
from PIL import Image

pathlib.Path("coco/annotations").mkdir(parents=True)
pathlib.Path("coco/images").mkdir()
Image.new("RGB", (200, 100)).save("coco/images/a.jpg")
annotations = [{"id": i + 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 1600, "bbox": [x, 20, 40, 40],
                "segmentation": [[x, 20, x + 40, 20, x + 40, 60, x, 60]]} for i, x in enumerate((10, 90))]
pathlib.Path("coco/annotations/instances_train.json").write_text(json.dumps({
    "images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}],
    "categories": [{"id": 1, "name": "cat"}], "annotations": annotations}))
(item,) = datumaro.Dataset.import_from("coco", "coco")
kinds = [type(annotation).__name__ for annotation in item.annotations]
print(f"objects in the file {len(annotations)}, annotations in Datumaro {len(kinds)}: {kinds}")
if not (sorted(kinds) == ["Bbox", "Bbox", "Polygon", "Polygon"]):
    sys.exit("changed: a COCO object is one annotation in Datumaro")
PY
