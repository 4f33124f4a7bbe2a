#!/usr/bin/env bash
# imageio's FFMPEG plugin gives 131 frames of a video that has 8
#
# Guess: iterating over a video gives its frames, each once; imageio's other plugin does.
#
# Package: imageio 2.38.1, imageio-ffmpeg 0.8.1 (av 18.1.0, numpy 2.4.6)
#
# Behaviour: the ffmpeg behind the plugin fills a constant rate. In a file with frames at 0, 40, 80,
# 120, 1120, 1160, 1200 and 5200 ms the gaps are filled with copies. Index 5 is the fourth frame
# again; which plugin is taken depends on what is installed.
#
# Output seen:
#     plugin pyav: 8 frames, plugin FFMPEG: 131 frames, 8 of them different
#
# Where a user of Straylight meets it: cameras that record on motion write such files. Frame numbers
# that Straylight reports are those of the file; an imageio index is not, and copies count many
# times in statistics.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
from fractions import Fraction

import av
import imageio.v3 as imageio
import numpy as np

times = [0, 40, 80, 120, 1120, 1160, 1200, 5200]
with av.open("motion.mp4", "w") as container:
    stream = container.add_stream("mpeg4", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 1000)
    for number, time in enumerate(times):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 30, np.uint8), "rgb24")
        frame.pts, frame.time_base = time, Fraction(1, 1000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())

found = {}
for plugin in ("pyav", "FFMPEG"):
    found[plugin] = [round(frame.mean() / 30) for frame in imageio.imiter("motion.mp4", plugin=plugin)]
count = {plugin: len(frames) for plugin, frames in found.items()}
print(f"plugin pyav: {count['pyav']} frames, plugin FFMPEG: {count['FFMPEG']} frames, {len(set(found['FFMPEG']))} of them different")
if not (count["pyav"] == 8 and count["FFMPEG"] > 50):
    sys.exit("changed: imageio's FFMPEG plugin gives each frame once")
PY
