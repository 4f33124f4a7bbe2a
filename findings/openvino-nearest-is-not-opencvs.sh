#!/usr/bin/env bash
# RESIZE_NEAREST of OpenVINO's pre-processing is Pillow's nearest, not OpenCV's
#
# Guess: OpenVINO's samples read and scale images with OpenCV, and RESIZE_LINEAR and RESIZE_CUBIC
# agree with cv2.resize, so RESIZE_NEAREST agrees with cv2.INTER_NEAREST.
#
# Package: openvino 2026.4.1, opencv-python-headless 4.14.0.94, pillow 12.3.0 (numpy 2.4.6)
#
# Behaviour: linear and cubic are within 1 of OpenCV and far from Pillow (which smooths); nearest
# is the other way round: equal to Pillow pixel by pixel, and another pixel than OpenCV's.
#
# Output seen:
#     largest difference  to OpenCV  to Pillow
#     RESIZE_LINEAR             0.7       37.4
#     RESIZE_NEAREST          101.0        0.0
#
# Where a user of Straylight meets it: moving pre-processing into the graph by PrePostProcessor,
# and masks, which are scaled with nearest. Straylight resizes before the graph; mean, scale and
# type alone are in it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    openvino==2026.4.1 opencv-python-headless==4.14.0.94 pillow==12.3.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import openvino
from openvino import opset13 as ops
from openvino.preprocess import PrePostProcessor, ResizeAlgorithm
from PIL import Image

image = np.random.default_rng(0).integers(0, 256, (200, 150, 3), dtype=np.uint8)
image = cv2.GaussianBlur(image, (5, 5), 1)
x = ops.parameter([1, 64, 48, 3], dtype=np.float32)
core = openvino.Core()


def scaled(algorithm):
    steps = PrePostProcessor(openvino.Model([ops.add(x, np.float32(0))], [x], "keep"))
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC")).set_shape([1, *image.shape])
    steps.input().model().set_layout(openvino.Layout("NHWC"))
    steps.input().preprocess().convert_element_type(openvino.Type.f32).resize(algorithm)
    compiled = core.compile_model(steps.build(), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([image[None]])[0][0]


print("largest difference  to OpenCV  to Pillow")
far = {}
for name, of_cv, of_pillow in (("LINEAR", cv2.INTER_LINEAR, Image.Resampling.BILINEAR),
                               ("NEAREST", cv2.INTER_NEAREST, Image.Resampling.NEAREST)):
    seen = scaled(getattr(ResizeAlgorithm, f"RESIZE_{name}"))
    other = cv2.resize(image, (48, 64), interpolation=of_cv), np.asarray(Image.fromarray(image).resize((48, 64), of_pillow))
    far[name] = [float(np.abs(seen - values).max()) for values in other]
    print(f"RESIZE_{name:12} {far[name][0]:9.1f} {far[name][1]:10.1f}")
if not (far["LINEAR"][0] < 1 < far["LINEAR"][1] and far["NEAREST"][1] == 0 < far["NEAREST"][0]):
    sys.exit("changed: the resizing of OpenVINO agrees with other libraries now")
PY
