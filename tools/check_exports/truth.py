"""A small set, and what is on its images as masks and boxes that every tool can be compared with."""

import json
import pathlib
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48
NAMES = ["bolt", "nut", "washer"]
SKELETON = {"labels": ["tip", "head", "side"], "joints": [[1, 2], [2, 3]]}


@dataclass
class Thing:
    """An object: its class, its box (left, top, width, height), and what else it has."""

    name: int
    box: tuple
    rings: list = field(default_factory=list)
    mask: np.ndarray | None = None
    points: list = field(default_factory=list)

    def pixels(self):
        """The mask that it stands for; its corners lie on the edges of pixels."""
        if self.mask is not None:
            return self.mask
        inside = np.zeros((HEIGHT, WIDTH), bool)
        for ring in self.rings or [box_ring(self.box)]:
            xs, ys = ring[0::2], ring[1::2]
            inside[int(min(ys)) : int(max(ys)), int(min(xs)) : int(max(xs))] = True
        return inside


def box_ring(box):
    x, y, w, h = box
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def holed():
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[10:20, 5:25] = True
    inside[13:17, 10:15] = False
    inside[30:40, 50:60] = True
    return inside


BOXES = {
    "train/a": [Thing(0, (4, 5, 20, 10)), Thing(1, (30, 20, 10, 10))],
    "train/b": [Thing(2, (1, 1, 10, 20))],
    "val/c": [Thing(0, (8, 8, 16, 16))],
    "val/d": [],
}
POLYGONS = {
    "train/a": [Thing(0, (4, 5, 20, 10), [box_ring((4, 5, 20, 10))])],
    "train/b": [Thing(2, (1, 1, 10, 20), [box_ring((1, 1, 10, 20))])],
    "val/c": [Thing(1, (8, 8, 40, 16), [box_ring((8, 8, 10, 16)), box_ring((30, 8, 18, 16))])],
}
MASKS = {
    "train/a": [Thing(0, (5, 10, 55, 30), mask=holed()), Thing(1, (30, 2, 10, 6), [box_ring((30, 2, 10, 6))])],
    "val/b": [Thing(2, (0, 0, 9, 48), [box_ring((0, 0, 9, 48))])],
}
POINTS = {
    "train/a": [Thing(0, (5, 5, 30, 20), points=[(10, 10, 2), (0, 0, 0), (20, 21, 1)])],
    "val/b": [Thing(0, (2, 3, 40, 30), points=[(3, 4, 2), (20, 30, 2), (40, 9, 2)])],
}
LABELS = {"train/a": [Thing(0, ())], "train/b": [Thing(1, ())], "val/c": [Thing(2, ())]}
SETS = {"boxes": BOXES, "polygons": POLYGONS, "masks": MASKS, "points": POINTS, "labels": LABELS}


def runs(mask):
    """Run lengths down the columns, outside first."""
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    return [0, *counts] if flat[0] else counts


def annotations(things):
    """The objects of an image as Datumaro's JSON has them."""
    found = []
    for number, thing in enumerate(things, 1):
        common = {"id": number, "group": number, "label_id": thing.name, "attributes": {}, "z_order": 0}
        if not thing.box:
            found.append({**common, "type": "label"})
        elif thing.mask is not None:
            rle = {"counts": runs(thing.mask), "size": [HEIGHT, WIDTH]}
            found.append({**common, "type": "mask", "rle": rle})
        elif thing.rings:
            found += [{**common, "type": "polygon", "points": ring} for ring in thing.rings]
        else:
            found.append({**common, "type": "bbox", "bbox": thing.box})
        if thing.points:
            flat = [n for x, y, _ in thing.points for n in (x, y)]
            seen = [v for *_, v in thing.points]
            found.append({**common, "type": "points", "points": flat, "visibility": seen})
    return found


def write(kind, folder):
    """Writes a set as Datumaro's JSON with its images; the folder."""
    root = pathlib.Path(folder) / kind
    labels = [{"name": name, "parent": "", "attributes": []} for name in NAMES]
    categories = {"label": {"labels": labels, "attributes": []}}
    if kind == "points":
        categories["points"] = {"items": [{"label_id": 0, **SKELETON}]}
    for subset in ("train", "val"):
        items = []
        for place, things in SETS[kind].items():
            if not place.startswith(subset + "/"):
                continue
            name = place.split("/")[1]
            path = root / "images" / subset / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(ord(name)).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
            Image.fromarray(noise).save(path)
            image = {"path": f"{name}.png", "size": [HEIGHT, WIDTH]}
            items.append({"id": name, "annotations": annotations(things), "image": image})
        path = root / "annotations" / f"{subset}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = {"info": {}, "categories": categories, "items": items}
        path.write_text(json.dumps(text))
    return root
