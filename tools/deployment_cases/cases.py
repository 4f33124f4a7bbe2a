"""The cases: every task, its settings, and the inputs that break programs."""

import json

import numpy as np
import openvino as ov

from build import Case, Label, TaskFolder, colours, fixed, looking

F = np.float32


def identifier(number: int) -> str:
    """Return an id; it starts with letters, because the SDK takes digits for numbers."""
    return f"bee{number:021x}"


def labels(*names: str, empty: str | None = None) -> list[Label]:
    """Return labels with made-up ids, and an empty label behind them if it has a name."""
    listed = [Label(name, identifier(place + 1)) for place, name in enumerate(names)]
    return listed + ([Label(empty, identifier(255), is_empty=True)] if empty else [])


def named(listed: list[Label], **info: object) -> dict[str, str]:
    """Return a `model_info` that names the labels, and the given entries."""
    entries = {
        "labels": " ".join(label.name.replace(" ", "_") for label in listed if not label.is_empty),
        "label_ids": " ".join(label.id for label in listed if not label.is_empty),
    }
    return {key: str(value) for key, value in (entries | info).items()}


# Classification ----------------------------------------------------------------------------

ABC = labels("alpha", "beta", "gamma", empty="No class")


def classifier(name: str, about: str, model, listed=ABC, size=(96, 64), explains=False, **info: object) -> Case:
    """Return a classification case; an entry that is `None` is left out."""
    info = named(listed, model_type="Classification", output_raw_scores=True) | {k: str(v) for k, v in info.items()}
    info = {key: value for key, value in info.items() if value != "None"}
    return Case(name, about, [TaskFolder("classification", listed, model, info, explains=explains)], size)


def logits(*values: float):
    """Return a model with these logits."""
    return fixed({"logits": np.array([values], F)})


SPACED = labels("old coin", "new coin", empty="No class")
NORMAL = {"mean_values": "123.675 116.28 103.53", "scale_values": "58.395 57.12 57.375"}

SINGLE = [
    classifier("single_softmax", "softmax over logits", logits(1.5, -0.5, 0.25)),
    classifier("single_softmaxed", "the output adds up to 1 already", fixed({"scores": np.array([[0.2, 0.7, 0.1]], F)})),
    classifier("single_top3", "three labels, the most probable first", logits(0.1, 2.0, 1.0), topk=3),
    classifier("single_large", "logits that overflow a plain exp", logits(800.0, 799.0, -900.0)),
    classifier("single_legacy_names", "blanks are underscores in the model", logits(0.0, 1.0), SPACED),
    classifier("single_no_ids", "labels by name only", logits(0.0, 1.0), SPACED, label_ids=None),
    classifier("single_otx_empty", "the empty label is one of the classes", logits(0.0, 0.1, 3.0),
               ABC[:2] + ABC[3:], labels="alpha beta otx_empty_lbl", label_ids=" ".join(map(identifier, (1, 2, 255)))),
    classifier("single_one_class", "one class only", logits(-3.0), labels("alone")),
    classifier("single_standard", "the image is stretched", looking(3), **NORMAL),
    classifier("single_nhwc", "a model with channels last", looking(3, layout="NHWC"), **NORMAL),
    classifier("single_wide_input", "an input that is not square", looking(3, 24, 48), **NORMAL),
    classifier("single_reversed", "reversed channels", looking(3), reverse_input_channels=True, **NORMAL),
    classifier("single_fit", "fit to window", looking(3), resize_type="fit_to_window", pad_value=114, **NORMAL),
    classifier("single_letterbox", "fit to window, letterbox", looking(3), resize_type="fit_to_window_letterbox",
               pad_value=114, **NORMAL),
    classifier("single_letterbox_tall", "the same for a tall image", looking(3), size=(31, 97),
               resize_type="fit_to_window_letterbox", **NORMAL),
    classifier("single_crop", "crop", looking(3), resize_type="crop", **NORMAL),
    classifier("single_1x1", "an image of one pixel", looking(3), size=(1, 1), **NORMAL),
    classifier("single_8000x4000", "an image of 32 million pixels", looking(3), size=(8000, 4000), **NORMAL),
    classifier("single_explain", "saliency maps and a feature vector", looking(3, extra=True), explains=True, **NORMAL),
]


