"""Make `fixtures/families`: a small twin of each family of models, with the right answers.

    pip install -r tools/small_models/requirements.txt pillow
    python tools/small_models/families.py fixtures/families

Each graph gives fixed numbers in the form in which the family gives them; the answers in
`expected.json` are computed here, in NumPy, from the same two objects: "bolt" 16, 8, 32 x 16 with the
score 0.9 and "nut" 88, 40, 16 x 16 with 0.7, in an image of 128 x 64. No file of another exporter is
used. Running the script twice gives the same bytes.
"""

import json
import sys
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper
from PIL import Image

WIDTH, HEIGHT = 128, 64
# Left, upper edge, width, height, score, class.
OBJECTS = np.array([[16, 8, 32, 16, 0.9, 0], [88, 40, 16, 16, 0.7, 1]], np.float64)
NAMES = ["bolt", "nut"]
CASES: dict = {}
KINDS = {np.dtype("float32"): TensorProto.FLOAT, np.dtype("int64"): TensorProto.INT64, np.dtype("int32"): TensorProto.INT32,
         np.dtype("bool"): TensorProto.BOOL, np.dtype("float16"): TensorProto.FLOAT16, np.dtype("uint8"): TensorProto.UINT8}


def case(function):
    """Register a case: a function that returns a model, files beside it, and the answer."""
    CASES[function.__name__] = function
    return function


def fixed(outputs: dict, shape=(1, 3, 64, 64), kind=TensorProto.FLOAT, name="images", metadata=None, extra=()) -> bytes:
    """Return a graph that gives the same numbers for every image."""
    nodes = [helper.make_node("Cast", [name], ["image"], to=TensorProto.FLOAT),
             helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
             helper.make_node("Mul", ["mean", "zero"], ["nothing"])]
    constants, values = {"zero": np.array(0, np.float32)}, []
    for key, value in outputs.items():
        kept = value.astype(np.float32) if value.dtype == bool else value
        constants[f"{key}_fixed"] = kept
        nodes.append(helper.make_node("Cast", ["nothing"], [f"{key}_nothing"], to=KINDS[kept.dtype]))
        sum_ = f"{key}_sum" if value.dtype == bool else key
        nodes.append(helper.make_node("Add", [f"{key}_fixed", f"{key}_nothing"], [sum_]))
        if value.dtype == bool:
            nodes.append(helper.make_node("Cast", [sum_], [key], to=TensorProto.BOOL))
        values.append(helper.make_tensor_value_info(key, KINDS[value.dtype], value.shape))
    return model([*nodes, *extra], constants, shape, kind, name, values, metadata)


