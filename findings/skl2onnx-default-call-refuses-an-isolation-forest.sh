#!/usr/bin/env bash
# skl2onnx converts OneClassSVM by its default call, and refuses IsolationForest
#
# Guess: to_onnx(model, sample) converts every outlier detector that the documentation lists, with
# the newest versions that the installed packages know.
#
# Package: skl2onnx 1.20.0, scikit-learn 1.9.1, onnx 1.23.2 (numpy 2.4.6)
#
# Behaviour: for IsolationForest it raises RuntimeError, since it picks version 4 of ai.onnx.ml for
# the trees and then finds this version too new. With target_opset={"": 17, "ai.onnx.ml": 3} the
# same model converts.
#
# Output seen:
#     OneClassSVM, default: converted
#     IsolationForest, default: RuntimeError
#     IsolationForest, ai.onnx.ml 3: converted
#
# Where a user of Straylight meets it: bringing a scikit-learn OOD score beside a deployment as
# ONNX. OpenVINO reads neither (no operators of ai.onnx.ml); Straylight fits its own detectors.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    skl2onnx==1.20.0 scikit-learn==1.9.1 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from skl2onnx import to_onnx
from sklearn.ensemble import IsolationForest
from sklearn.svm import OneClassSVM

known = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
cases = {
    "OneClassSVM, default": (OneClassSVM(), None),
    "IsolationForest, default": (IsolationForest(random_state=0), None),
    "IsolationForest, ai.onnx.ml 3": (IsolationForest(random_state=0), {"": 17, "ai.onnx.ml": 3}),
}
seen = []
for name, (detector, opset) in cases.items():
    try:
        to_onnx(detector.fit(known), known[:1], target_opset=opset)
        seen.append("converted")
    except RuntimeError as error:
        seen.append(type(error).__name__)
    print(f"{name}: {seen[-1]}")
if seen != ["converted", "RuntimeError", "converted"]:
    sys.exit("changed: skl2onnx converts other detectors by default")
PY
