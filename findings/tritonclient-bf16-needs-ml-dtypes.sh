#!/usr/bin/env bash
# tritonclient no longer takes float32 for a BF16 input
#
# Guess: BF16 has no numpy type, so tritonclient takes float32 and cuts it, as it did for years.
#
# Package: tritonclient 2.73.0 (numpy 2.4.6, ml-dtypes 0.5.4)
#
# Behaviour: since release 26.06 float32 is refused with InferenceServerException; the array must
# have the type ml_dtypes.bfloat16, from a package of its own.
#
# Output seen:
#     float32   refused
#     bfloat16  accepted, 4 bytes for 2 numbers
#
# Where a user of Straylight meets it: sending images to a bf16 model on Triton with an older
# client script. Straylight's KServe V2 routes take BYTES (image files) and UINT8 (pixels) alone,
# whatever the type inside the model.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    tritonclient[http]==2.73.0 numpy==2.4.6 ml-dtypes==0.5.4
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import ml_dtypes
import numpy as np
from tritonclient.http import InferInput
from tritonclient.utils import InferenceServerException

seen = {}
for kind in (np.float32, ml_dtypes.bfloat16):
    given = InferInput("image", [2], "BF16")
    try:
        given.set_data_from_numpy(np.ones(2, kind))
        seen[kind.__name__] = f"accepted, {len(given._get_binary_data())} bytes for 2 numbers"
    except InferenceServerException:
        seen[kind.__name__] = "refused"
    print(f"{kind.__name__:9} {seen[kind.__name__]}")
if not (seen["float32"] == "refused" and seen["bfloat16"].startswith("accepted")):
    sys.exit("changed: tritonclient takes other types for BF16")
PY