def model(nodes, constants, shape, kind, name, values, metadata=None) -> bytes:
    """Return the bytes of a checked model."""
    graph = helper.make_graph(nodes, "twin", [helper.make_tensor_value_info(name, kind, shape)], values,
                              [numpy_helper.from_array(value, key) for key, value in constants.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in (metadata or {}).items():
        made.metadata_props.add(key=key, value=value)
    checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)


def said(made: bytes, metadata: dict) -> bytes:
    """Return a model with entries in its metadata."""
    loaded = ModelProto.FromString(made)
    for key, value in metadata.items():
        loaded.metadata_props.add(key=key, value=value)
    return loaded.SerializeToString(deterministic=True)


def corners(boxes=OBJECTS) -> np.ndarray:
    """Return left, upper, right, lower edges in the image."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]], axis=1)


def centres(edges: np.ndarray) -> np.ndarray:
    """Return centre and sides of boxes given by their edges."""
    return np.concatenate([(edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:] - edges[:, :2]], axis=1)


def letterboxed(width=64, height=64) -> np.ndarray:
    """Return edges in a letterboxed input."""
    scale = min(width / WIDTH, height / HEIGHT)
    pad = [(width - WIDTH * scale) / 2, (height - HEIGHT * scale) / 2]
    return corners() * scale + [*pad, *pad]


def fitted(width=64, height=64) -> np.ndarray:
    """Return edges in an input that the image is fitted into, upper left."""
    return corners() * min(width / WIDTH, height / HEIGHT)


def stretched(width=64, height=64) -> np.ndarray:
    """Return edges in a stretched input."""
    return corners() * np.array([width / WIDTH, height / HEIGHT] * 2)


def fractions() -> np.ndarray:
    """Return edges as parts of the image's sides."""
    return corners() / [WIDTH, HEIGHT, WIDTH, HEIGHT]


def scores(count=2, low=0.01) -> np.ndarray:
    """Return a score for each object and class."""
    found = np.full((2, count), low)
    found[0, 0], found[1, 1 % count] = 0.9, 0.7
    return found


def logit(p: np.ndarray) -> np.ndarray:
    """Return the logits of probabilities."""
    return np.log(p / (1 - p))


def f32(value) -> np.ndarray:
    """Return 32-bit floating point numbers."""
    return np.asarray(value, np.float32)


def candidates(rows: np.ndarray, count: int) -> np.ndarray:
    """Fill up with candidates of score 0, and a second, weaker one over the first."""
    table = np.zeros((count, rows.shape[1]))
    table[: len(rows)] = rows
    again = rows[0].copy()
    again[0] += 0.5
    again[4:6] *= 0.8
    table[len(rows)] = again
    return table


def answer(names=NAMES) -> dict:
    """Return both objects."""
    objects = [{"label": names[int(c) % len(names)], "score": s, "box": [x, y, w, h]} for x, y, w, h, s, c in OBJECTS]
    return {"objects": objects}


@case
def yolov8():
    """Columns are candidates; no metadata."""
    rows = candidates(np.concatenate([centres(stretched()), scores()], 1), 84)
    return fixed({"output0": f32(rows.T[None])}), {"labels.txt": NAMES}, answer()


@case
def yolov8_rows():
    """The axes are swapped."""
    rows = candidates(np.concatenate([centres(stretched()), scores()], 1), 84)
    return fixed({"out": f32(rows[None])}), {"labels.txt": NAMES}, answer()


@case
def yolov8_one_class():
    """One class."""
    rows = candidates(np.concatenate([centres(stretched()), scores(1)], 1), 84)
    return fixed({"output0": f32(rows.T[None])}), {"labels.txt": ["thing"]}, answer(["thing"])


@case
def yolov8_wide_fractions():
    """An input that is not square, boxes as fractions."""
    boxes = centres(stretched(96, 64)) / [96, 64, 96, 64]
    rows = candidates(np.concatenate([boxes, scores()], 1), 126)
    rows[2, 0] = rows[0, 0]
    return fixed({"output0": f32(rows.T[None])}, (1, 3, 64, 96)), {"labels.txt": NAMES}, answer()


@case
def yolov5():
    """Objectness; three anchors a cell."""
    rows = np.concatenate([centres(stretched()), [[0.95], [0.8]], scores() / [[0.95], [0.8]]], 1)
    return fixed({"output": f32(candidates(rows, 252)[None])}), {"labels.txt": NAMES}, answer()


@case
def yolox():
    """Decoded, upper left, one candidate a cell."""
    rows = np.concatenate([centres(fitted()), [[0.95], [0.8]], scores() / [[0.95], [0.8]]], 1)
    table = candidates(rows, 84)
    table[:, 0] = np.maximum(table[:, 0], 60 * (np.arange(84) == 83))
    return fixed({"output": f32(table[None])}), {"labels.txt": NAMES}, answer()


@case
def yolox_grid():
    """Relative to the grids of stride 8, 16 and 32."""
    boxes = centres(fitted())
    table = np.zeros((84, 7))
    for (x, y, w, h), found, objectness in zip(boxes, scores(), (0.95, 0.8), strict=True):
        column, row = int(x // 8), int(y // 8)
        table[row * 8 + column] = [x / 8 - column, y / 8 - row, np.log(w / 8), np.log(h / 8), objectness, *(found / objectness)]
    return fixed({"output": f32(table[None])}), {"labels.txt": NAMES}, answer()


def ultralytics(task: str, **more) -> dict:
    """Return metadata as Ultralytics writes them."""
    names = {index: name for index, name in enumerate(more.pop("names", NAMES))}
    return {"description": "twin", "author": "Ultralytics", "task": task, "names": str(names), "stride": "32",
            "imgsz": "[64, 64]", "batch": "1"} | {key: str(value) for key, value in more.items()}


@case
def ultralytics_ready():
    """Behind NMS: 300 rows of edges, score and class."""
    rows = np.zeros((300, 6))
    rows[:2] = np.concatenate([letterboxed(), OBJECTS[:, 4:]], 1)
    return fixed({"output0": f32(rows[None])}, metadata=ultralytics("detect", end2end=True)), {}, answer()


@case
def ultralytics_open():
    """Batch and sides are open: the size is in the metadata, and the input is 64 x 32 without padding."""
    rows = candidates(np.concatenate([centres(letterboxed() - [0, 16, 0, 16]), scores()], 1), 84)
    return fixed({"output0": f32(rows.T[None])}, ("batch", 3, "height", "width"), metadata=ultralytics("detect")), {}, answer()


@case
def ultralytics_segment():
    """Prototypes: the first object is the left half of its box, the second all of it."""
    edges = letterboxed()
    coefficients = np.array([[20, -10], [0, 10]])
    rows = candidates(np.concatenate([centres(edges), scores(), coefficients], 1), 84)
    prototypes = np.ones((2, 16, 16))
    prototypes[0] = np.arange(16)[None] < (edges[0, 0] + edges[0, 2]) / 2 / 4
    made = fixed({"output0": f32(rows.T[None]), "output1": f32(prototypes[None])}, metadata=ultralytics("segment"))
    found = answer()
    found["areas"] = [16 * 16, 16 * 16]
    return made, {}, found


@case
def ultralytics_pose():
    """A box and two key points."""
    x, y = letterboxed()[0, :2]
    rows = np.concatenate([centres(letterboxed()), [[0.9], [0.1]], [[x, y, 0.8, x + 4, y + 2, 0.3]] * 2], 1)
    made = fixed({"output0": f32(candidates(rows, 84).T[None])}, metadata=ultralytics("pose", names=["person"], kpt_shape=[2, 3]))
    objects = [{"label": "person", "score": 0.9, "box": [16, 8, 32, 16]},
               {"label": "point 0", "score": 0.8, "point": [16, 8]}, {"label": "point 1", "score": 0.3, "point": [24, 12]}]
    return made, {}, {"objects": objects}


@case
def ultralytics_obb():
    """Turned boxes: the angle comes last, in radians."""
    rows = candidates(np.concatenate([centres(letterboxed()), scores(), [[0.5], [0.0]]], 1), 84)
    objects = [{"label": "bolt", "score": 0.9, "turned": [32, 16, 32, 16, np.degrees(0.5)]},
               {"label": "nut", "score": 0.7, "turned": [96, 48, 16, 16, 0]}]
    return fixed({"output0": f32(rows.T[None])}, metadata=ultralytics("obb")), {}, {"objects": objects}


@case
def ultralytics_obb_chain():
    """Of turned boxes in a row the first covers the second and the second the third: the first alone stays."""
    edges = letterboxed()[:1] + np.array([[0], [3], [6]]) * [1, 0, 1, 0]
    values = np.array([[0.9, 0], [0.8, 0], [0.7, 0]])
    rows = candidates(np.concatenate([centres(edges), values, np.zeros((3, 1))], 1), 84)
    objects = [{"label": "bolt", "score": 0.9, "turned": [32, 16, 32, 16, 0]}]
    return fixed({"output0": f32(rows.T[None])}, metadata=ultralytics("obb")), {}, {"objects": objects}


@case
def ultralytics_rt_detr():
    """RT-DETR since 8.4: centre and size as fractions of a stretched image, score, class."""
    rows = np.zeros((300, 6))
    rows[:2] = np.concatenate([centres(fractions()), OBJECTS[:, 4:]], 1)
    return fixed({"output0": f32(rows[None])}, metadata=ultralytics("detect", head="RTDETRDecoder")), {}, answer()


@case
def ultralytics_rt_detr_scores():
    """RT-DETR before 8.4: a score for each class."""
    rows = np.zeros((300, 6))
    rows[:2] = np.concatenate([centres(fractions()), scores()], 1)
    metadata = ultralytics("detect") | {"description": "Ultralytics rtdetr-l model"}
    return fixed({"output0": f32(rows[None])}, metadata=metadata), {}, answer()


def openvino_info(**more) -> dict:
    """Return the model_info that Ultralytics writes into its OpenVINO exports."""
    info = {"model_type": "YOLO", "labels": "bolt nut", "reverse_input_channels": "YES", "pad_value": "114", "scale_values": "255",
            "iou_threshold": "0.7", "resize_type": "fit_to_window_letterbox"} | more
    return {f"model_info {key}": value for key, value in info.items()}


@case
def ultralytics_openvino():
    """What model_info says is enough for a raw detector."""
    rows = candidates(np.concatenate([centres(letterboxed()), scores()], 1), 84)
    return fixed({"output0": f32(rows.T[None])}, metadata=openvino_info()), {}, answer()


@case
def ultralytics_openvino_segment():
    """What model_info says is not enough for any other task."""
    rows = candidates(np.concatenate([centres(letterboxed()), scores(), scores()], 1), 84)
    outputs = {"output0": f32(rows.T[None]), "output1": f32(np.ones((1, 2, 16, 16)))}
    return fixed(outputs, metadata=openvino_info()), {}, {"refused": "metadata.yaml"}


@case
def ultralytics_beside():
    """The metadata lie in a file beside the model."""
    rows = np.zeros((300, 6))
    rows[:2] = np.concatenate([letterboxed(), OBJECTS[:, 4:]], 1)
    text = "description: twin\nauthor: Ultralytics\nstride: 32\ntask: detect\nhead: Detect\nbatch: 1\nimgsz:\n- 64\n- 64\n" \
           "names:\n  0: bolt\n  1: nut\nargs:\n  nms: true\nchannels: 3\nend2end: false\n"
    return fixed({"output0": f32(rows[None])}, metadata=openvino_info()), {"metadata.yaml": text}, answer()


@case
def torchvision():
    """Lists without a batch axis; classes from 1."""
    outputs = {"boxes": f32(stretched()), "labels": np.array([1, 2]), "scores": f32(OBJECTS[:, 4])}
    return fixed(outputs), {"labels.txt": NAMES}, answer()


@case
def too_many_masks():
    """1,500 objects with masks, as a model finds whose pixels are normalised in a wrong way."""
    count = 1500
    one = {"boxes": np.array([[8, 8, 40, 40]], np.float32), "scores": np.array([0.9], np.float32), "masks": np.ones((1, 1, 8, 8), np.float32)}
    nodes = [helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0), helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
             helper.make_node("ConstantOfShape", ["n"], ["labels"], value=numpy_helper.from_array(np.array([1])))]
    constants, values = {"zero": np.array(0, np.float32), "n": np.array([count])}, []
    for key, value in one.items():
        constants |= {f"{key}_one": value, f"{key}_shape": np.array([count, *value.shape[1:]])}
        nodes += [helper.make_node("Add", [f"{key}_one", "nothing"], [f"{key}_sum"]),
                  helper.make_node("Expand", [f"{key}_sum", f"{key}_shape"], [key])]
        values.append(helper.make_tensor_value_info(key, TensorProto.FLOAT, (count, *value.shape[1:])))
    values.append(helper.make_tensor_value_info("labels", TensorProto.INT64, (count,)))
    made = model(nodes, constants, (1, 3, 64, 64), TensorProto.FLOAT, "images", values)
    return made, {"labels.txt": NAMES}, {"objects": [], "left_out": 500}


@case
def torchvision_other_names():
    """Names that say nothing, 32-bit classes."""
    outputs = {"1870": f32(stretched()), "2000": np.array([1, 2], np.int32), "1999": f32(OBJECTS[:, 4])}
    return fixed(outputs), {"labels.txt": NAMES}, answer()


@case
def torchvision_masks():
    """Masks over the whole input: boxes are full."""
    masks = np.zeros((2, 1, 64, 64))
    for mask, (left, top, right, bottom) in zip(masks, stretched().astype(int), strict=True):
        mask[0, top:bottom, left:right] = 1
    outputs = {"boxes": f32(stretched()), "labels": np.array([1, 2]), "scores": f32(OBJECTS[:, 4]), "masks": f32(masks)}
    found = answer()
    found["areas"] = [32 * 16, 16 * 16]
    return fixed(outputs), {"labels.txt": NAMES}, found


@case
def tensorflow():
    """y before x, fractions, bytes in, size open, classes from 1 as floating point numbers."""
    boxes, classes, found = np.zeros((1, 10, 4)), np.zeros((1, 10)), np.zeros((1, 10))
    boxes[0, :2], classes[0, :2], found[0, :2] = fractions()[:, [1, 0, 3, 2]], [1, 2], OBJECTS[:, 4]
    outputs = {"detection_boxes": f32(boxes), "detection_classes": f32(classes), "detection_scores": f32(found),
               "num_detections": f32([2])}
    return fixed(outputs, (1, "h", "w", 3), TensorProto.UINT8, "input_tensor"), {"labels.txt": NAMES}, answer()


@case
def mmdeploy():
    """Five columns, classes from 0, batch open."""
    outputs = {"dets": f32(np.concatenate([stretched(), OBJECTS[:, 4:5]], 1)[None]), "labels": np.array([[0, 1]])}
    return fixed(outputs, ("batch", 3, 64, 64), name="input"), {"labels.txt": NAMES}, answer()


@case
def classes_from_one():
    """A batch axis, and a class as high as the number of labels."""
    outputs = {"boxes": f32(stretched()[None]), "labels": np.array([[1, 2]]), "scores": f32(OBJECTS[None, :, 4])}
    return fixed(outputs), {"labels.txt": NAMES}, answer()


@case
def classes_from_zero():
    """A batch axis, and class 0 among the results."""
    outputs = {"boxes": f32(fractions()[None]), "labels": np.array([[0, 1]]), "scores": f32(OBJECTS[None, :, 4])}
    return fixed(outputs), {"labels.txt": NAMES}, answer()


@case
def classes_from_where():
    """One object of class 1: it may be either label."""
    outputs = {"boxes": f32(stretched()[None, :1]), "labels": np.array([[1]]), "scores": f32(OBJECTS[None, :1, 4])}
    return fixed(outputs), {"labels.txt": ["a", "b", "c"]}, {"undecided": "outputs.first_class"}


@case
def detr():
    """Softmax over the classes and no object; names in config.json."""
    logits = np.log(np.array([[0.9, 0.04, 0.06], [0.1, 0.7, 0.2], [0.1, 0.1, 0.8]]))
    boxes = np.concatenate([centres(fractions()), [[0.5, 0.5, 0.2, 0.2]]])
    outputs = {"logits": f32(logits[None]), "pred_boxes": f32(boxes[None])}
    config = {"id2label": {"0": "bolt", "1": "nut"}}
    processor = {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.485, 0.456, 0.406],
                 "image_std": [0.229, 0.224, 0.225], "size": {"height": 64, "width": 64}, "resample": 2}
    return fixed(outputs, name="pixel_values"), {"config.json": config, "preprocessor_config.json": processor}, answer()


