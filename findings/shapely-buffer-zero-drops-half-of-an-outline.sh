#!/usr/bin/env bash
# shapely's buffer(0) throws one half of a crossed outline away
#
# Guess: buffer(0) repairs an outline that crosses itself and keeps what it encloses; that is how it
# is used in most tools for annotations.
#
# Package: shapely 2.2.0 (numpy 2.4.6)
#
# Behaviour: of a bow tie of two triangles one is left, as a valid polygon, without a word.
# make_valid keeps both. The area of the crossed outline itself is 0, because the halves run in
# opposite directions.
#
# Output seen:
#     areas: as drawn 0.0, buffer(0) 25.0, make_valid 50.0
#
# Where a user of Straylight meets it: outlines drawn by hand, whose ends often cross, repaired on
# the way from an annotation tool into COCO. Straylight repairs nothing: it hands outlines on as
# they are.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    shapely==2.2.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import shapely

outline = shapely.Polygon([(0, 0), (10, 0), (0, 10), (10, 10)])
areas = outline.area, outline.buffer(0).area, shapely.make_valid(outline).area
print(f"areas: as drawn {areas[0]}, buffer(0) {areas[1]}, make_valid {areas[2]}")
if areas != (0, 25, 50):
    sys.exit("changed: buffer(0) keeps another part of a crossed outline")
PY
