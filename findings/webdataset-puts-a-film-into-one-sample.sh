#!/usr/bin/env bash
# webdataset cuts a name at its first dot, so that numbered frames become one sample
#
# Guess: `cam.0001.png` and `cam.0001.cls` are the sample "cam.0001"; the last dot starts the
# ending, as everywhere.
#
# Package: webdataset 1.0.2 (pillow 12.3.0, numpy 2.4.6)
#
# Behaviour: the key ends at the first dot of the file name. All frames of `cam` are one sample with
# fields like "0001.png", and a loader that asks for "png" finds none. Its own TarWriter takes keys
# with dots without a word and writes shards that come back like that.
#
# Output seen:
#     written: keys ['cam.0001', 'cam.0002'], fields ['cls', 'png']
#     read:    keys ['cam'], fields ['0001.cls', '0001.png', '0002.cls', '0002.png']
#
# Where a user of Straylight meets it: packing collected images, whose names often hold a time such
# as 12.5s or a frame number, into shards for training. Replace the dots in the keys.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    webdataset==1.0.2 pillow==12.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import webdataset

written = ["cam.0001", "cam.0002"]
with webdataset.TarWriter("shard.tar") as writer:
    for key in written:
        writer.write({"__key__": key, "png": np.zeros((8, 8, 3), np.uint8), "cls": 1})
fields = lambda sample: sorted(name for name in sample if not name.startswith("__"))
samples = list(webdataset.WebDataset("shard.tar", shardshuffle=False))
keys = [sample["__key__"] for sample in samples]
print(f"written: keys {written}, fields ['cls', 'png']")
print(f"read:    keys {keys}, fields {fields(samples[0])}")
if keys != ["cam"]:
    sys.exit("changed: webdataset cuts names at the last dot")
PY