@case
def rt_detr():
    """A sigmoid for each class."""
    outputs = {"logits": f32(logit(scores())[None]), "pred_boxes": f32(centres(fractions())[None])}
    return fixed(outputs), {"labels.txt": NAMES}, answer()


@case
def rt_detr_best():
    """Two queries give the two best scores of all, be they of one query."""
    outputs = {"logits": f32(logit(np.array([[0.9, 0.8], [0.6, 0.7]]))[None]), "pred_boxes": f32(centres(fractions())[None])}
    objects = [{"label": "bolt", "score": 0.9, "box": [16, 8, 32, 16]}, {"label": "nut", "score": 0.8, "box": [16, 8, 32, 16]}]
    return fixed(outputs), {"labels.txt": NAMES}, {"objects": objects}


@case
def detr_of_how_many():
    """Without labels the activation is not known."""
    outputs = {"logits": f32(logit(scores())[None]), "pred_boxes": f32(centres(fractions())[None])}
    return fixed(outputs), {}, {"undecided": "labels"}


@case
def rf_detr():
    """`dets` and `labels`; the last score is of no class."""
    logits = np.concatenate([logit(scores()), [[-5.0], [-5.0]]], 1)
    outputs = {"dets": f32(centres(fractions())[None]), "labels": f32(logits[None])}
    return fixed(outputs, name="input"), {"labels.txt": NAMES}, answer()


