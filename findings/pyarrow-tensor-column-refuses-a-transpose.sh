#!/usr/bin/env bash
# pyarrow's tensor column takes height-width-channel images, and fails on their transpose
#
# Guess: FixedShapeTensorArray.from_numpy_ndarray takes any array, or copies what is not
# contiguous; its type has a `permutation` for exactly this.
#
# Package: pyarrow 26.0.1 (numpy 2.4.6)
#
# Behaviour: a batch N x H x W x C is taken; the same batch as N x C x H x W by transpose (no copy)
# raises "strides must not involve buffer over run", which reads like damaged memory. After
# numpy.ascontiguousarray it is taken.
#
# Output seen:
#     N H W C            taken
#     N C H W, a view    ArrowInvalid: strides must not involve buffer over run
#     N C H W, a copy    taken
#
# Where a user of Straylight meets it: writing images or feature maps to Parquet for a scale-out
# run beside Straylight.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pyarrow==26.0.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import pyarrow

images = np.random.default_rng(0).integers(0, 255, (2, 4, 6, 3), dtype=np.uint8)
view = images.transpose(0, 3, 1, 2)
seen = []
for name, array in (("N H W C", images), ("N C H W, a view", view), ("N C H W, a copy", np.ascontiguousarray(view))):
    try:
        stored = pyarrow.FixedShapeTensorArray.from_numpy_ndarray(array)
        seen.append("taken" if np.array_equal(stored.to_numpy_ndarray(), array) else "other numbers")
    except pyarrow.ArrowInvalid as error:
        seen.append(f"ArrowInvalid: {error}")
    print(f"{name:18} {seen[-1]}")
if not (seen[0] == seen[2] == "taken" and seen[1].startswith("ArrowInvalid")):
    sys.exit("changed: pyarrow takes a transposed batch, or refuses others")
PY
