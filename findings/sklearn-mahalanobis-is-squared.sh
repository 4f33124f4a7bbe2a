#!/usr/bin/env bash
# scikit-learn's method mahalanobis() returns squared distances
#
# Guess: EmpiricalCovariance.mahalanobis(x) is the Mahalanobis distance, as
# scipy.spatial.distance.mahalanobis is.
#
# Package: scikit-learn 1.9.1 (scipy 1.17.1, numpy 2.4.6)
#
# Behaviour: it is the square. Documentation of the method says so in its second half; the name
# does not. The same holds for LedoitWolf, MinCovDet and EllipticEnvelope, where thresholds and
# fixed points of calibration then differ by a square.
#
# Output seen:
#     scikit-learn 8.918, scipy 2.986
#
# Where a user of Straylight meets it: comparing Mahalanobis OOD scores between Straylight, scikit-
# learn and scipy. The order of images, and so AUROC, is the same; thresholds, means and drift
# alarms are not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import EmpiricalCovariance

known = np.random.default_rng(0).normal(size=(500, 1))
fitted = EmpiricalCovariance().fit(known)
of_sklearn = fitted.mahalanobis(np.array([[3.0]]))[0]
of_scipy = mahalanobis([3.0], fitted.location_, fitted.precision_)
print(f"scikit-learn {of_sklearn:.3f}, scipy {of_scipy:.3f}")
if not (abs(of_sklearn - of_scipy**2) < 1e-9 and of_sklearn > 2 * of_scipy):
    sys.exit("changed: scikit-learn's mahalanobis() is no longer the square of scipy's")
PY