@case
def detection_output():
    """OpenVINO's: image, class, score, edges as fractions."""
    rows = np.zeros((1, 1, 5, 7))
    rows[0, 0, :2] = np.concatenate([[[0, 0], [0, 1]], OBJECTS[:, 4:5], fractions()], 1)
    return fixed({"detection_out": f32(rows)}), {"labels.txt": NAMES}, answer()


@case
def anomalib():
    """Score, label, map and mask of anomalib 2; sides open."""
    zone = np.zeros((1, 1, 64, 64))
    zone[0, 0, 8:24, 8:24] = 1
    outputs = {"pred_score": f32([0.83]), "pred_label": np.array([True]), "anomaly_map": f32(zone * 0.8), "pred_mask": zone > 0}
    return fixed(outputs, ("b", 3, "h", "w"), name="input"), {}, {"objects": [{"label": "anomalous", "score": 0.83}]}


@case
def anomalib_score_and_map():
    """Without label and mask."""
    outputs = {"pred_score": f32([0.2]), "anomaly_map": f32(np.full((1, 1, 64, 64), 0.1))}
    return fixed(outputs, name="input"), {}, {"objects": [{"label": "normal", "score": 0.8}]}


def planes() -> np.ndarray:
    """Return background everywhere, "bolt" in the left half, "nut" in the right quarter."""
    classes = np.zeros((64, 64), int)
    classes[:, :32], classes[:, 48:] = 1, 2
    return classes


