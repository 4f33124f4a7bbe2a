#!/usr/bin/env bash
# safetensors saves a numpy view with its numbers in the wrong places
#
# Guess: save_file stores what the array shows, like numpy.save; for torch tensors that are not
# contiguous safetensors refuses, so it is careful.
#
# Package: safetensors 0.8.0 (numpy 2.4.6)
#
# Behaviour: for arrays that are not C-contiguous (a transpose, every second row, one column of
# many) the bytes of the buffer are written from its start, under the shape of the view. The file
# is valid and its numbers are other ones. No error, no warning.
#
# Output seen:
#     saved  [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
#     loaded [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
#
# Where a user of Straylight meets it: `straylight ood fit --train FILE` takes features from
# safetensors. Columns or rows chosen by slicing, and features in Fortran order as pandas and some
# PCA code give them, must pass numpy.ascontiguousarray first. Straylight reads what the file says
# and cannot see it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    safetensors==0.8.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

features = np.arange(6, dtype=np.float32).reshape(2, 3).T
save_file({"features": features}, "a.safetensors")
loaded = load_file("a.safetensors")["features"]
print(f"saved  {features.tolist()}")
print(f"loaded {loaded.tolist()}")
if loaded.shape != features.shape or np.array_equal(loaded, features):
    sys.exit("changed: safetensors saves or refuses views correctly")
PY
