#!/usr/bin/env bash
# rasterio.merge takes black for a hole where the files name no nodata
#
# Guess: method "first" keeps the pixels of the first image where two overlap, and "min" the darker
# ones; a file without a nodata value has no missing pixels.
#
# Package: rasterio 1.4.4 (numpy 2.4.6)
#
# Behaviour: 0 is taken for "missing" when no file names a value, so that black pixels of the first
# image are painted over by the second, and even the minimum of 0 and 200 is 200. The documentation
# of `nodata` says that the first file's value counts, or 0 when it has none; that valid zeros are
# lost by it, it does not say.
#
# Output seen:
#     four black, then four of 200, two overlap, first: [0, 0, 200, 200, 200, 200]
#     four black, then four of 200, two overlap, min: [0, 0, 200, 200, 200, 200]
#
# Where a user of Straylight meets it: mosaics of aerial or line-scan images before the model sees
# them: shadows and masked areas of one image show another. Give nodata a value that no pixel has.
# Straylight joins no images.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    rasterio==1.4.4 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import rasterio
from rasterio.merge import merge
from rasterio.transform import from_origin

for name, left, value in (("a.tif", 0, 0), ("b.tif", 2, 200)):
    with rasterio.open(
        name, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", crs="EPSG:32632", transform=from_origin(left, 4, 1, 1)
    ) as file:
        file.write(np.full((1, 4, 4), value, np.uint8))
rows = {method: merge(["a.tif", "b.tif"], method=method)[0][0, 0].tolist() for method in ("first", "min")}
for method, row in rows.items():
    print(f"four black, then four of 200, two overlap, {method}: {row}")
if rows != {method: [0, 0, 200, 200, 200, 200] for method in ("first", "min")}:
    sys.exit("changed: black pixels are kept in a mosaic")
PY