@case
def segmentation():
    """Logits of background and two labels."""
    logits = np.where(planes()[None] == np.arange(3)[:, None, None], 5.0, 0.0)
    return fixed({"out": f32(logits[None])}), {"labels.txt": NAMES}, {"areas": [64 * 64, 32 * 64], "labels": NAMES}


@case
def segmentation_classes():
    """The class of each pixel."""
    return fixed({"mask": planes()[None]}), {"labels.txt": NAMES}, {"areas": [64 * 64, 32 * 64], "labels": NAMES}


@case
def segmentation_without_background():
    """As many planes as labels."""
    logits = np.where(planes()[None] == np.arange(3)[:, None, None], 5.0, 0.0)
    names = ["ground", *NAMES]
    return fixed({"out": f32(logits[None])}), {"labels.txt": names}, {"areas": [32 * 64, 64 * 64, 32 * 64], "labels": names}


def of_red() -> dict:
    """Return the answer of a classifier by mean colour for the red image."""
    powers = np.exp(4 * np.array([200, 20, 20]) / 255)
    return {"objects": [{"label": "red", "score": powers[0] / powers.sum()}], "image": "red.png"}


def by_colour(last=(), count=3, inputs=(1, 3, 32, 32), kind=TensorProto.FLOAT) -> bytes:
    """Return a classifier by mean colour: logits are 4 / 255 times the mean of red, green, blue."""
    weights = np.eye(3, dtype=np.float32)[:, :count] * np.float32(4 / 255)
    nodes = [helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0), helper.make_node("MatMul", ["m", "w"], ["z" if last else "scores"])]
    nodes += [helper.make_node(kind_, ["z"], ["scores"]) for kind_ in last]
    shape = [inputs[0], count]
    return model(nodes, {"w": weights}, inputs, kind, "x", [helper.make_tensor_value_info("scores", kind, shape)])


@case
def one_score():
    """One score behind a sigmoid: that of the second label. The image is 200, 20, 20."""
    score = 1 / (1 + np.exp(-4 * 200 / 255))
    return by_colour(["Sigmoid"], 1), {"labels.txt": ["good", "bad"]}, {"objects": [{"label": "bad", "score": score}], "image": "red.png"}


