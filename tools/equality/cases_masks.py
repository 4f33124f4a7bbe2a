"""Instance segmentation and rotated detection."""

import cv2
import numpy as np

from sdk import Case, Task, info, labels

PROJECT = labels("cat", "dog", "No object")
LISTED = {"labels": "otx_empty_lbl cat dog", "label_ids": f"None {PROJECT[0]['id']} {PROJECT[1]['id']}"}


def outputs(*objects: tuple, batch: bool = False) -> dict[str, np.ndarray]:
    """Return boxes, classes and masks of objects: (box, score, class, mask)."""
    boxes = np.array([[*box, score] for box, score, _, _ in objects], np.float32).reshape(-1, 5)
    classes = np.array([item[2] for item in objects], np.int64)
    masks = np.array([item[3] for item in objects], np.float32).reshape(-1, *objects[0][3].shape)
    found = {"boxes": boxes, "labels": classes, "masks": masks}
    return {name: value[None] for name, value in found.items()} if batch else found


def case(kind: str, name: str, about: str, found: dict, project: list[dict] = PROJECT, **entries) -> Case:
    """Return a case of one model with masks."""
    more, model = entries.pop("case", {}), entries.pop("model", "MaskRCNN")
    network = entries.pop("network", (32, 32))
    return Case(name, about, [Task(kind, info(model, project, **(LISTED | entries)), project, found, network)], **more)


def ellipse(side: int = 14, angle: int = 30, axes: tuple[int, int] = (6, 3)) -> np.ndarray:
    """Return a soft ellipse."""
    mask = np.zeros((side * 8, side * 8), np.uint8)
    cv2.ellipse(mask, (side * 4, side * 4), (axes[0] * 8, axes[1] * 8), angle, 0, 360, 255, -1)
    small = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA) / 255
    return np.round(small, 2).astype(np.float32)


def square(side: int = 8) -> np.ndarray:
    """Return a full mask."""
    return np.ones((side, side), np.float32)


def with_hole() -> np.ndarray:
    """Return a ring."""
    mask = square(9)
    mask[3:6, 3:6] = 0
    return mask


def two_parts() -> np.ndarray:
    """Return two separate blocks."""
    mask = square(9)
    mask[:, 3:6] = 0
    return mask


