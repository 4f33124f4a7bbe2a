#!/usr/bin/env bash
# OpenCV's seek by milliseconds lands a second early in a variable-rate video
#
# Guess: set(CAP_PROP_POS_MSEC, 1120) goes to the frame at that time; the file has one at exactly
# 1120 ms.
#
# Package: opencv-python-headless 4.14.0.94, av 18.1.0 (numpy 2.4.6)
#
# Behaviour: the time is turned into a frame number by the mean rate and that frame is read. In a
# file with frames at 0, 40, 80, 120, 1120, 1160, 1200 and 5200 ms the frame at 80 ms comes. PyAV's
# seek finds the right one.
#
# Output seen:
#     asked for 1120 ms: OpenCV gives the frame at 80 ms, PyAV the one at 1120 ms
#
# Where a user of Straylight meets it: cutting the moment of a stray out of a recording by its
# time. Straylight reports the time stamps of frames; give them to a tool that seeks by time stamp
# (ffmpeg, PyAV).
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

TIMES = [0, 40, 80, 120, 1120, 1160, 1200, 5200]
with av.open("a.mp4", "w") as container:
    stream = container.add_stream("mpeg4", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 1000)
    for number, time in enumerate(TIMES):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 30, np.uint8), "rgb24")
        frame.pts, frame.time_base = time, Fraction(1, 1000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())

video = cv2.VideoCapture("a.mp4")
video.set(cv2.CAP_PROP_POS_MSEC, 1120)
of_opencv = TIMES[round(video.read()[1].mean() / 30)]
with av.open("a.mp4") as container:
    stream = container.streams.video[0]
    container.seek(int(1.12 / stream.time_base), stream=stream)
    of_av = next(round(frame.time * 1000) for frame in container.decode(stream) if frame.time >= 1.12)
print(f"asked for 1120 ms: OpenCV gives the frame at {of_opencv} ms, PyAV the one at {of_av} ms")
if not (of_av == 1120 and of_opencv < 1000):
    sys.exit("changed: OpenCV seeks to the right frame")
PY