@case
def one_logit():
    """One logit for two labels."""
    score = 1 / (1 + np.exp(-4 * 200 / 255))
    return by_colour([], 1), {"labels.txt": ["good", "bad"]}, {"objects": [{"label": "bad", "score": score}], "image": "red.png"}


@case
def several_labels():
    """A sigmoid for each class: only the first is above 0.6."""
    high, low = 1 / (1 + np.exp(-4 * 200 / 255)), 1 / (1 + np.exp(-4 * 20 / 255))
    objects = [{"label": name, "score": score} for name, score in (("red", high), ("green", low), ("blue", low))]
    return by_colour(["Sigmoid"]), {"labels.txt": ["red", "green", "blue"]}, {"objects": objects, "image": "red.png"}


@case
def wrong_label_count():
    """Three classes, two names."""
    return by_colour(["Softmax"]), {"labels.txt": ["red", "green"]}, {"undecided": "labels"}


@case
def deep_classifier():
    """Two convolutions: how pixels are normalised is not to be seen."""
    weights = {"a": np.ones((4, 3, 3, 3), np.float32) / 27, "b": np.ones((4, 4, 3, 3), np.float32) / 36, "w": np.ones((4, 3), np.float32)}
    nodes = [helper.make_node("Conv", ["x", "a"], ["c"]), helper.make_node("Relu", ["c"], ["d"]), helper.make_node("Conv", ["d", "b"], ["e"]),
             helper.make_node("GlobalAveragePool", ["e"], ["p"]), helper.make_node("Flatten", ["p"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["logits"])]
    made = model(nodes, weights, (1, 3, 32, 32), TensorProto.FLOAT, "x", [helper.make_tensor_value_info("logits", TensorProto.FLOAT, (1, 3))])
    return made, {"labels.txt": ["a", "b", "c"]}, {"undecided": "input.mean, input.scale"}


@case
def yolov5_of_its_own_exporter():
    """Metadata without a task: letterbox."""
    rows = np.concatenate([centres(letterboxed()), [[0.95], [0.8]], scores() / [[0.95], [0.8]]], 1)
    metadata = {"stride": "32", "names": str(dict(enumerate(NAMES)))}
    return fixed({"output0": f32(candidates(rows, 252)[None])}, metadata=metadata), {}, answer()


@case
def model_info():
    """Keys of Model API: red first, since its images have blue first and it reverses them."""
    metadata = {"model_info model_type": "Classification", "model_info labels": "red green blue", "model_info scale_values": "255",
                "model_info reverse_input_channels": "True"}
    weights = np.eye(3, dtype=np.float32) * 4
    nodes = [helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0), helper.make_node("MatMul", ["m", "w"], ["z"])]
    made = model(nodes, {"w": weights}, (1, 3, 32, 32), TensorProto.FLOAT, "x", [helper.make_tensor_value_info("z", TensorProto.FLOAT, (1, 3))], metadata)
    powers = np.exp(4 * np.array([200, 20, 20]) / 255)
    return made, {}, {"objects": [{"label": "red", "score": powers[0] / powers.sum()}], "image": "red.png"}


@case
def model_info_without_order():
    """Whether red or blue comes first is not said."""
    made, files, _ = model_info()
    return made.replace(b"True", b"None"), files, {"undecided": "input.channels"}


@case
def open_axes():
    """All axes open; logits, a hidden state and the class."""
    nodes = [helper.make_node("ReduceMean", ["pixel_values"], ["m"], axes=[2, 3], keepdims=0), helper.make_node("Mul", ["m", "k"], ["logits"]),
             helper.make_node("MatMul", ["m", "w"], ["h"]), helper.make_node("Unsqueeze", ["h", "axis"], ["last_hidden_state"]),
             helper.make_node("ArgMax", ["logits"], ["class_id"], axis=1, keepdims=0)]
    constants = {"k": np.array(4 / 255, np.float32), "w": np.ones((3, 8), np.float32), "axis": np.array([1])}
    values = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ("b", 1, 8)),
              helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("b", 3)), helper.make_tensor_value_info("class_id", TensorProto.INT64, ("b",))]
    made = model(nodes, constants, ("b", "c", "h", "w"), TensorProto.FLOAT, "pixel_values", values)
    powers = np.exp(4 * np.array([200, 20, 20]) / 255)
    return made, {"labels.txt": ["red", "green", "blue"]}, {"objects": [{"label": "red", "score": powers[0] / powers.sum()}], "image": "red.png"}


@case
def objectness_or_not():
    """Rows of cells without labels: 4 + 3 or 5 + 2 values."""
    rows = candidates(np.concatenate([centres(letterboxed()), [[0.9], [0.7]], scores()], 1), 84)
    return fixed({"output": f32(rows[None])}), {}, {"undecided": "outputs.columns"}


def libreyolo(family: str, **more) -> dict:
    """Return metadata as LibreYOLO writes them."""
    names = json.dumps({str(place): name for place, name in enumerate(NAMES)})
    return {"libreyolo_version": "1.6.0", "model_family": family, "task": "detect", "names": names, "imgsz_h": "64", "imgsz_w": "64"} | more


