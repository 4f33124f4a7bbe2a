"""Makes annotations of the size of COCO val2017: 5,000 images, 37,000 objects.

    python benchmarks/formats/make.py /a/folder

Polygons of 8 to 60 corners, every twelfth object of two parts, and 600 crowds as run lengths; 80
classes, few of them frequent. The pictures are of one colour: nothing reads their pixels.
"""

import io
import json
import pathlib
import sys

import numpy as np
from PIL import Image

SUBSETS = ("train", "val")
IMAGES, OBJECTS, CROWDS, CLASSES = 5000, 37_000, 600, 80
WIDTH, HEIGHT = 640, 480


def ring(random, corners):
    angles = np.sort(random.random(corners)) * 2 * np.pi
    radius = random.uniform(8, 90) * random.uniform(0.7, 1, corners)
    x = np.clip(random.uniform(0, WIDTH) + radius * np.cos(angles), 0, WIDTH)
    y = np.clip(random.uniform(0, HEIGHT) + radius * np.sin(angles), 0, HEIGHT)
    return np.round(np.stack([x, y], 1), 2)


def box(points):
    low, high = points.min(0), points.max(0)
    return [*low.tolist(), *np.round(high - low, 2).tolist()]


def crowd(random):
    """Columns of a rectangle, with a gap in each."""
    left, top = random.integers(0, WIDTH // 2), random.integers(0, HEIGHT // 2)
    wide, high = random.integers(20, WIDTH // 2), random.integers(20, HEIGHT // 2)
    gap = high // 3
    column = [gap, gap, high - 2 * gap, HEIGHT - high + gap]
    counts = [int(left * HEIGHT + top)]
    for _ in range(wide):
        counts += [int(column[0]), int(column[1]), int(column[2]), int(HEIGHT - high)]
    counts[-1] = int(WIDTH * HEIGHT - sum(counts[:-1]))
    mask = {"size": [HEIGHT, WIDTH], "counts": counts}
    return mask, [float(left), float(top), float(wide), float(high)]


def subset_of(number):
    """Datumaro writes no YOLO set without a part for training."""
    return "train" if number % 10 else "val"


def main(folder):
    random = np.random.default_rng(0)
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for subset in SUBSETS:
        (folder / "images" / subset).mkdir(parents=True, exist_ok=True)
    picture = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 60)).save(picture, "JPEG")
    images, annotations = [], []
    for number in range(1, IMAGES + 1):
        name = f"{number:012}.jpg"
        (folder / "images" / subset_of(number) / name).write_bytes(picture.getvalue())
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
    weights = 1 / np.arange(1, CLASSES + 1)
    classes = random.choice(CLASSES, OBJECTS, p=weights / weights.sum()) + 1
    for number in range(1, OBJECTS + 1):
        is_crowd = number % (OBJECTS // CROWDS) == 0
        if is_crowd:
            segmentation, bounds = crowd(random)
        else:
            parts = 1 + (number % 12 == 0)
            rings = [ring(random, int(random.integers(8, 61))) for _ in range(parts)]
            segmentation, bounds = [one.ravel().tolist() for one in rings], box(np.concatenate(rings))
        annotations.append({
            "id": number, "image_id": int(random.integers(1, IMAGES + 1)),
            "category_id": int(classes[number - 1]), "segmentation": segmentation, "bbox": bounds,
            "area": bounds[2] * bounds[3], "iscrowd": int(is_crowd),
        })  # fmt: skip
    categories = [{"id": n, "name": f"class {n}"} for n in range(1, CLASSES + 1)]
    for subset in SUBSETS:
        text = {
            "images": [one for one in images if subset_of(one["id"]) == subset],
            "annotations": [one for one in annotations if subset_of(one["image_id"]) == subset],
            "categories": categories,
        }
        (folder / f"annotations/instances_{subset}.json").write_text(json.dumps(text))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
