#!/usr/bin/env bash
# Label Studio's COCO export gives an image without objects the size null
#
# Guess: `width` and `height` of every image in a COCO file are numbers; the images are there to be
# measured.
#
# Package: label-studio-converter 0.0.59 (setuptools 65.5.0)
#
# Behaviour: sizes come from the annotations. An image that was reviewed and has no object is
# written with "width": null and "height": null; categories, images and annotations are numbered
# from 0.
#
# Output seen:
#     a.jpg {'width': 640, 'height': 480, 'id': 0}
#     b.jpg {'width': None, 'height': None, 'id': 1}
#
# Where a user of Straylight meets it: data sets with negative images, which OOD collections have
# many of. Readers that demand numbers leave the image out or refuse the whole file: put the sizes
# in first. See also coco-annotation-id-zero-counts-as-a-miss.
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
cat = {"x": 50, "y": 50, "width": 20, "height": 10, "rotation": 0, "rectanglelabels": ["cat"]}
region = {"id": "r1", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "original_width": 640,
          "original_height": 480, "image_rotation": 0, "value": cat}
with open("tasks.json", "w") as file:
    json.dump([{"id": number, "data": {"image": f"http://localhost/{name}.jpg"},
                "annotations": [{"id": number, "completed_by": 1, "result": regions}]}
               for number, name, regions in ((1, "a", [region]), (2, "b", []))], file)
Converter("labels.xml", ".", download_resources=False).convert("tasks.json", "coco", "COCO", is_dir=False)
with open("coco/result.json") as file:
    images = json.load(file)["images"]
for image in images:
    print(image.pop("file_name").split("/")[-1], image)
if [image["width"] for image in images] != [640, None]:
    sys.exit("changed: images without objects have a size now")
PY