@case
def libreyolo_yolo9():
    """Edges where Ultralytics has centre and size; fitted into the upper left."""
    rows = candidates(np.concatenate([fitted(), scores()], 1), 84)
    return fixed({"output": f32(rows.T[None])}, metadata=libreyolo("yolo9", letterbox_pad="topleft")), {}, answer()


@case
def libreyolo_yolo9_centre():
    """The same with grey on both sides."""
    rows = candidates(np.concatenate([letterboxed(), scores()], 1), 84)
    return fixed({"output": f32(rows.T[None])}, metadata=libreyolo("yolo9", letterbox_pad="center")), {}, answer()


@case
def libreyolo_pad_unknown():
    """A place of the padding that nobody knows."""
    rows = candidates(np.concatenate([letterboxed(), scores()], 1), 84)
    return fixed({"output": f32(rows.T[None])}, metadata=libreyolo("yolo9", letterbox_pad="lower right")), {}, {"refused": "letterbox_pad"}


@case
def libreyolo_yolox():
    """Objectness, rows, fitted into the upper left."""
    rows = np.concatenate([centres(fitted()), [[0.95], [0.8]], scores() / [[0.95], [0.8]]], 1)
    return fixed({"output": f32(candidates(rows, 84)[None])}, metadata=libreyolo("yolox")), {}, answer()


@case
def libreyolo_rtmdet():
    """Edges in rows, fitted into the upper left."""
    rows = candidates(np.concatenate([fitted(), scores()], 1), 84)
    return fixed({"output": f32(rows[None])}, metadata=libreyolo("rtmdet")), {}, answer()


@case
def libreyolo_picodet():
    """Edges in rows, stretched."""
    rows = candidates(np.concatenate([stretched(), scores()], 1), 85)
    return fixed({"output": f32(rows[None])}, metadata=libreyolo("picodet")), {}, answer()


@case
def libreyolo_dfine():
    """Queries, stretched."""
    outputs = {"pred_logits": f32(logit(scores())[None]), "pred_boxes": f32(centres(fractions())[None])}
    return fixed(outputs, metadata=libreyolo("dfine")), {}, answer()


@case
def libreyolo_unknown():
    """A family whose pre-processing is not known."""
    rows = candidates(np.concatenate([letterboxed(), scores()], 1), 84)
    return fixed({"output": f32(rows.T[None])}, metadata=libreyolo("yolonas")), {}, {"refused": "yolonas"}


@case
def signed_input():
    """Pixels above 127 would wrap around in an input of 8 bits with a sign."""
    nodes = [helper.make_node("Cast", ["x"], ["c"], to=TensorProto.FLOAT), helper.make_node("ReduceMean", ["c"], ["scores"], axes=[2, 3], keepdims=0)]
    made = model(nodes, {}, (1, 3, 32, 32), TensorProto.INT8, "x", [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 3))])
    return made, {"labels.txt": ["red", "green", "blue"]}, {"refused": "0 to 255"}


@case
def softmax_of_opset_11():
    """A softmax over all pixels, which OpenVINO would take over the classes alone."""
    nodes = [helper.make_node("AveragePool", ["x"], ["m"], kernel_shape=[16, 16], strides=[16, 16]), helper.make_node("Softmax", ["m"], ["p"], axis=1),
             helper.make_node("ReduceSum", ["p"], ["scores"], axes=[2, 3], keepdims=0)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "twin", [value("x", TensorProto.FLOAT, (1, 3, 32, 32))], [value("scores", TensorProto.FLOAT, (1, 3))])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True), {"labels.txt": ["red", "green", "blue"]}, {"refused": "opset 11"}


@case
def ultralytics_ready_of_two():
    """Two classes: rows of six could be raw, but they are not as many as the grids have cells."""
    rows = np.zeros((300, 6))
    rows[:2] = np.concatenate([letterboxed(), OBJECTS[:, 4:]], 1)
    return fixed({"output0": f32(rows[None])}, metadata=ultralytics("detect")), {}, answer()


@case
def ultralytics_one_class_with_objectness():
    """One class: six values of each of the anchors' cells are no score and class behind NMS."""
    rows = candidates(np.concatenate([centres(letterboxed()), OBJECTS[:, 4:5], [[1.0], [1.0]]], 1), 252)
    metadata = ultralytics("detect") | {"names": "{0: 'thing'}"}
    found = answer()
    for item in found["objects"]:
        item["label"] = "thing"
    return fixed({"output0": f32(rows[None])}, metadata=metadata), {}, found


@case
def ultralytics_list_of_names():
    """The names as a list."""
    rows = candidates(np.concatenate([centres(letterboxed()), scores()], 1), 84)
    metadata = ultralytics("detect") | {"names": json.dumps(NAMES)}
    return fixed({"output0": f32(rows.T[None])}, metadata=metadata), {}, answer()