def multilabel(name: str, about: str, model, **rest: object) -> Case:
    """Return a multi-label case."""
    return classifier(name, about, model, multilabel=True, **rest)


MULTI = [
    multilabel("multi_two", "two labels above the threshold", logits(2.0, -1.0, 0.4)),
    multilabel("multi_none", "no label: the empty one", logits(-2.0, -1.0, -0.4)),
    multilabel("multi_all", "all labels", logits(2.0, 1.0, 0.4)),
    multilabel("multi_threshold", "a threshold of its own", logits(2.0, 0.1, 0.9), confidence_threshold=0.7),
    multilabel("multi_on_threshold", "a probability equal to the threshold", logits(0.0, 1.0, -1.0)),
    multilabel("multi_explain", "saliency maps and a feature vector", looking(3, extra=True), explains=True, **NORMAL),
]

TREE = labels("animal", "dog", "cat", "plant", "wet", "dirty", empty="No class")
HIERARCHY = {
    "cls_heads_info": {
        "num_multiclass_heads": 2,
        "num_multilabel_classes": 2,
        "head_idx_to_logits_range": {"0": [0, 2], "1": [2, 4]},
        "num_single_label_classes": 4,
        "class_to_group_idx": {"animal": [0, 0], "plant": [0, 1], "cat": [1, 0], "dog": [1, 1],
                               "dirty": [2, 0], "wet": [3, 0]},
        "all_groups": [["animal", "plant"], ["cat", "dog"], ["dirty"], ["wet"]],
        "label_to_idx": {"animal": 0, "dog": 1, "cat": 2, "plant": 3, "wet": 4, "dirty": 5},
        "empty_multiclass_head_indices": [],
    },
    "label_tree_edges": [["dog", "animal"], ["cat", "animal"]],
}


def hierarchical(name: str, about: str, *values: float, **info: object) -> Case:
    """Return a hierarchical case; logits are animal, plant, cat, dog, dirty, wet."""
    config = json.dumps(HIERARCHY)
    return classifier(name, about, logits(*values), TREE, hierarchical=True, hierarchical_config=config, **info)


HIERARCHICAL = [
    hierarchical("tree_dog", "a child and its parent", 2.0, 0.0, -1.0, 1.0, -3.0, -3.0),
    hierarchical("tree_plant", "the parent of the likely child is not likely", 0.0, 2.0, -1.0, 1.0, -3.0, -3.0),
    hierarchical("tree_wet_dog", "with a label of its own group", 2.0, 0.0, -1.0, 1.0, -3.0, 3.0),
    hierarchical("tree_wet_dirty_cat", "with two of them", 2.0, 0.0, 1.0, -1.0, 1.0, 3.0),
    hierarchical("tree_probable", "probabilistic", 2.0, 0.0, -1.0, 1.0, -3.0, 3.0, hierarchical_postproc="probabilistic"),
    hierarchical("tree_probable_plant", "probabilistic, an unlikely parent", 0.0, 2.0, -1.0, 1.0, 1.0, -3.0,
                 hierarchical_postproc="probabilistic"),
    hierarchical("tree_threshold", "a threshold of its own", 2.0, 0.0, 1.0, -1.0, 0.5, 3.0, confidence_threshold=0.8),
]

# Detection ---------------------------------------------------------------------------------

PETS = labels("dog", "cat", empty="No object")
BOXES = [[2, 3, 20, 25, 0.9], [10, 8, 30, 30, 0.6], [3, 3, 21, 25, 0.8], [0, 0, 32, 32, 0.3]]
CLASSES = [0, 1, 0, 1]


def boxes_model(boxes=BOXES, classes=CLASSES, extra=False):
    """Return a detector with outputs boxes (x1, y1, x2, y2, score) and labels."""
    outputs = {"boxes": np.array([boxes], F).reshape(1, -1, 5), "labels": np.array([classes], np.int64).reshape(1, -1)}
    if extra:
        rng = np.random.default_rng(5)
        outputs["saliency_map"] = rng.integers(0, 256, (1, 2, 6, 5)).astype(np.uint8)
        outputs["feature_vector"] = rng.normal(size=(1, 8)).astype(F)
    return fixed(outputs)


