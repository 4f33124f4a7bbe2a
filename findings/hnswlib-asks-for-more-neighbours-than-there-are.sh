#!/usr/bin/env bash
# hnswlib blames ef and M when there are fewer vectors than neighbours asked for
#
# Guess: asking 10 neighbours of an index of 5 vectors gives 5, or labels of -1 as in faiss, or an
# error that says so.
#
# Package: hnswlib 0.8.0 (numpy 2.4.6)
#
# Behaviour: knn_query raises RuntimeError "Cannot return the results in a contiguous 2D array.
# Probably ef or M is too small", for which no ef or M helps.
#
# Output seen:
#     Cannot return the results in a contiguous 2D array. Probably ef or M is too small
#     5 vectors, 10 neighbours, ef 500: RuntimeError
#
# Where a user of Straylight meets it: nearest-neighbour OOD scores on a class with few images,
# where tuning ef and M is time lost. Ask for no more than get_current_count() neighbours.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    hnswlib==0.8.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import hnswlib
import numpy as np

vectors = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
index = hnswlib.Index("l2", 8)
index.init_index(max_elements=100, M=48, ef_construction=500)
index.add_items(vectors, np.arange(5))
index.set_ef(500)
try:
    index.knn_query(vectors[:1], k=10)
    error = "no error"
except RuntimeError as problem:
    error = type(problem).__name__
    print(problem)
print(f"5 vectors, 10 neighbours, ef 500: {error}")
if error != "RuntimeError":
    sys.exit("changed: hnswlib gives the neighbours that there are")
PY
