#!/usr/bin/env bash
# faiss answers a query that holds NaN with neighbour -1 at a finite distance
#
# Guess: searching with a NaN in the query raises, or gives NaN distances, because NaN propagates
# through every sum.
#
# Package: faiss-cpu 1.15.1 (numpy 2.4.6)
#
# Behaviour: IndexFlatL2.search returns label -1 and the largest float32 as distance, with no
# error. Comparing with NaN is always false, so no stored vector is ever taken. A stored vector
# with NaN counts in ntotal and is never found. The distance is finite, so a check with isfinite
# passes; label -1 used as an index of a numpy array picks the last row.
#
# Output seen:
#     query with NaN: labels [-1 -1], distances [3.4028235e+38 3.4028235e+38]
#     bank of 3 with one NaN row: labels [ 1  2 -1]
#
# Where a user of Straylight meets it: features of a broken layer or an f16 overflow hold NaN, and
# nearest-neighbour OOD scores are made of these distances. Straylight refuses features that are
# not finite; whoever compares its scores with faiss must test the features first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    faiss-cpu==1.15.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import faiss
import numpy as np

bank = np.eye(3, 8, dtype=np.float32)
index = faiss.IndexFlatL2(8)
index.add(bank)
query = np.zeros((1, 8), np.float32)
query[0, 5] = np.nan
distances, labels = index.search(query, 2)
print(f"query with NaN: labels {labels[0]}, distances {distances[0]}")

broken = bank.copy()
broken[0, 0] = np.nan
holed = faiss.IndexFlatL2(8)
holed.add(broken)
_, found = holed.search(np.zeros((1, 8), np.float32), 3)
print(f"bank of {holed.ntotal} with one NaN row: labels {found[0]}")

as_stated = (labels == -1).all() and np.isfinite(distances).all() and found[0].tolist() == [1, 2, -1]
if not as_stated:
    sys.exit("changed: faiss no longer answers NaN with label -1 and a finite distance")
PY
