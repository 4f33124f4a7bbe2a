#!/usr/bin/env bash
# rasterio wraps numbers when it writes, and clips them when it reads
#
# Guess: a number that does not fit into the file's type raises, or is treated as GDAL does and as
# reading with out_dtype does: cut off at the end of the range.
#
# Package: rasterio 1.4.4 (numpy 2.4.6)
#
# Behaviour: written into an 8-bit file, 300 becomes 44 and -5 becomes 251, without a word; read
# from a 16-bit file as uint8, 300 becomes 255 and -5 becomes 0.
#
# Output seen:
#     [100, 300, -5] written as uint8: [100, 44, 251]
#     [100, 300, -5] read as uint8: [100, 255, 0]
#
# Where a user of Straylight meets it: results of a computation (sharpening, calibration, a sum of
# bands) written as a picture for the model: bright spots come out dark, which looks like a stray.
# Clip before writing. Straylight reads the file as it is.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    rasterio==1.4.4 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import warnings

import numpy as np
import rasterio

warnings.simplefilter("ignore")
numbers = np.array([[[100, 300, -5]]], np.int16)
for name, kind in (("narrow.tif", "uint8"), ("wide.tif", "int16")):
    with rasterio.open(name, "w", driver="GTiff", width=3, height=1, count=1, dtype=kind) as file:
        file.write(numbers)
with rasterio.open("narrow.tif") as narrow, rasterio.open("wide.tif") as wide:
    written, read = narrow.read().ravel().tolist(), wide.read(out_dtype="uint8").ravel().tolist()
print(f"{numbers.ravel().tolist()} written as uint8: {written}")
print(f"{numbers.ravel().tolist()} read as uint8: {read}")
if (written, read) != ([100, 44, 251], [100, 255, 0]):
    sys.exit("changed: numbers out of range are treated in another way")
PY