def detector(name: str, about: str, model=None, listed=PETS, size=(96, 64), explains=False, **info: object) -> Case:
    """Return a detection case."""
    info = named(listed, model_type="ssd", confidence_threshold=0.35) | {k: str(v) for k, v in info.items()}
    task = TaskFolder("detection", listed, model or boxes_model(), info, explains=explains)
    return Case(name, about, [task], size)


def three_outputs():
    """Return a detector with outputs bboxes (0 to 1), scores and labels."""
    boxes = np.array(BOXES, F)
    return fixed({"bboxes": boxes[None, :, :4] / 32, "scores": boxes[None, :, 4],
                  "labels": np.array([CLASSES], np.int64)})


def one_output():
    """Return a detector with the seven-column output of SSD."""
    rows = [[0, label, box[4], *(value / 32 for value in box[:4])] for box, label in zip(BOXES, CLASSES)]
    return fixed({"detection_out": np.array([[rows]], F)})


DETECTION = [
    detector("boxes", "boxes and labels"),
    detector("boxes_none", "no box above the threshold: the empty label", confidence_threshold=0.95),
    detector("boxes_no_empty_label", "no box and no empty label", listed=PETS[:2], confidence_threshold=0.95),
    detector("boxes_outside", "boxes that leave the image", boxes_model(
        [[-9, -5, 20, 25, 0.9], [20, 20, 50, 60, 0.8], [40, 40, 60, 60, 0.7], [-20, -20, -2, -2, 0.6]], [0, 1, 0, 1])),
    detector("boxes_tiny", "boxes without and with less than a pixel", boxes_model(
        [[5, 5, 5, 20, 0.9], [5, 5, 5.1, 5.1, 0.9], [5, 5, 5.4, 5.4, 0.8], [7, 7, 6, 20, 0.7]], [0, 1, 0, 1])),
    detector("boxes_half", "edges on halves of pixels", boxes_model(
        [[0.5, 1.25, 10.5, 11.25, 0.9], [1.5, 2.75, 12.5, 13.75, 0.8]], [0, 1]), size=(64, 64)),
    detector("boxes_nms", "overlapping boxes suppress each other", nms_execute=True, iou_threshold=0.5),
    detector("boxes_nms_agnostic", "also those of other classes", nms_execute=True, iou_threshold=0.3, agnostic_nms=True),
    detector("boxes_nms_most", "at most one box", nms_execute=True, nms_max_predictions=1),
    detector("boxes_letterbox", "letterbox", resize_type="fit_to_window_letterbox"),
    detector("boxes_letterbox_tall", "letterbox, a tall image", size=(50, 90), resize_type="fit_to_window_letterbox"),
    detector("boxes_fit", "fit to window", resize_type="fit_to_window"),
    detector("boxes_ellipse", "ellipses", use_ellipse_shapes=True),
    detector("boxes_three_outputs", "boxes, scores and labels apart", three_outputs()),
    detector("boxes_one_output", "seven columns", one_output()),
    detector("boxes_1x1", "an image of one pixel", size=(1, 1)),
    detector("boxes_8000x4000", "an image of 32 million pixels", size=(8000, 4000)),
    detector("boxes_explain", "saliency maps and a feature vector", boxes_model(extra=True), explains=True),
]

# Masks -------------------------------------------------------------------------------------


def blob(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Return a soft mask: two discs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:shape[0], 0:shape[1]].astype(F)
    mask = np.zeros(shape, F)
    for _ in range(2):
        cy, cx = rng.uniform(0.3, 0.7, 2) * shape
        mask = np.maximum(mask, 1.2 - np.hypot(y - cy, x - cx) / (shape[0] * 0.4))
    return np.clip(mask, 0, 1).astype(F)


def masks_model(boxes=BOXES, classes=CLASSES, masks=None, batch=True, extra=False):
    """Return a Mask R-CNN: boxes with scores, labels, a mask for each box."""
    if masks is None:
        masks = [blob((14, 14), seed) for seed in range(len(boxes))]
    arrays = {"boxes": np.array(boxes, F).reshape(-1, 5), "labels": np.array(classes, np.int64),
              "masks": np.array(masks, F).reshape(len(boxes), 14, 14)}
    if extra:
        arrays["feature_vector"] = np.arange(8, dtype=F)[None] / 8
        arrays["saliency_map"] = np.random.default_rng(3).integers(0, 256, (1, 2, 5, 5)).astype(np.uint8)
    wrap = {"boxes", "labels", "masks"} if batch else set()
    return fixed({name: value[None] if name in wrap else value for name, value in arrays.items()})


