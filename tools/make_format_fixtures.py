"""Makes `fixtures/formats/datumaro-exports`: one small set in the formats that Datumaro writes.

    pip install datumaro==1.13.12
    python tools/make_format_fixtures.py fixtures/formats/datumaro-exports
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from datumaro import Dataset, DatasetItem
from datumaro.components.annotation import (
    AnnotationType,
    Bbox,
    Label,
    LabelCategories,
    Mask,
    MaskCategories,
    Points,
    PointsCategories,
    Polygon,
)
from datumaro.components.media import Image

LABELS = LabelCategories.from_iterable(["bolt", "nut", "washer"])


def image():
    return Image.from_numpy(np.full((48, 64, 3), 120, np.uint8))


def item(name, subset, *annotations):
    return DatasetItem(name, subset=subset, media=image(), annotations=list(annotations))


def dataset(*items, **categories):
    kinds = {AnnotationType.label: LABELS}
    kinds.update({AnnotationType[name]: value for name, value in categories.items()})
    return Dataset.from_iterable(items, categories=kinds, media_type=Image)


def boxes():
    plain = {"occluded": False, "truncated": False, "difficult": False, "is_crowd": False}
    hidden = {**plain, "occluded": True, "truncated": True}
    return dataset(
        item(
            "a",
            "train",
            Bbox(4, 5, 20, 10, label=0, id=1, group=1, attributes=hidden),
            Bbox(30, 20, 10, 10, label=1, id=2, group=2, attributes=plain),
        ),
        item("b", "val", Bbox(1, 1, 10, 20, label=2, id=3, group=3, attributes=plain)),
        item("c", "val"),
    )


def segments():
    mask = np.zeros((48, 64), bool)
    mask[10:20, 5:25] = True
    mask[13:17, 10:15] = False
    mask[30:40, 50:60] = True
    crowd, plain = {"is_crowd": True, "occluded": False}, {"is_crowd": False}
    corners = [[4, 30, 24, 30, 24, 40, 4, 40], [30, 2, 40, 2, 40, 8], [44, 2, 50, 2, 50, 8]]
    groups = [2, 3, 3]
    polygons = [
        Polygon(points, label=1, id=group, group=group, attributes=plain)
        for points, group in zip(corners, groups)
    ]
    return dataset(
        item("a", "train", Mask(mask, label=0, id=1, group=1, attributes=crowd), *polygons),
        item("b", "val"),
        mask=MaskCategories.generate(3, include_background=False),
    )


def labels():
    return dataset(item("a", "train", Label(0)), item("b", "val", Label(2)))


def points():
    plain = {"is_crowd": False}
    skeleton = PointsCategories.from_iterable([(0, ["tip", "head", "side"], [(1, 2), (2, 3)])])
    return dataset(
        item(
            "a",
            "train",
            Points([10, 10, 0, 0, 20, 21], [2, 0, 1], label=0, id=1, group=1, attributes=plain),
            Bbox(5, 5, 30, 20, label=0, id=1, group=1, attributes=plain),
        ),
        points=skeleton,
    )


JOBS = {
    "det": (boxes, ["cvat", "open_images", "kitti_detection", "voc"]),
    "seg": (
        segments,
        ["voc_segmentation", "coco_panoptic", "coco_instances", "cvat", "open_images", "datumaro"],
    ),
    "cls": (labels, ["voc_classification", "coco_labels"]),
    "pts": (points, ["datumaro"]),
}


def main(out):
    for name, (make, formats) in JOBS.items():
        for format_name in formats:
            folder = out / name / format_name
            shutil.rmtree(folder, ignore_errors=True)
            make().export(str(folder), format_name, save_media=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
