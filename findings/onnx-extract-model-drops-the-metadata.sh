#!/usr/bin/env bash
# onnx.utils.extract_model forgets the metadata of the model
#
# Guess: cutting a model at an inner tensor changes the graph and keeps the model's properties:
# names of classes, stride, author.
#
# Package: onnx 1.23.2 (numpy 2.4.6)
#
# Behaviour: metadata_props of the cut model are empty; no message.
#
# Output seen:
#     whole model {'names': "{0: 'cat'}", 'stride': '32'}
#     cut model   {}
#
# Where a user of Straylight meets it: giving a classifier its features as an output, or cutting
# the NMS off an Ultralytics model, whose class names are in the metadata alone. Straylight then
# asks for labels.txt or names. Copy metadata_props by hand.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import onnx
from onnx import TensorProto, helper

nodes = [helper.make_node("Relu", ["x"], ["features"]), helper.make_node("Neg", ["features"], ["y"])]
graph = helper.make_graph(nodes, "two", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])],
                          value_info=[helper.make_tensor_value_info("features", TensorProto.FLOAT, [3])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
helper.set_model_props(model, {"names": "{0: 'cat'}", "stride": "32"})
onnx.save(model, "whole.onnx")
onnx.utils.extract_model("whole.onnx", "cut.onnx", ["x"], ["features"])
properties = {name: {entry.key: entry.value for entry in onnx.load(f"{name}.onnx").metadata_props}
              for name in ("whole", "cut")}
print(f"whole model {properties['whole']}")
print(f"cut model   {properties['cut']}")
if not (len(properties["whole"]) == 2 and not properties["cut"]):
    sys.exit("changed: extract_model keeps the metadata")
PY
