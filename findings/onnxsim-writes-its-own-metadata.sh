#!/usr/bin/env bash
# onnxsim adds some twenty properties of its own to the model's metadata
#
# Guess: a simplifier changes nodes and leaves metadata_props alone; onnxslim does so.
#
# Package: onnxsim 0.8.1 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: beside the model's own properties there are keys `onnxsim.*` afterwards: options,
# counts, and the names of the nodes that it named. A reader that shows or compares all properties,
# or that takes "has metadata" for "was exported by X", is misled; the file differs for equal
# graphs.
#
# Output seen:
#     before 1 property, after 20, of which 19 begin with "onnxsim."
#
# Where a user of Straylight meets it: models that went through onnxsim on their way to a
# deployment. Straylight looks up the keys that it knows and ignores the others.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    onnxsim==0.8.1 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import onnxsim
from onnx import TensorProto, helper

graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "one",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
helper.set_model_props(model, {"names": "{0: 'cat'}"})
simple, valid = onnxsim.simplify(model)
keys = [entry.key for entry in simple.metadata_props]
own = [key for key in keys if key.startswith("onnxsim.")]
print(f'before 1 property, after {len(keys)}, of which {len(own)} begin with "onnxsim."')
if not (valid and len(own) > 5 and "names" in keys):
    sys.exit("changed: onnxsim leaves the metadata alone")
PY
