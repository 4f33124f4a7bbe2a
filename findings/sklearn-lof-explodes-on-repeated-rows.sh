#!/usr/bin/env bash
# LocalOutlierFactor scores a normal point -1e9 when training rows repeat
#
# Guess: novelty scores of LOF are near -1 for normal points and a few times that for outliers;
# repeated training rows only make their place denser.
#
# Package: scikit-learn 1.9.1 (numpy 2.4.6)
#
# Behaviour: where more than n_neighbors training rows are equal, their density is infinite but for
# a guard of 1e-10. A new point one hundredth away scores minus one hundred million, one tenth away
# minus a billion, while a point far from all rows scores about -6. fit warns of nothing.
#
# Output seen:
#     on the repeated row    -1.0
#     0.01 away              -100000001.0
#     0.1 away               -1000000001.0
#     far from every row     -6.3
#
# Where a user of Straylight meets it: a camera that looks at a still scene gives the same features
# for many frames. OOD detectors built on LOF then call the next slightly different frame the
# strangest of all. Remove repeats first, as Straylight's limit `similar` does for what it
# collects.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from sklearn.neighbors import LocalOutlierFactor

random = np.random.default_rng(0)
still = np.zeros((10, 2))
moving = random.normal(size=(30, 2))
detector = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(np.vstack([still, moving]))
places = {"on the repeated row": [0, 0], "0.01 away": [0.01, 0], "0.1 away": [0, 0.1], "far from every row": [6, 6]}
scores = {}
for name, place in places.items():
    scores[name] = detector.score_samples(np.array([place], float))[0]
    print(f"{name:22} {scores[name]:.1f}")
if not (scores["0.1 away"] < -1e6 < -100 < scores["far from every row"]):
    sys.exit("changed: a near neighbour of repeated rows no longer scores far below a far point")
PY