@case
def tensorflow_with_raw_outputs():
    """What the exporter of TensorFlow 2 adds: raw boxes and scores, anchors, scores of all classes."""
    boxes = fractions()[None, :, [1, 0, 3, 2]]
    outputs = {"detection_anchor_indices": f32([[3, 4]]), "detection_boxes": f32(boxes), "detection_classes": f32([[1, 2]]),
               "detection_multiclass_scores": f32([[[0.05, 0.9, 0.05], [0.1, 0.2, 0.7]]]), "detection_scores": f32(OBJECTS[None, :, 4]),
               "num_detections": f32([2]), "raw_detection_boxes": f32(np.tile(boxes, (1, 9, 1))), "raw_detection_scores": f32(np.full((1, 18, 3), 0.3))}
    return fixed(outputs, (1, 64, 64, 3), TensorProto.UINT8, "input_tensor"), {"labels.txt": NAMES}, answer()


@case
def tensorflow_in_pixels():
    """TensorFlow's Model Garden: edges in pixels of the input, classes as whole numbers."""
    outputs = {"detection_boxes": f32(stretched()[None, :, [1, 0, 3, 2]]), "detection_classes": np.array([[1, 2]], np.int32),
               "detection_scores": f32(OBJECTS[None, :, 4]), "num_detections": np.array([2], np.int32)}
    return fixed(outputs, (1, 64, 64, 3), TensorProto.UINT8, "inputs"), {"labels.txt": NAMES}, answer()


@case
def lists_from_zero():
    """Lists as torchvision has them, but class 0 is found."""
    outputs = {"boxes": f32(fractions()), "labels": np.array([0, 1]), "scores": f32(OBJECTS[:, 4])}
    return fixed(outputs), {"labels.txt": NAMES}, answer()


@case
def crossed_edges():
    """Centre and size, which cannot be edges."""
    outputs = {"boxes": f32(centres(stretched())[None]), "labels": np.array([[0, 1]]), "scores": f32(OBJECTS[None, :, 4])}
    return fixed(outputs), {"labels.txt": NAMES}, {"undecided": "outputs.box_format"}


@case
def unknown_detector():
    """A detector of no known form, two of whose outputs look like class scores."""
    outputs = {"box_scores": f32([[0.9, 0.7]]), "box_edges": f32([[1, 2, 3, 4, 5, 6, 7, 8]])}
    return fixed(outputs), {"labels.txt": NAMES}, {"refused": "no family"}


@case
def segmentation_of_one_plane():
    """Logits of one label."""
    logits = np.where(planes()[None] == 1, 5.0, -5.0)
    return fixed({"out": f32(logits[None])}), {"labels.txt": ["thing"]}, {"areas": [64 * 64], "labels": ["thing"]}


@case
def blue_first():
    """ONNX's own key for the order of the channels."""
    made = said(by_colour(), {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "NominalRange_0_255"})
    return made, {"labels.txt": ["blue", "green", "red"]}, of_red()


@case
def linear_light():
    """A brightness curve that images are not given."""
    return said(by_colour(), {"Image.ColorSpaceGamma": "Linear"}), {"labels.txt": ["red", "green", "blue"]}, {"refused": "Image.ColorSpaceGamma"}


@case
def numbered_labels():
    """Labels with numbers, a byte order mark and line ends of Windows."""
    return by_colour(), {"labels.txt": "\ufeff0 red\r\n1 green\r\n2 blue\r\n\r\n"}, of_red()


@case
def names_in_metadata():
    """Names of a classifier as a list of JSON."""
    return said(by_colour(), {"class_names": '["red", "green", "blue"]'}), {}, of_red()


@case
def too_few_names_in_metadata():
    """Two names for three classes."""
    return said(by_colour(), {"names": "{0: 'red', 1: 'green'}"}), {}, {"undecided": "labels"}


@case
def model_info_without_type():
    """Keys of Model API for the image alone."""
    made, files, found = model_info()
    loaded = ModelProto.FromString(made)
    kept = [entry for entry in loaded.metadata_props if "model_type" not in entry.key]
    del loaded.metadata_props[:]
    loaded.metadata_props.extend(kept)
    return loaded.SerializeToString(deterministic=True), files, found


@case
def model_info_with_a_word():
    """A switch that is neither on nor off."""
    made, files, _ = model_info()
    return made.replace(b"True", b"Half"), files, {"config": "reverse_input_channels"}


def main() -> None:
    """Write all cases."""
    out = Path(sys.argv[1])
    expected = {}
    for name, function in CASES.items():
        made, files, found = function()
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(made)
        for file, content in files.items():
            text = "\n".join(content) if file.endswith(".txt") else json.dumps(content, indent=1)
            (folder / file).write_text(content if isinstance(content, str) else text + "\n")
        expected[name] = {"about": function.__doc__.strip()} | found
    Image.fromarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)).save(out / "p.png")
    Image.fromarray(np.full((20, 40, 3), [200, 20, 20], np.uint8)).save(out / "red.png")
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
