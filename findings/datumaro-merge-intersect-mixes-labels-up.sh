#!/usr/bin/env bash
# Datumaro's merge by "intersect" mixes labels up when two datasets list them in another order
#
# Guess: merging goes by the names of labels, as the policy "union" does.
#
# Package: datumaro 1.13.12 (numpy 2.4.6)
#
# Behaviour: with merge_policy "intersect" the categories become those of the first dataset, and the
# annotations of the second keep their numbers. A dog is a cat after the merge if the second dataset
# lists its labels in another order. No error, no warning; "exact" refuses, "union" is right.
#
# Output seen:
#     a dog of the second dataset is, after union: dog, after intersect: cat
#
# Where a user of Straylight meets it: joining collected strays that were labelled elsewhere with
# the training set, both exported in Datumaro format. Straylight's import goes by names.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datumaro==1.13.12 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
from datumaro import Dataset
from datumaro.components.annotation import AnnotationType, Bbox
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.hl_ops import HLOps
from datumaro.components.media import Image


def dataset(name, labels):
    media = Image.from_numpy(data=np.zeros((100, 200, 3), np.uint8))
    box = Bbox(10, 10, 30, 30, label=labels.index("dog"))
    return Dataset.from_iterable([DatasetItem(id=name, media=media, annotations=[box])], categories=labels)


first, second = dataset("a", ["cat", "dog"]), dataset("b", ["dog", "cat"])
found = {}
for policy in ("union", "intersect"):
    merged = HLOps.merge(first, second, merge_policy=policy)
    labels = [entry.name for entry in merged.categories()[AnnotationType.label]]
    found[policy] = labels[next(item for item in merged if item.id == "b").annotations[0].label]
print(f"a dog of the second dataset is, after union: {found['union']}, after intersect: {found['intersect']}")
if found != {"union": "dog", "intersect": "cat"}:
    sys.exit("changed: Datumaro merges by name")
PY