def dot(side: int = 5) -> np.ndarray:
    """Return a mask of one cell."""
    mask = np.zeros((side, side), np.float32)
    mask[side // 2, side // 2] = 1
    return mask


def smallest(box: tuple, mask: np.ndarray, width: int, height: int) -> dict[str, float]:
    """Return sides and angle of OpenCV's smallest rectangle around a mask in an image."""
    from model_api.models.instance_segmentation import _segm_postprocess

    corners = np.round(np.array(box) * ([width / 32, height / 32] * 2)).astype(int)
    pasted = _segm_postprocess(corners, mask, height, width)
    contours, _ = cv2.findContours(pasted, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    _, (along, across), angle = cv2.minAreaRect(contours[0])
    while angle < 0:
        along, across, angle = across, along, angle + 90
    return {"width": along, "height": across, "angle": angle}


BOX = (4, 4, 26, 22)


def instance() -> list[Case]:
    """Return cases of instance segmentation."""
    same = labels("cat", "cat", "No object")
    bare = labels("cat", "dog")

    def seg(name: str, about: str, found: dict, **more) -> Case:
        return case("instance_segmentation", name, about, found, **more)

    two = outputs((BOX, 0.9, 0, ellipse()), ((2, 10, 20, 30), 0.7, 1, ellipse(angle=100)))
    detr = np.zeros((8, 8), np.float32)
    detr[2:6, 3:7] = 1
    return [
        seg("two_objects", "two soft masks", two),
        seg("batched", "outputs with a batch of one", outputs((BOX, 0.9, 0, ellipse()), batch=True)),
        seg("hole", "a hole is lost", outputs((BOX, 0.9, 0, with_hole()))),
        seg("two_parts", "each part gives a polygon", outputs((BOX, 0.9, 1, two_parts()))),
        seg("dot", "a mask of one cell", outputs((BOX, 0.9, 0, dot()))),
        seg("one_pixel_mask", "a mask that covers one pixel of the image",
            outputs(((10, 10, 14, 14), 0.9, 0, dot(9))), case={"image": (32, 32)}),
        seg("black", "a mask without anything", outputs((BOX, 0.9, 0, np.zeros((5, 5), np.float32)))),
        seg("outside", "boxes beyond the image", outputs(((-10, -6, 12, 20), 0.9, 0, ellipse()), ((20, 20, 44, 50), 0.9, 1, square(14)))),
        seg("nothing", "no object, an empty label", outputs((BOX, 0.2, 0, ellipse()))),
        seg("edge", "a score at the threshold", outputs((BOX, 0.5, 0, ellipse()), (BOX, 0.51, 1, ellipse()))),
        seg("beyond_labels", "a class beyond the labels is left out", outputs((BOX, 0.9, 0, square()), (BOX, 0.9, 2, square()))),
        seg("nms", "NMS by class", outputs((BOX, 0.8, 0, ellipse()), (BOX, 0.9, 0, ellipse(angle=70)), (BOX, 0.7, 1, square(14))),
            nms_execute=True),
        seg("ellipses", "ellipses in the boxes", two, use_ellipse_shapes=True),
        seg("nan_score", "a score that is not a number", outputs((BOX, np.nan, 0, ellipse()), (BOX, 0.9, 1, ellipse()))),
        seg("window", "proportions kept", two, resize_type="fit_to_window", case={"image": (90, 41)}),
        seg("letterbox", "proportions kept, centred", two, resize_type="fit_to_window_letterbox", case={"image": (90, 41)}),
        seg("one_pixel", "an image of 1 x 1", two, case={"image": (1, 1)}),
        seg("large", "an image of 8000 x 4000", outputs((BOX, 0.9, 0, square(5)), ((2, 10, 20, 30), 0.7, 1, dot())),
            case={"image": (8000, 4000)}),
        seg("shrunk", "masks larger than their boxes", outputs(((4, 4, 9, 7), 0.9, 0, ellipse(28, 20, (12, 9))))),
        seg("same_name", "two labels of one name", two, project=same, labels="otx_empty_lbl cat cat",
            label_ids=f"None {same[0]['id']} {same[1]['id']}", case={
                "ours": lambda sdk: [item if place == 0 else item | {"labels": [item["labels"][0] | {"id": same[1]["id"]}]}
                                     for place, item in enumerate(sdk)],
                "differs": "the SDK takes the first label for both"}),
        seg("no_empty_entry", "labels without an entry for the empty one", outputs((BOX, 0.9, 0, square())),
            project=bare, labels="cat dog", label_ids=f"{bare[0]['id']} {bare[1]['id']}", case={
                "ours": lambda sdk: [item | {"labels": [item["labels"][0] | {"id": bare[0]["id"], "name": "cat"}]} for item in sdk],
                "differs": "ModelAPI shifts classes by one, though there is no entry to shift over"}),
        seg("detr", "masks that cover the whole image", outputs((BOX, 0.9, 0, detr)), model="DETRInstSeg"),
        seg("explained", "maps of where objects are", two | {"feature_vector": np.ones((1, 4), np.float32)},
            case={"explain": True, "image": (16, 12)}),
    ]


def rotated() -> list[Case]:
    """Return cases of rotated detection."""

    def rot(name: str, about: str, found: dict, **more) -> Case:
        return case("rotated_detection", name, about, found, **more)

    def diamond() -> np.ndarray:
        mask = np.zeros((15, 15), np.float32)
        return cv2.fillPoly(mask, [np.array([[7, 0], [14, 7], [7, 14], [0, 7]])], 1.0)

    def turned(angle: int) -> np.ndarray:
        mask = np.zeros((28, 28), np.float32)
        corners = cv2.boxPoints(((14, 14), (20, 9), angle)).round().astype(np.int32)
        return cv2.fillPoly(mask, [corners], 1.0)

    wide = (2, 2, 30, 30)
    tilted = [rot(f"tilted_{angle}", f"a bar turned by {angle} degrees", outputs((wide, 0.9, 0, turned(angle))),
                  case={"image": (256, 256)}) for angle in (15, 30, 60, 80)]
    return tilted + [
        rot("upright", "an upright bar", outputs((BOX, 0.9, 0, square()))),
        rot("diamond", "a square on its corner", outputs((wide, 0.9, 0, diamond())), case={
            "image": (128, 128),
            "ours": lambda sdk: [sdk[0] | {"shape": sdk[0]["shape"] | smallest(wide, diamond(), 128, 128)}],
            "differs": "corners that share a column make the SDK take the square for an upright one"}),
        rot("two_parts", "each part gives a rectangle", outputs((BOX, 0.9, 1, two_parts()))),
        rot("dot", "a mask of one cell", outputs((BOX, 0.9, 0, dot())), case={
            "ours": lambda sdk: [sdk[0] | {"shape": sdk[0]["shape"] | smallest(BOX, dot(), 64, 48)}],
            "differs": "corners that share a row make the SDK take the rectangle for an upright one"}),
        rot("one_pixel_mask", "a mask that covers one pixel", outputs(((10, 10, 14, 14), 0.9, 0, dot(9))), case={"image": (32, 32)}),
        rot("ellipses", "ellipses in the boxes", outputs((BOX, 0.9, 0, ellipse())), use_ellipse_shapes=True),
        rot("nothing", "no object, an empty label", outputs((BOX, 0.2, 0, ellipse()))),
    ]


def cases() -> dict[str, list[Case]]:
    """Return all cases by task."""
    return {"instance_segmentation": instance(), "rotated_detection": rotated()}
