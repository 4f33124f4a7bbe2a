#!/usr/bin/env bash
# scipy's cdist takes the covariance from both sets, and a stray hides itself
#
# Guess: cdist(known, queries, "mahalanobis") uses the covariance of the first set, or asks for one,
# as scikit-learn does.
#
# Package: scipy 1.17.1 (numpy 2.4.6)
#
# Behaviour: without `VI` the covariance is that of both sets stacked. Strays widen it, the more of
# them the more, so that one point has another distance in every call. With the covariance of the
# known points it is far outside.
#
# Output seen:
#     distance of one stray from the centre: known covariance 7.6
#     cdist alone 6.7, among 50 strays 2.2
#
# Where a user of Straylight meets it: checking Straylight's Mahalanobis score with scipy. Pass
# VI=numpy.linalg.inv(numpy.cov(known.T)).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from scipy.spatial.distance import cdist

random = np.random.default_rng(0)
known = random.normal(size=(200, 3))
strays = random.normal(size=(50, 3)) + 5
centre = known.mean(0, keepdims=True)
right = cdist(centre, strays[:1], "mahalanobis", VI=np.linalg.inv(np.cov(known.T)))[0, 0]
rows = np.vstack([known, centre])
alone = cdist(rows, strays[:1], "mahalanobis")[-1, 0]
among = cdist(rows, strays, "mahalanobis")[-1, 0]
print(f"distance of one stray from the centre: known covariance {right:.1f}")
print(f"cdist alone {alone:.1f}, among 50 strays {among:.1f}")
if not (among < right / 2 and alone < right):
    sys.exit("changed: cdist no longer takes the covariance of both sets")
PY
