#!/usr/bin/env bash
# cv2.fillPoly leaves a hole where two parts of an object overlap
#
# Guess: filling the parts of an object in one call gives their union, as pycocotools does for a
# COCO object of several polygons.
#
# Package: opencv-python-headless 5.0.0.93, pycocotools 2.0.11 (numpy 2.4.6)
#
# Behaviour: all outlines of one call are taken as one figure by the even-odd rule, so that what
# lies in two parts is outside. cv2.drawContours with thickness -1 does the same. A call for each
# part gives the union.
#
# Output seen:
#     pixel in both parts: one call 0, a call for each part 1, pycocotools 1
#     areas: one call 190, a call for each part 206, pycocotools 175
#
# Where a user of Straylight meets it: masks for training or evaluation made of COCO or YOLO
# outlines of several parts. Straylight hands the parts of a COCO object on as they are and fills
# none; fill each part by a call of its own.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 pycocotools==2.0.11 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
from pycocotools import mask

parts = [np.array([[0, 0], [10, 0], [10, 10], [0, 10]]), np.array([[5, 5], [15, 5], [15, 15], [5, 15]])]
together, singly = np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint8)
cv2.fillPoly(together, [part.astype(np.int32) for part in parts], 1)
for part in parts:
    cv2.fillPoly(singly, [part.astype(np.int32)], 1)
union = mask.decode(mask.merge(mask.frPyObjects([part.ravel().tolist() for part in parts], 20, 20)))
found = int(together[7, 7]), int(singly[7, 7]), int(union[7, 7])
print(f"pixel in both parts: one call {found[0]}, a call for each part {found[1]}, pycocotools {found[2]}")
print(f"areas: one call {together.sum()}, a call for each part {singly.sum()}, pycocotools {union.sum()}")
if found != (0, 1, 1):
    sys.exit("changed: cv2.fillPoly fills what lies in two parts")
PY
