#!/usr/bin/env bash
# scikit-learn's nearest neighbour of a stored row is not at distance 0
#
# Guess: a row that is in the training set finds itself at distance exactly 0, so `distance == 0`
# (or a tiny epsilon of 1e-9) tells that an image is already known.
#
# Package: scikit-learn 1.9.1 (numpy 2.4.6)
#
# Behaviour: for more than 15 dimensions the default algorithm is brute force, which computes a*a -
# 2ab + b*b. The differences cancel badly for features far from 0: distances of equal rows are
# about 1e-5, in float64 too. With algorithm="ball_tree" they are 0.
#
# Output seen:
#     auto (brute force)  equal rows at distance 0: no, largest 4.3e-05
#     ball_tree           equal rows at distance 0: yes, largest 0.0e+00
#
# Where a user of Straylight meets it: telling known images from new ones by feature vectors, or
# leaving "the row itself" out of its neighbours by its distance. Straylight leaves a fitted row
# out of its own neighbours by its number; no distance of 0 is looked for.
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
from sklearn.neighbors import NearestNeighbors

features = np.random.default_rng(0).normal(size=(100, 512)) + 50
largest = {}
for algorithm in ("auto", "ball_tree"):
    search = NearestNeighbors(n_neighbors=1, algorithm=algorithm).fit(features)
    largest[algorithm] = search.kneighbors(features.copy())[0].max()
    name = "auto (brute force)" if algorithm == "auto" else algorithm
    zero = "yes" if largest[algorithm] == 0 else "no"
    print(f"{name:18}  equal rows at distance 0: {zero}, largest {largest[algorithm]:.1e}")
if not (largest["auto"] > 1e-9 and largest["ball_tree"] == 0):
    sys.exit("changed: brute force now finds equal rows at distance 0")
PY
