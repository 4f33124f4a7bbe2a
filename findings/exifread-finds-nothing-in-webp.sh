#!/usr/bin/env bash
# exifread finds no EXIF in a WebP file that follows the format
#
# Guess: exifread, which lists WebP among its formats, reads the EXIF chunk that Pillow, libwebp and
# cameras write.
#
# Package: exifread 3.5.1 (pillow 12.3.0, numpy 2.4.6)
#
# Behaviour: it skips six bytes ("Exif" and two zeros, as in JPEG) at the start of the chunk. The
# container specification of WebP has no such prefix, so that it reads from the middle of the
# header, finds no tag and returns an empty dictionary, the same answer as for a file without EXIF.
#
# Output seen:
#     JPEG: ['Image Make', 'Image Orientation']
#     WebP: []
#
# Where a user of Straylight meets it: sorting collected images by camera, time or orientation with
# exifread. Straylight reads the orientation of WebP itself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    exifread==3.5.1 pillow==12.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import exifread
import numpy as np
from PIL import Image

picture = Image.fromarray(np.zeros((40, 60, 3), np.uint8))
exif = picture.getexif()
exif[0x010F], exif[0x0112] = "Acme", 6
found = {}
for kind in ("JPEG", "WebP"):
    picture.save("photo", format=kind, exif=exif)
    with open("photo", "rb") as file:
        found[kind] = sorted(exifread.process_file(file))
    print(f"{kind}: {found[kind]}")
if found["WebP"] or not found["JPEG"]:
    sys.exit("changed: exifread reads the EXIF of WebP")
PY
