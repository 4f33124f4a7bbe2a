#!/usr/bin/env bash
# QuantileTransformer gives every value beyond the training data one and the same score
#
# Guess: mapping OOD scores to a normal scale keeps their order: a score of a million ends above a
# score of ten.
#
# Package: scikit-learn 1.9.1 (numpy 2.4.6)
#
# Behaviour: values outside the range of the fitted data are clipped to the ends. With
# output_distribution="normal" the end is 5.199, the quantile at 1 - 1e-7; nothing warns. All
# strays tie.
#
# Output seen:
#     largest known 5.199   10 -> 5.199   1000000 -> 5.199
#
# Where a user of Straylight meets it: putting detectors on one scale before combining them. What
# is out of distribution lies beyond the training data by definition, so the strangest images
# become equal, and a top-k list of them is arbitrary.
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
from sklearn.preprocessing import QuantileTransformer

known = np.random.default_rng(0).normal(size=(500, 1))
scale = QuantileTransformer(n_quantiles=100, output_distribution="normal").fit(known)
top, ten, million = scale.transform([[known.max()], [10.0], [1e6]]).ravel()
print(f"largest known {top:.3f}   10 -> {ten:.3f}   1000000 -> {million:.3f}")
if not (top == ten == million):
    sys.exit("changed: values beyond the training data are no longer all equal")
PY
