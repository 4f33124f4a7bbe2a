"""Detection: layouts, resize types, NMS, thresholds, edges."""

import numpy as np

from sdk import Case, Task, info, labels

ANIMALS = labels("cat", "dog")
WITH_EMPTY = labels("cat", "dog", "No object")


def boxes(*rows: tuple, classes: tuple | None = None, kind: type = np.int64) -> dict[str, np.ndarray]:
    """Return N x 5 boxes in pixels of the input, and the classes."""
    array = np.array(rows, np.float32).reshape(1, -1, 5)
    found = classes if classes is not None else (0,) * len(rows)
    return {"boxes": array, "labels": np.array([found], kind).reshape(1, -1)}


def det(name: str, about: str, outputs: dict, project: list[dict] = ANIMALS, model: str = "SSD", **entries) -> Case:
    """Return a case of one detector; keywords of the case and the network come apart."""
    case, network = entries.pop("case", {}), entries.pop("network", (32, 32))
    return Case(name, about, [Task("detection", info(model, project, **entries), project, outputs, network)],
                **case)


def rectangle(item: dict, probability: float, x: int, y: int, width: int, height: int) -> dict:
    """Return an annotation with a rectangle."""
    return {"shape": {"type": "RECTANGLE", "x": x, "y": y, "width": width, "height": height},
            "labels": [{"id": item["id"], "name": item["name"], "probability": probability}]}


TWO = boxes((4, 4, 12, 20, 0.9), (10, 8, 30, 28, 0.7), classes=(0, 1))
CROWD = boxes((4, 4, 20, 20, 0.8), (5, 4, 21, 20, 0.9), (4, 5, 20, 21, 0.7), (24, 24, 31, 31, 0.6),
              (4, 4, 20, 20, 0.95), (2, 20, 9, 30, 0.55), classes=(0, 0, 1, 1, 1, 0))
NOTHING = boxes((4, 4, 12, 20, 0.1))


def layouts() -> list[Case]:
    """Return the layouts of outputs."""
    parts = {"bboxes": np.array([[[0.125, 0.125, 0.375, 0.625], [0.3, 0.25, 0.95, 0.9]]], np.float32),
             "labels": np.array([[0, 1]], np.int64), "scores": np.array([[0.9, 0.7]], np.float32)}
    seven = np.array([[0, 1, 0.9, 0.1, 0.2, 0.5, 0.6], [0, 0, 0.8, 0.6, 0.5, 1.2, 1.1], [0, 1, 0.2, 0, 0, 1, 1],
                      [-1, 0, 0, 0, 0, 0, 0]], np.float32).reshape(1, 1, 4, 7)
    apart = {"boxes": TWO["boxes"][:, :, :4].copy(), "scores": TWO["boxes"][:, :, 4].copy(), "labels": TWO["labels"]}
    yolo = np.zeros((1, 6, 5), np.float32)
    yolo[0] = np.array([[10, 12, 10, 14, 0.9, 0.1], [10.5, 12, 10, 14, 0.8, 0.3], [24, 20, 12, 8, 0.2, 0.6],
                        [40, 3, 30, 30, 0.3, 0.1], [3, 3, 2, 2, 0.1, 0.24]], np.float32).T
    grid = np.full((1, 21, 7), -4.0, np.float32)
    grid[0, 5] = [0.5, 0.25, 0.3, 0.2, 0.9, 0.95, 0.1]
    grid[0, 20] = [0.4, 0.6, -0.5, -0.4, 0.8, 0.2, 0.9]
    return [
        det("boxes_labels", "N x 5 boxes in pixels and labels", TWO),
        det("boxes_labels_float", "labels as floats", boxes((4, 4, 12, 20, 0.9), classes=(1,), kind=np.float32)),
        det("boxes_alone", "N x 5 boxes without labels are of the first class", {"boxes": TWO["boxes"]}, case={
            "ours": lambda _: [rectangle(ANIMALS[0], 0.9, 8, 6, 16, 24), rectangle(ANIMALS[0], 0.7, 20, 12, 40, 30)],
            "differs": "ModelAPI squeezes the axis of the boxes away and fails"}),
        det("three_outputs", "boxes as parts of the sides, scores and labels", parts),
        det("seven_columns", "one output of seven columns", {"detection_out": seven}),
        det("scores_apart", "boxes in pixels with the scores apart", apart, case={
            "ours": lambda _: [rectangle(ANIMALS[0], 0.9, 8, 6, 16, 24), rectangle(ANIMALS[1], 0.7, 20, 12, 40, 30)],
            "differs": "ModelAPI does not know this layout"}),
        det("yolov8", "one output of columns, NMS by default", {"output0": yolo}, model="YOLOv8"),
        det("yolov8_agnostic", "NMS across classes", {"output0": yolo}, model="YOLOv8", agnostic_nms=True,
            confidence_threshold=0.05, iou_threshold=0.1),
        det("yolox", "a grid of three strides", {"output": grid}, model="YOLOX", resize_type="fit_to_window", case={
            "ours": lambda _: [rectangle(ANIMALS[0], 0.855, 13, 9, 22, 20), rectangle(ANIMALS[1], 0.72, 6, 17, 39, 31)],
            "differs": "YOLOX of ModelAPI 0.4.7 fails: its pre-processing never stores the scale"}),
    ]


