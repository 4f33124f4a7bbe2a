#!/usr/bin/env bash
# onnx.helper.set_model_props removes the properties that it is not told
#
# Guess: set_model_props(model, {"author": "me"}) sets one property and leaves the others, like
# dict.update.
#
# Package: onnx 1.23.2
#
# Behaviour: it clears metadata_props first. Properties that an exporter wrote are gone.
#
# Output seen:
#     before {'names': "{0: 'cat'}", 'task': 'detect'}
#     after  {'author': 'me'}
#
# Where a user of Straylight meets it: stamping a model with a version or a licence before
# deployment; class names and task of an Ultralytics export vanish, and Straylight can no longer
# propose them. Use model.metadata_props.add(key=..., value=...).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    onnx==1.23.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

from onnx import TensorProto, helper

graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "one",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])])
model = helper.make_model(graph)
helper.set_model_props(model, {"names": "{0: 'cat'}", "task": "detect"})
before = {entry.key: entry.value for entry in model.metadata_props}
helper.set_model_props(model, {"author": "me"})
after = {entry.key: entry.value for entry in model.metadata_props}
print(f"before {before}")
print(f"after  {after}")
if after != {"author": "me"}:
    sys.exit("changed: set_model_props keeps other properties")
PY
