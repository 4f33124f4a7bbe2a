#!/usr/bin/env bash
# Datumaro rounds every coordinate to two decimals
#
# Guess: shapes keep the coordinates that they are given, as floats.
#
# Package: datumaro 1.13.12 (numpy 2.4.6)
#
# Behaviour: Bbox, Polygon, Points and the others round to two digits when they are made and when a
# file is read, and store float32. In pixels that is little; coordinates between 0 and 1, or small
# objects in large shrunk images, collapse: a box 0.004 wide has no area left.
#
# Output seen:
#     Bbox(0.123456, 0.5, 0.004, 0.2) -> x 0.12, width 0.01
#     Bbox(0.121, 0.5, 0.003, 0.2) -> x 0.12, width 0.0
#
# Where a user of Straylight meets it: passing shapes in fractions of the image through Datumaro.
# Straylight reads and writes Datumaro files in pixels with all digits; a trip through Datumaro
# itself costs those after the second.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

from datumaro.components.annotation import Bbox

sizes = []
for x, width in ((0.123456, 0.004), (0.121, 0.003)):
    box = Bbox(x, 0.5, width, 0.2)
    sizes.append(round(box.w, 4))
    print(f"Bbox({x}, 0.5, {width}, 0.2) -> x {round(box.x, 4)}, width {round(box.w, 4)}")
if sizes != [0.01, 0.0]:
    sys.exit("changed: Datumaro keeps more than two decimals")
PY
