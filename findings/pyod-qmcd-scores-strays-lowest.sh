#!/usr/bin/env bash
# PyOD's QMCD gives far points the lowest score of all
#
# Guess: as for every detector of PyOD a larger score is more of an outlier, and a point at 50
# standard deviations has a large one.
#
# Package: pyod 3.6.7 (scikit-learn 1.9.1, numpy 2.4.6)
#
# Behaviour: QMCD turns its scores around when those of the training data are skewed, which plain
# normal features bring about. Points outside the range of the training data then score lower than
# anything known, the farther the lower, and predict() calls them inliers.
#
# Output seen:
#     at the centre  -3.150, at 6 sigma -3.157, at 50 sigma -51235.0; predicted outlier: [0, 0, 0]
#
# Where a user of Straylight meets it: choosing a detector for features that Straylight exported by
# trying those of PyOD in turn. Test a detector with a point that is obviously far away before its
# AUROC is believed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    pyod==3.6.7 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from pyod.models.qmcd import QMCD

known = np.random.default_rng(0).normal(size=(300, 4))
detector = QMCD().fit(known)
points = np.outer([0, 6, 50], np.ones(4))
scores, labels = detector.decision_function(points), detector.predict(points).tolist()
print(f"at the centre {scores[0]:7.3f}, at 6 sigma {scores[1]:.3f}, at 50 sigma {scores[2]:.1f}; predicted outlier: {labels}")
if not (scores[2] < scores[1] < scores[0] and labels[2] == 0):
    sys.exit("changed: QMCD scores far points high")
PY
