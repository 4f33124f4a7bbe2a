"""Runs Straylight, and reads what others wrote with it."""

import json
import pathlib
import subprocess
import sys

import numpy as np

from . import theirs, truth


class Straylight:
    def __init__(self, program, folder):
        self.program, self.folder = str(pathlib.Path(program).resolve()), folder

    def run(self, *arguments):
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done

    def convert(self, source, form, name, *more):
        out = self.folder / name
        self.run("dataset", "convert", source, "--to", form, "--out", out, *more)
        return out

    def reads(self, source, kind, *, masks=False, within=0.02, pixels=0, anywhere=False):
        """Compares a set of another tool with the truth, through Datumaro's JSON."""
        name = f"read_{source.name}_{len(list(self.folder.iterdir()))}"
        out = self.convert(source, "datumaro", name)
        found = {}
        for file in sorted((out / "annotations").glob("*.json")):
            text = json.loads(file.read_text())
            names = [one["name"] for one in text["categories"]["label"]["labels"]]
            for item in text["items"]:
                stem = pathlib.Path(item["image"]["path"]).stem
                place = f"{file.stem}/{stem}"
                if anywhere:
                    place = next(p for p in truth.SETS[kind] if p.endswith(f"/{stem}"))
                found[place] = objects(item["annotations"], names)
        theirs.same_objects(found, kind, masks=masks, within=within, pixels=pixels)


def objects(annotations, names):
    """Class, box and mask of each object; parts of one group are one object."""
    groups = {}
    for number, one in enumerate(annotations):
        if one["type"] == "points":
            continue
        key = one["group"] or f"alone {number}"
        groups.setdefault((one["label_id"], key), []).append(one)
    found = []
    for (label, _), parts in groups.items():
        name = truth.NAMES.index(names[label])
        if parts[0]["type"] == "label":
            found.append((name, (), None))
            continue
        mask = np.zeros((truth.HEIGHT, truth.WIDTH), bool)
        boxes = [part_of(part, mask) for part in parts]
        left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
        right = max(box[0] + box[2] for box in boxes)
        bottom = max(box[1] + box[3] for box in boxes)
        found.append((name, (left, top, right - left, bottom - top), mask))
    return found


def part_of(part, mask):
    """The box of a part, whose inside is added to the mask."""
    if part["type"] == "mask":
        inside = theirs.need("pycocotools.mask").decode(part["rle"]).astype(bool)
        mask |= inside
        ys, xs = np.nonzero(inside)
        return xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()
    if part["type"] == "bbox":
        x, y, w, h = part["bbox"]
    elif part["type"] == "polygon":
        xs, ys = part["points"][0::2], part["points"][1::2]
        x, y, w, h = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    else:
        sys.exit(f"an object of type {part['type']} was not expected")
    mask[round(y) : round(y + h), round(x) : round(x + w)] = True
    return x, y, w, h