def masks_by_level():
    """Return the same, each score 0.0003 higher for each grey level: tiles differ in scores."""
    boxes = np.array(BOXES, F).reshape(1, -1, 5)
    masks = np.array([blob((14, 14), seed) for seed in range(len(BOXES))], F)
    outputs = {"boxes": boxes, "labels": np.array(CLASSES, np.int64)[None], "masks": masks[None]}
    slope = np.zeros_like(boxes)
    slope[..., 4] = 0.0003
    return fixed(outputs, by_level={"boxes": slope})


def instances(kind: str, name: str, about: str, model=None, size=(96, 64), explains=False, **info: object) -> Case:
    """Return an instance segmentation or rotated detection case."""
    info = named(PETS, model_type="MaskRCNN", confidence_threshold=0.35, labels="otx_empty_lbl dog cat",
                 label_ids=f"None {identifier(1)} {identifier(2)}") | {k: str(v) for k, v in info.items()}
    task = TaskFolder(kind, PETS, model or masks_model(), info, explains=explains)
    return Case(name, about, [task], size)


POINT = np.zeros((14, 14), F)
POINT[7, 7] = 1
HOLLOW = np.ones((14, 14), F)
HOLLOW[5:9, 5:9] = 0
PARTS = np.zeros((14, 14), F)
PARTS[1:6, 1:6] = PARTS[8:13, 7:13] = 1


def masked(kind: str, prefix: str, outside: list) -> list[Case]:
    """Return the cases of tasks with masks; `outside` holds boxes that leave the image."""
    return [
        instances(kind, f"{prefix}_masks", "boxes, labels, masks"),
        instances(kind, f"{prefix}_unbatched", "without a batch axis", masks_model(batch=False)),
        instances(kind, f"{prefix}_none", "nothing above the threshold", confidence_threshold=0.95),
        instances(kind, f"{prefix}_outside", "boxes that leave the image", masks_model(outside, [0, 1])),
        instances(kind, f"{prefix}_point", "a mask of one pixel", masks_model(
            [[4, 4, 18, 18, 0.9]], [1], [POINT]), size=(32, 32)),
        instances(kind, f"{prefix}_parts", "a hollow mask and one of two parts", masks_model(
            [[4, 4, 18, 18, 0.9], [10, 10, 30, 30, 0.8]], [1, 0], [HOLLOW, PARTS])),
        instances(kind, f"{prefix}_ellipse", "ellipses", use_ellipse_shapes=True),
        instances(kind, f"{prefix}_letterbox", "letterbox", resize_type="fit_to_window_letterbox"),
        instances(kind, f"{prefix}_nms", "overlapping boxes", nms_execute=True, iou_threshold=0.5),
        instances(kind, f"{prefix}_1x1", "an image of one pixel", size=(1, 1)),
    ]


# The SDK misplaces turned rectangles with corners left of the image or above it.
FAR = [[20, 20, 50, 60, 0.8], [25, 2, 45, 20, 0.9]]
NEAR = [[-9, -5, 20, 25, 0.9], [20, 20, 50, 60, 0.8]]

INSTANCES = masked("instance_segmentation", "instances", NEAR) + masked("rotated_detection", "rotated", FAR) + [
    instances("instance_segmentation", "instances_explain", "saliency from masks, a feature vector",
              masks_model(extra=True), explains=True),
]

# Segmentation ------------------------------------------------------------------------------

LAND = labels("field", "water", empty="Empty")


def soft(*planes: np.ndarray):
    """Return a segmenter with these soft maps, the background first."""
    return fixed({"soft": np.stack(planes)[None].astype(F)})


def segmenter(name: str, about: str, model, listed=LAND, size=(64, 48), explains=False, **info: object) -> Case:
    """Return a semantic segmentation case."""
    info = named(listed, model_type="Segmentation", soft_threshold=0.5, blur_strength=-1,
                 return_soft_prediction=True) | {k: str(v) for k, v in info.items()}
    return Case(name, about, [TaskFolder("segmentation", listed, model, info, explains=explains)], size)


