#!/usr/bin/env bash
# OpenVINO saves True as "YES", and a list of names so that it cannot be split again
#
# Guess: rt_info of True is saved as "True" or "true", and a list of texts keeps its parts.
#
# Package: openvino 2026.4.1 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: before saving, get_rt_info gives Python's True and the list back. In the XML they are
# "YES" and "fishing rod fish": values of a list are joined by blanks, and a name with a blank
# becomes two. A reader that compares with "True" takes the switch as off.
#
# Output seen:
#     before saving  True  ['fishing rod', 'fish']
#     after saving   'YES'  'fishing rod fish'
#
# Where a user of Straylight meets it: writing `model_info` for Model API or Geti by hand. Write
# the texts that Model API expects ("True"; blanks in names as underscores). Straylight reads
# yes/no, true/false and 1/0 in any case, and splits names at blanks as Model API does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import openvino
from openvino import opset13 as ops

x = ops.parameter([1], dtype=np.float32)
model = openvino.Model([ops.relu(x)], [x], "example")
names = ["fishing rod", "fish"]
model.set_rt_info(True, ["model_info", "multilabel"])
model.set_rt_info(names, ["model_info", "labels"])


def read(model, key):
    value = model.get_rt_info(["model_info", key])
    return value.value if hasattr(value, "value") else value


before = read(model, "multilabel"), read(model, "labels")
openvino.save_model(model, "model.xml")
saved = openvino.Core().read_model("model.xml")
after = tuple(saved.get_rt_info(["model_info", key]).astype(str) for key in ("multilabel", "labels"))
print(f"before saving  {before[0]}  {before[1]}")
print(f"after saving   {after[0]!r}  {after[1]!r}")
if not (before == (True, names) and after == ("YES", "fishing rod fish")):
    sys.exit("changed: rt_info is saved in another way")
PY
