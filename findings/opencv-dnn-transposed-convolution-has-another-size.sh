#!/usr/bin/env bash
# OpenCV's network module ignores output_shape and auto_pad of a ConvTranspose
#
# Guess: ONNX says that `output_shape` fixes the size of a ConvTranspose and the pads follow from
# it, and that auto_pad SAME_UPPER gives input size times stride. cv2.dnn follows or refuses.
#
# Package: opencv-python-headless 5.0.0.93, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: with output_shape nothing is cut off: the map is larger than the model declares, and
# what should be its middle is moved. With SAME_UPPER it is smaller than declared. Both run without
# a word, although the declared shape of the output is another one.
#
# Output seen:
#     output_shape: onnxruntime (4, 4), OpenCV (6, 6)
#     auto_pad: onnxruntime (4, 4), OpenCV (3, 3)
#
# Where a user of Straylight meets it: segmentation networks whose decoders were exported from Keras
# or TensorFlow, run with cv2.dnn beside Straylight: masks of another size and place. OpenVINO,
# which Straylight runs, agrees with onnxruntime. Write explicit pads.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper

picture = np.ones((1, 1, 2, 2), np.float32)
sizes = {}
for attributes in ({"output_shape": [4, 4]}, {"auto_pad": "SAME_UPPER"}):
    graph = helper.make_graph(
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], **attributes)],
        "decoder",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 4, 4])],
        [numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    expected = onnxruntime.InferenceSession(data).run(None, {"x": picture})[0].shape
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(picture)
    name = next(iter(attributes))
    sizes[name] = expected[2:], network.forward().shape[2:]
    print(f"{name}: onnxruntime {sizes[name][0]}, OpenCV {sizes[name][1]}")
if sizes != {"output_shape": ((4, 4), (6, 6)), "auto_pad": ((4, 4), (3, 3))}:
    sys.exit("changed: OpenCV gives a ConvTranspose another size")
PY
