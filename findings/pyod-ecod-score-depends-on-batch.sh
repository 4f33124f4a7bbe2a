#!/usr/bin/env bash
# The ECOD and COPOD scores of PyOD depend on the other rows of the call
#
# Guess: decision_function scores each row by what was fitted, so that one row has one score, alone
# or in a batch. That is so for the other detectors of PyOD.
#
# Package: pyod 3.6.7 (scikit-learn 1.9.1, numpy 2.4.6)
#
# Behaviour: at prediction ECOD and COPOD append the given rows to the training rows and rank all
# of them again. One strange row scores high alone, and much lower when more strange rows come in
# the same call; nothing warns. A threshold found in one batch size does not hold in another.
#
# Output seen:
#     ECOD   alone 6.78   with 50 other strays 3.32
#     COPOD  alone 4.03   with 50 other strays 3.00
#     KNN    alone 1.67   with 50 other strays 1.67
#
# Where a user of Straylight meets it: whoever scores features from Straylight with PyOD, image by
# image in production and in one array in evaluation, gets two different thresholds. Straylight's
# detectors score a row by the fitted model alone.
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
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.knn import KNN

random = np.random.default_rng(0)
known = random.normal(size=(200, 3))
strays = np.abs(random.normal(size=(50, 3))) * 5 + 3
row = np.array([[0.0, 0.0, 3.0]])

drop = {}
for detector in (ECOD, COPOD, KNN):
    fitted = detector().fit(known)
    alone = fitted.decision_function(row)[0]
    together = fitted.decision_function(np.vstack([row, strays]))[0]
    drop[detector.__name__] = alone - together
    print(f"{detector.__name__:5}  alone {alone:.2f}   with 50 other strays {together:.2f}")

if not (drop["ECOD"] > 1 and drop["COPOD"] > 0.5 and abs(drop["KNN"]) < 1e-9):
    sys.exit("changed: the scores of ECOD and COPOD no longer depend on the other rows")
PY
