#!/usr/bin/env bash
# torchmetrics and anomalib lose the order of scores that are not probabilities
#
# Guess: the AUROC depends on the order of the scores alone, whatever their size, as in
# scikit-learn. A sigmoid, which torchmetrics is known to put over logits, keeps the order.
#
# Package: torchmetrics 1.9.0 (torch 2.8.0, scikit-learn 1.9.1, numpy 2.4.6)
#
# Behaviour: if any value of a call is outside 0..1, all values of that call go through a float32
# sigmoid, and distances of 30 and 40 both become exactly 1. The AUROC is 0.5. With update() the
# decision is taken for each batch anew, so that scores around 1 are squeezed in some batches and
# not in others, and the AUROC depends on the size of the batches. AUPR and the curves do the same;
# anomalib's AUROC and AUPR are these.
#
# Output seen:
#     distances around 30 and 40: scikit-learn 0.923, torchmetrics 0.505
#     scores around 0.5, some above 1: scikit-learn 0.893, one batch 0.893, batches of ten 0.854
#
# Where a user of Straylight meets it: measuring OOD scores (Mahalanobis, kNN, energy) beside a peer
# with torchmetrics. `straylight` ranks as scikit-learn does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    torchmetrics==1.9.0 torch==2.8.0 scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.classification import BinaryAUROC

random = np.random.default_rng(0)


def auroc(scores, strays, batch):
    metric = BinaryAUROC()
    for start in range(0, len(scores), batch):
        part = slice(start, start + batch)
        metric.update(torch.tensor(scores[part]), torch.tensor(strays[part]))
    return float(metric.compute())


strays = np.repeat([0, 1], 500)
distances = np.concatenate([random.normal(30, 5, 500), random.normal(40, 5, 500)]).astype(np.float32)
expected, found = roc_auc_score(strays, distances), auroc(distances, strays, 1000)
print(f"distances around 30 and 40: scikit-learn {expected:.3f}, torchmetrics {found:.3f}")

scores = np.abs(random.normal(0.5, 0.3, 1000)).astype(np.float32)
strays = (scores + random.normal(0, 0.2, 1000) > 0.6).astype(int)
right, whole, batches = roc_auc_score(strays, scores), auroc(scores, strays, 1000), auroc(scores, strays, 10)
print(f"scores around 0.5, some above 1: scikit-learn {right:.3f}, one batch {whole:.3f}, batches of ten {batches:.3f}")
if not (expected > 0.9 and found < 0.6 and abs(right - batches) > 0.01):
    sys.exit("changed: torchmetrics keeps the order of scores")
PY