ONE = blob((32, 32), 1)
TWO = blob((32, 32), 2) * F(0.9)
BACK = np.clip(1 - ONE - TWO, 0, 1)
RING = np.where((np.abs(np.hypot(*np.mgrid[-16:16, -16:16]) - 9) < 4), F(0.8), F(0.1))
DOT = np.zeros((32, 32), F)
DOT[9, 9] = 0.9

SEGMENTATION = [
    segmenter("regions", "two classes", soft(BACK, ONE, TWO)),
    segmenter("regions_image", "maps that depend on the image", colours(3), **NORMAL),
    segmenter("regions_none", "only background", soft(np.ones((32, 32)), ONE * 0.4, TWO * 0.4)),
    segmenter("regions_ring", "a region with a hole", soft(1 - RING, RING, DOT * 0)),
    segmenter("regions_dot", "a region of one pixel", soft(F(0.5) + 0 * DOT, DOT, DOT * 0), size=(32, 32)),
    segmenter("regions_blur", "smoothed", soft(BACK, ONE, TWO), blur_strength=5),
    segmenter("regions_blur_even", "smoothed by an even window", soft(BACK, ONE, TWO), blur_strength=4, soft_threshold=0.3),
    segmenter("regions_threshold", "a high threshold", soft(BACK, ONE, TWO), blur_strength=1, soft_threshold=0.8),
    segmenter("regions_one_class", "one class", soft(1 - ONE, ONE), labels("field")),
    segmenter("regions_1x1", "an image of one pixel", soft(BACK, ONE, TWO), size=(1, 1)),
    segmenter("regions_explain", "an activation map and a feature vector", colours(3, extra=True), explains=True, **NORMAL),
]

# Anomaly -----------------------------------------------------------------------------------

SPOILED = [Label("Normal", identifier(1)), Label("Anomalous", identifier(2), is_anomalous=True)]


def anomaly(kind: str, name: str, about: str, model, size=(64, 48), explains=False, **info: object) -> Case:
    """Return an anomaly case."""
    task = kind.removeprefix("anomaly_") if "_" in kind else "classification"
    info = named(SPOILED, model_type="AnomalyDetection", image_threshold=0.6, pixel_threshold=0.55,
                 normalization_scale=0.8, task=task) | {k: str(v) for k, v in info.items()}
    return Case(name, about, [TaskFolder(kind, SPOILED, model, info, explains=explains)], size)


def heat(*planes: np.ndarray):
    """Return an anomaly model with this map."""
    return fixed({"anomaly_map": np.maximum.reduce(planes)[None, None].astype(F)})


CALM = ONE * F(0.4)
ANOMALY = [
    anomaly("anomaly_classification", "anomaly_strange", "anomalous", heat(ONE, TWO)),
    anomaly("anomaly_classification", "anomaly_normal", "normal", heat(CALM)),
    anomaly("anomaly_classification", "anomaly_explain", "the map as an explanation", heat(ONE, TWO), explains=True),
    anomaly("anomaly", "anomaly_new_name", "the task as newer servers name it", heat(ONE, TWO)),
    anomaly("anomaly_detection", "anomaly_boxes", "boxes of anomalous places", heat(ONE, TWO)),
    anomaly("anomaly_detection", "anomaly_no_boxes", "none", heat(CALM)),
    anomaly("anomaly_segmentation", "anomaly_regions", "polygons of anomalous places", heat(ONE, TWO)),
    anomaly("anomaly_segmentation", "anomaly_no_regions", "none", heat(CALM)),
    anomaly("anomaly_segmentation", "anomaly_1x1", "an image of one pixel", heat(ONE, TWO), size=(1, 1)),
]

# Key points --------------------------------------------------------------------------------

BODY = labels("head", "hand", "foot")


def simcc(seed: int, height: int = 32, width: int = 32, points: int = 3):
    """Return a key point model: scores along x and along y at twice the input's resolution."""
    rng = np.random.default_rng(seed)
    return fixed({"pred_x": rng.normal(0, 2, (1, points, 2 * width)).astype(F),
                  "pred_y": rng.normal(0, 2, (1, points, 2 * height)).astype(F)}, height, width)


