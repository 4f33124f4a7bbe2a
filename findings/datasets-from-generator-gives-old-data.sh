#!/usr/bin/env bash
# Hugging Face's Dataset.from_generator gives the data of the last time
#
# Guess: from_generator calls the generator and holds what it gives now.
#
# Package: datasets 5.2.0 (pillow 13.0.0, pyarrow 26.0.1, numpy 2.4.6)
#
# Behaviour: the result is kept in a cache by the code and the arguments of the generator, not by
# the files that it reads. A second call, in the same program or the next day, gives the rows of the
# first one, although another image has been added. The documentation of the cache speaks of map and
# load_dataset. Nothing is said.
#
# Output seen:
#     1 files: 1 rows, with the names as an argument 1
#     2 files: 1 rows, with the names as an argument 2
#
# Where a user of Straylight meets it: making a training set out of a folder into which Straylight
# collects: new strays never arrive. Give something that changes as an argument
# (gen_kwargs={"files": sorted(files)}); then it is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    datasets==5.2.0 pillow==13.0.0 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import sys

import datasets

datasets.disable_progress_bars()
os.mkdir("strays")


def images():
    for name in sorted(os.listdir("strays")):
        yield {"file": name}


def named(files):
    for name in files:
        yield {"file": name}


counts = []
for name in ("a.jpg", "b.jpg"):
    with open(f"strays/{name}", "w"):
        pass
    files = sorted(os.listdir("strays"))
    old = datasets.Dataset.from_generator(images, cache_dir="cache")
    new = datasets.Dataset.from_generator(named, gen_kwargs={"files": files}, cache_dir="cache")
    counts.append((len(files), len(old), len(new)))
    print(f"{counts[-1][0]} files: {counts[-1][1]} rows, with the names as an argument {counts[-1][2]}")
if counts != [(1, 1, 1), (2, 1, 2)]:
    sys.exit("changed: from_generator sees new files")
PY
