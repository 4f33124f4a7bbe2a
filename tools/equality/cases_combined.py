"""Task chains and tiling."""

import numpy as np

from cases_classification import scores
from cases_detection import NOTHING, TWO, WITH_EMPTY, boxes
from cases_maps import soft
from cases_masks import LISTED, PROJECT, dot, ellipse, outputs, square
from sdk import Case, Task, info, labels

KINDS = labels("big", "small", first=10)
KINDS_OR_NONE = labels("big", "small", "No class", first=10)


def detector(found: dict, project: list[dict] = WITH_EMPTY, **entries) -> Task:
    """Return the first task of a chain."""
    return Task("detection", info("SSD", project, **entries), project, found)


def classifier(*values: float, project: list[dict] = KINDS, **entries) -> Task:
    """Return a second task that labels."""
    entries.setdefault("output_raw_scores", True)
    return Task("classification", info("Classification", project, **entries), project, scores(*values))


def chains() -> list[Case]:
    """Return cases of two tasks."""
    block = np.zeros((8, 8), np.uint8)
    block[2:6, 2:7] = 1
    parts = labels("window", first=20)
    segmenter = Task("segmentation", info("Segmentation", parts, soft_threshold=0.5, blur_strength=-1), parts,
                     {"output": soft(block, planes=2)})
    equal = boxes((4, 4, 12, 20, 0.9), (4, 4, 12, 20, 0.7), classes=(0, 1))
    bar = Task("rotated_detection", info("MaskRCNN", PROJECT, **LISTED), PROJECT, outputs(((4, 4, 26, 22), 0.9, 0, square())))
    return [
        Case("labels", "boxes get a label of each task", [detector(TWO), classifier(2.0, 1.0)]),
        Case("nothing", "no box: the first task's empty label", [detector(NOTHING), classifier(2.0, 1.0)]),
        Case("no_class", "no class for the boxes", [detector(TWO), classifier(-2.0, -1.0, project=KINDS_OR_NONE, multilabel=True)]),
        Case("two_classes", "two classes for each box", [detector(TWO), classifier(2.0, 1.0, multilabel=True)]),
        Case("ellipses", "ellipses are cut out by their boxes", [detector(TWO, use_ellipse_shapes=True), classifier(2.0, 1.0)]),
        Case("objects", "objects in boxes move to the image", [detector(TWO), segmenter]),
        Case("boxes_in_boxes", "boxes in boxes", [detector(TWO), Task(
            "detection", info("SSD", parts), parts, boxes((8, 8, 24, 16, 0.8)))]),
        Case("equal_boxes", "two equal boxes", [detector(equal), classifier(2.0, 1.0)],
             ours=lambda sdk: [sdk[0] | {"labels": [sdk[0]["labels"][0], sdk[0]["labels"][1]]},
                               sdk[1] | {"labels": [sdk[1]["labels"][0], sdk[0]["labels"][1]]}],
             differs="the SDK gives the labels of both boxes to the first"),
        Case("turned", "turned boxes get a label of each task", [bar, classifier(2.0, 1.0)]),
    ]


TILES = {"tile_size": 32, "tiles_overlap": 0.25, "max_pred_number": 100, "iou_threshold": 0.45}


SYNCHRONOUS = ("the SDK's tiler fails: it asks an empty array of NumPy for its truth; expected is "
               "what ModelAPI's asynchronous tiler gives")


def tiled() -> list[Case]:
    """Return cases of tiling; every tile has the same outputs.

    NumPy keeps the order of equal scores only up to 16 of them, so images are small.
    """
    wide = {"image": (60, 40)}
    masks = outputs(((4, 4, 16, 15), 0.9, 0, ellipse()), ((18, 12, 30, 28), 0.7, 1, square(14)))
    one = outputs(((4, 4, 16, 15), 0.9, 0, square()))
    tall = TILES | {"tile_size": 4000, "tiles_overlap": 0.0}
    block = np.zeros((8, 8), np.uint8)
    block[2:6, 2:7] = 1
    parts = labels("window", first=20)

    def instances(name: str, about: str, found: dict, **more) -> Case:
        case = {"extra": {"asynchronous": True}, "differs": SYNCHRONOUS} | wide | more.pop("case", {})
        return Case(name, about, [Task("instance_segmentation", info("MaskRCNN", PROJECT, **(LISTED | TILES | more)),
                                       PROJECT, found)], **case)

    return [
        Case("boxes", "boxes of tiles compete", [detector(TWO, **TILES)], **wide),
        Case("boxes_limit", "at most three boxes", [detector(TWO, **(TILES | {"max_pred_number": 3}))], **wide),
        Case("boxes_without_whole", "tiles without the whole image", [detector(TWO, **TILES, tile_with_full_img=False)], **wide),
        Case("boxes_nothing", "no box in any tile", [detector(NOTHING, **TILES)], **wide),
        Case("boxes_one_tile", "an image smaller than a tile", [detector(TWO, **TILES)], image=(20, 10)),
        Case("boxes_large", "an image of 8000 x 4000", [detector(TWO, **tall)], image=(8000, 4000)),
        instances("masks", "objects with masks of tiles compete", masks),
        instances("masks_limit", "at most two objects", masks, max_pred_number=2),
        instances("masks_dot", "masks of one cell", outputs(((4, 4, 16, 15), 0.9, 0, dot()), ((18, 12, 30, 28), 0.7, 1, dot()))),
        instances("masks_one", "one object in all tiles", one, max_pred_number=1, case={
            "extra": {"first_of": "masks_one_of_two"},
            "differs": "the SDK squeezes the only object away and fails"}),
        Case("maps", "scores of tiles are averaged", [Task(
            "segmentation", info("Segmentation", parts, soft_threshold=0.5, blur_strength=-1, **TILES), parts,
            {"output": soft(block, planes=2)})], image=(32, 32), extra={"averaged": True},
            differs="the SDK does not run semantic segmentation on tiles"),
    ]


def cases() -> dict[str, list[Case]]:
    """Return all cases by group."""
    return {"chain": chains(), "tiling": tiled()}



