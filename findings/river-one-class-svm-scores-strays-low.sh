#!/usr/bin/env bash
# river's OneClassSVM gives known points the high score
#
# Guess: in river a high score of an anomaly detector means an anomaly, as HalfSpaceTrees,
# LocalOutlierFactor and the text of the base class have it.
#
# Package: river 0.26.1 (numpy 2.4.6)
#
# Behaviour: OneClassSVM returns the distance to the inner side of its plane, as scikit-learn's
# decision_function does, where positive means known. After training on points around (3, 3) those
# score highest, the origin less, the opposite side lowest; the filters of river, which flag high
# scores, flag the known ones.
#
# Output seen:
#     OneClassSVM        known  2.28, stray at the origin  0.00, stray at (-3, -3) -2.28
#     LocalOutlierFactor known  1.13, stray at the origin  8.13, stray at (-3, -3) 16.80
#
# Where a user of Straylight meets it: scoring the features of a camera stream on line. Turn the
# sign, or take a detector that keeps the convention.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    river==0.26.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from river import anomaly

points = {"known": (3, 3), "stray at the origin": (0, 0), "stray at (-3, -3)": (-3, -3)}
scores = {}
for detector in (anomaly.OneClassSVM(nu=0.1), anomaly.LocalOutlierFactor(n_neighbors=10)):
    name = type(detector).__name__
    count = 2000 if name == "OneClassSVM" else 200
    for x, y in np.random.default_rng(0).normal(size=(count, 2)) * 0.5 + 3:
        detector.learn_one({"x": x, "y": y})
    scores[name] = [detector.score_one({"x": x, "y": y}) for x, y in points.values()]
    print(f"{name:18} " + ", ".join(f"{point} {score:5.2f}" for point, score in zip(points, scores[name])))
svm, lof = scores["OneClassSVM"], scores["LocalOutlierFactor"]
if not (svm[0] > svm[1] > svm[2] and lof[0] < lof[1] < lof[2]):
    sys.exit("changed: river's OneClassSVM scores strays high")
PY
