#!/usr/bin/env bash
# OpenCV says 131 frames for a Matroska file of 8
#
# Guess: CAP_PROP_FRAME_COUNT is the number of frames, perhaps off by one or two.
#
# Package: opencv-python-headless 4.14.0.94, av 18.1.0 (numpy 2.4.6)
#
# Behaviour: Matroska and WebM store no count, so OpenCV multiplies the duration by the frame rate,
# and for a variable rate the rate of the header (25) is not the mean (1.5). The same frames in MP4
# are counted right.
#
# Output seen:
#     MP4: OpenCV says 8 frames at 1.5 a second, 8 can be read
#     MKV: OpenCV says 131 frames at 25.0 a second, 8 can be read
#
# Where a user of Straylight meets it: recordings of motion-triggered cameras and browsers.
# Sampling by frame number, and progress, go wrong. Straylight counts what it decodes and takes
# times from the frames.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    opencv-python-headless==4.14.0.94 av==18.1.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
from fractions import Fraction

import av
import cv2
import numpy as np


def write(path, times):
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


seen = {}
for kind in ("mp4", "mkv"):
    write(f"a.{kind}", [0, 40, 80, 120, 1120, 1160, 1200, 5200])
    video = cv2.VideoCapture(f"a.{kind}")
    said, rate = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), video.get(cv2.CAP_PROP_FPS)
    read = 0
    while video.read()[0]:
        read += 1
    seen[kind] = said, read
    print(f"{kind.upper()}: OpenCV says {said} frames at {rate:.1f} a second, {read} can be read")
if not (seen["mp4"] == (8, 8) and seen["mkv"][1] == 8 and seen["mkv"][0] > 100):
    sys.exit("changed: OpenCV counts the frames of these files in another way")
PY