def places() -> list[Case]:
    """Return resize types, edges of the image and sizes."""
    outside = boxes((-9, -5, 12, 20, 0.9), (20, 20, 50, 60, 0.8), (-20, -20, -5, -5, 0.7), (40, 2, 60, 9, 0.9))
    small = boxes((4, 4, 4.5, 5, 0.9), (8, 8, 9, 9.4, 0.9), (20, 4, 21, 5.4, 0.9), (20, 8, 22, 9, 0.9))
    return [
        det("outside", "boxes beyond the image", outside),
        det("window", "proportions kept, padded right and below", TWO, resize_type="fit_to_window",
            case={"image": (100, 40)}),
        det("letterbox", "proportions kept, padded on all sides", TWO, resize_type="fit_to_window_letterbox",
            case={"image": (100, 41)}),
        det("letterbox_tall", "a tall image", TWO, resize_type="fit_to_window_letterbox", case={"image": (31, 77)}),
        det("crop", "a centred square", TWO, resize_type="crop", case={
            "image": (100, 40),
            "ours": lambda _: [rectangle(ANIMALS[0], 0.9, 35, 5, 10, 20), rectangle(ANIMALS[1], 0.7, 42, 10, 26, 25)],
            "differs": "ModelAPI maps boxes as if the image had not been cropped"}),
        det("small", "boxes of one pixel and less do not count", small, case={"image": (32, 32)}),
        det("inverted", "a box whose corners are exchanged", boxes((30, 20, 10, 5, 0.9), (4, 4, 12, 20, 0.9)), case={
            "ours": lambda sdk: sdk[1:], "differs": "the SDK takes two negative sides for a positive area"}),
        det("one_pixel", "an image of 1 x 1", TWO, case={"image": (1, 1)}),
        det("one_pixel_wide", "an image of 1 x 60", TWO, case={"image": (1, 60)}),
        det("large", "an image of 8000 x 4000", TWO, case={"image": (8000, 4000)}),
        det("halves", "coordinates that end in .5 are rounded to even",
            boxes((0.25, 0.75, 10.25, 12.75, 0.9), (1.25, 2.25, 5.75, 9.25, 0.9)), case={"image": (64, 64)}),
        det("ellipses", "ellipses in the boxes", TWO, use_ellipse_shapes=True),
        det("infinite", "a box without end", boxes((4, 4, np.inf, 20, 0.9))),
        det("not_square", "a network of 40 x 24", TWO, network=(40, 24)),
    ]


