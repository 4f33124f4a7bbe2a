#!/usr/bin/env bash
# Without a stray in the test set AUROC is NaN and average precision is 0, and neither raises
#
# Guess: roc_auc_score raises ValueError when only one class is present (it did for years), and
# average_precision_score does too.
#
# Package: scikit-learn 1.9.1 (numpy 2.4.6)
#
# Behaviour: both only warn. roc_auc_score returns NaN; average_precision_score returns 0.0, the
# value of the worst detector there could be. A mean over folds becomes NaN, or quietly too low.
#
# Output seen:
#     AUROC nan, average precision 0.0
#
# Where a user of Straylight meets it: evaluating an OOD model by scene or by day, where some
# groups have no strays. A script that catches ValueError to skip such groups now takes their
# numbers in. `straylight ood eval` needs both kinds of images.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import math
import sys
import warnings

from sklearn.metrics import average_precision_score, roc_auc_score

warnings.simplefilter("ignore")
scores = [0.1, 0.2, 0.3]
auroc = roc_auc_score([0, 0, 0], scores)
precision = average_precision_score([0, 0, 0], scores)
print(f"AUROC {auroc}, average precision {precision}")
if not (math.isnan(auroc) and precision == 0.0):
    sys.exit("changed: the metrics of a single class are no longer NaN and 0")
PY
