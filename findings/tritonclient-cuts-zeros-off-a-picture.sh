#!/usr/bin/env bash
# tritonclient sends a picture without the zeros at its end
#
# Guess: the bytes of a file put into a BYTES tensor with np.array([data]) arrive whole, as the
# examples of the client do it.
#
# Package: tritonclient 2.73.0 (numpy 2.4.6, pillow 12.3.0)
#
# Behaviour: numpy gives such an array the type S, whose strings lose their zeros at the end, and
# the client sends the rest with its new length; no error. An uncompressed BMP or TIFF with black
# pixels at its end arrives cut off. With dtype=object all bytes are sent.
#
# Output seen:
#     a black BMP of 3126 bytes: 44 bytes sent; with dtype=object 3126
#
# Where a user of Straylight meets it: a Triton server that runs the same model beside Straylight,
# to compare the two. JPEG and PNG end in other bytes; BMP, TIFF and raw pixels do not. Always give
# dtype=object. `straylight serve` takes image files in base64, which has no zeros.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    tritonclient[http]==2.73.0 numpy==2.4.6 pillow==12.3.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import io
import sys

import numpy as np
import tritonclient.http as client
from PIL import Image

file = io.BytesIO()
Image.new("RGB", (32, 32)).save(file, format="BMP")
picture = file.getvalue()


def sent(array):
    tensor = client.InferInput("image", [1], "BYTES")
    tensor.set_data_from_numpy(array)
    return int.from_bytes(tensor._get_binary_data()[:4], "little")


plain, whole = sent(np.array([picture])), sent(np.array([picture], dtype=object))
print(f"a black BMP of {len(picture)} bytes: {plain} bytes sent; with dtype=object {whole}")
if not (whole == len(picture) and plain < whole):
    sys.exit("changed: tritonclient sends all bytes of a numpy string")
PY