def filters() -> list[Case]:
    """Return thresholds, NMS and labels."""
    same = labels("cat", "cat")
    blanks = labels("old coin", "old_coin")
    edge = boxes((4, 4, 12, 20, 0.5), (4, 4, 12, 20, np.nextafter(np.float32(0.5), np.float32(1))), (4, 4, 12, 20, 0.4999))
    ties = boxes((4, 4, 20, 20, 0.9), (4, 4, 20, 20, 0.9), (22, 4, 30, 20, 0.9), (5, 4, 21, 20, 0.9))
    return [
        det("nothing", "no detection, no empty label", NOTHING),
        det("nothing_empty", "no detection, an empty label", NOTHING, project=WITH_EMPTY),
        det("no_rows", "an output without rows", boxes(), project=WITH_EMPTY),
        det("something_empty", "an empty label that is not needed", TWO, project=WITH_EMPTY),
        det("edge", "scores at the threshold", edge),
        det("edge_own", "scores at a threshold that is not exact in binary", boxes((4, 4, 12, 20, 0.35)),
            confidence_threshold=0.35),
        det("nms_off", "overlapping boxes stay", CROWD),
        det("nms", "NMS by class", CROWD, nms_execute=True),
        det("nms_agnostic", "NMS across classes", CROWD, nms_execute=True, agnostic_nms=True),
        det("nms_limit", "at most two boxes", CROWD, nms_execute=True, nms_max_predictions=2),
        det("nms_agnostic_limit", "the limit cuts candidates", CROWD, nms_execute=True, agnostic_nms=True,
            nms_max_predictions=3),
        det("nms_ties", "equal scores: the later box comes first", ties, nms_execute=True),
        det("nms_threshold", "an overlap of exactly the threshold stays", boxes((0, 0, 16, 16, 0.9), (0, 0, 16, 8, 0.8)),
            nms_execute=True, iou_threshold=0.5),
        det("nan_score", "a score that is not a number does not count", boxes((4, 4, 12, 20, np.nan), (10, 8, 30, 28, 0.7))),
        det("nan_box", "a box that is not a number does not count", boxes((np.nan, 4, 12, 20, 0.9), (10, 8, 30, 28, 0.7)),
            case={"ours": lambda _: [rectangle(ANIMALS[0], 0.7, 20, 12, 40, 30)],
                  "differs": "the SDK casts NaN to an integer"}),
        det("unknown_class", "a class without a label", boxes((4, 4, 12, 20, 0.9), classes=(5,)),
            case={"error": "class 5", "differs": "the SDK raises KeyError(5)"}),
        det("same_name", "two labels of one name", TWO, project=same, case={
            "ours": lambda sdk: [sdk[0], sdk[1] | {"labels": [sdk[1]["labels"][0] | {"id": same[1]["id"]}]}],
            "differs": "the SDK takes the first label for both"}),
        det("blank_or_underscore", "labels that differ in a blank only", TWO, project=blanks),
        det("explained", "saliency maps of a detector", TWO | {
            "saliency_map": np.arange(2 * 3 * 3, dtype=np.uint8).reshape(1, 2, 3, 3) * 14,
            "feature_vector": np.ones((1, 4), np.float32)}, case={"explain": True, "image": (10, 8)}),
        det("explained_nothing", "explain adds the empty label, too", NOTHING | {
            "saliency_map": np.full((1, 2, 2, 2), 9, np.uint8), "feature_vector": np.ones((1, 4), np.float32)},
            project=WITH_EMPTY, case={"explain": True, "image": (4, 4), "ours": lambda _: [
                rectangle(WITH_EMPTY[2], 0.0, 0, 0, 4, 4)],
                "differs": "explain of the SDK omits the empty label (known bug 19)"}),
    ]


def cases() -> list[Case]:
    """Return all cases of detection."""
    return layouts() + places() + filters()