def keypoints(name: str, about: str, model, listed=BODY, size=(96, 64), **info: object) -> Case:
    """Return a key point case."""
    info = named(listed, model_type="keypoint_detection") | {k: str(v) for k, v in info.items()}
    return Case(name, about, [TaskFolder("keypoint_detection", listed, model, info)], size)


KEYPOINTS = [
    keypoints("points", "three key points", simcc(1)),
    keypoints("points_letterbox", "letterbox", simcc(2), resize_type="fit_to_window_letterbox"),
    keypoints("points_fit", "fit to window", simcc(3), size=(40, 90), resize_type="fit_to_window"),
    keypoints("points_raw", "without softmax", simcc(4), apply_softmax=False),
    keypoints("points_wide", "an input that is not square", simcc(5, 24, 40)),
    keypoints("points_1x1", "an image of one pixel", simcc(6), size=(1, 1)),
]

# Tiles and chains --------------------------------------------------------------------------

TILES = {"tile_size": 40, "tiles_overlap": 0.25, "max_pred_number": 50}

TILED = [
    detector("tiles_boxes", "a detector over tiles", **TILES),
    detector("tiles_small_image", "an image smaller than a tile", size=(30, 20), **TILES),
    detector("tiles_exact", "tiles that fill the image", size=(80, 40), **(TILES | {"tiles_overlap": 0.0})),
]


def worth_looking_at() -> ov.Model:
    """Return a tile classifier: the brighter a tile, the more probable is an object."""
    model = fixed({"tile_prob": np.array([-2.75], F)}, by_level={"tile_prob": np.array([0.025], F)})
    model.set_rt_info("MaskRCNN", ["model_info", "model_type"])
    return model


def tiled_masks(name: str, about: str, classifier: ov.Model | None = None, **info: object) -> Case:
    """Return an instance segmentation over tiles; the SDK refuses tiles for rotated detection."""
    case = instances("instance_segmentation", name, about, masks_by_level(), size=(100, 70), iou_threshold=0.45,
                     **(TILES | info))
    case.tasks[0].tile_classifier = classifier
    case.asynchronous = True
    return case


TILED += [
    tiled_masks("tiles_masks", "objects with masks over tiles"),
    tiled_masks("tiles_masks_most", "at most five of them", max_pred_number=5),
    tiled_masks("tiles_masks_classified", "only the tiles that a classifier wants", worth_looking_at()),
]


def second(listed=ABC, **info: object) -> TaskFolder:
    """Return a classifier for the second place of a chain."""
    entries = named(listed, model_type="Classification") | NORMAL | {k: str(v) for k, v in info.items()}
    return TaskFolder("classification", listed, looking(3), entries)


def first(model=None, **info: object) -> TaskFolder:
    """Return a detector for the first place of a chain."""
    entries = named(PETS, model_type="ssd", confidence_threshold=0.35) | {k: str(v) for k, v in info.items()}
    return TaskFolder("detection", PETS, model or boxes_model(), entries)


def first_masks(kind: str) -> TaskFolder:
    """Return an instance segmentation or rotated detection for the first place of a chain."""
    return instances(kind, "", "").tasks[0]


CHAINS = [
    Case("chain_detect_classify", "detect, crop, classify", [first(), second()]),
    Case("chain_nothing", "nothing to classify", [first(confidence_threshold=0.95), second()]),
    Case("chain_outside", "boxes that leave the image", [first(boxes_model(
        [[-9, -5, 20, 25, 0.9], [20, 20, 50, 60, 0.8]], [0, 1])), second()]),
    Case("chain_detect_detect", "detect, crop, detect", [first(), TaskFolder(
        "detection", labels("eye", "ear"), boxes_model(), named(labels("eye", "ear"), model_type="ssd",
                                                                 confidence_threshold=0.7))]),
    Case("chain_instances_classify", "segment, crop, classify", [first_masks("instance_segmentation"), second()]),
]

ALL = SINGLE + MULTI + HIERARCHICAL + DETECTION + INSTANCES + SEGMENTATION + ANOMALY + KEYPOINTS + TILED + CHAINS
