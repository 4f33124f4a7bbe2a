"""A small detector of dogs on the demo's backbone, and scenes to train and to try it with.

A scene is four of the demo's photos side by side, or one large photo with a smaller one on it. The
detector follows OverFeat (Sermanet et al. 2014, section 3.3): linear classifiers of the mean
feature of a window, in every window of several sizes, all of it in the graph. Their weights are
fitted on scenes with views of the one dog of the demo; they are tried on scenes made with another
seed: other crops, other places, other neighbours. A dog much smaller than the smallest window is
too small for it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from openvino import opset13 as ops
from sklearn.linear_model import LogisticRegression

#: Pixels on a side of the model's input and of a scene.
SIDE = 448
#: Pixels between two cells of the feature map.
STRIDE = 32
#: Sides of the windows, in cells; each has a classifier of its own.
WINDOWS = (7, 10, 14)
#: The last node of the backbone, with 1280 channels.
FEATURES = "/_swish_1/Clip"
#: Photos that the dog is shown among.
OTHERS = sorted(
    [f"farm_animal/{name}" for name in ("cat", "chicken", "cow", "duck", "horse", "pig", "sheep")]
    + [f"other/{name}" for name in ("bucket", "chair", "cup", "knife", "pan", "pillow", "plate")]
    + [f"wild_animal/{name}" for name in ("bison", "giraffe", "jaguar", "koala", "moose", "panda")]
)
#: Identifiers of the labels in the project.
DOG, NOTHING = "d09d09d09d09d09d09d09d09", "d09d09d09d09d09d09d09d00"


@dataclass
class Scene:
    """A picture (height x width x BGR, u8) and the dog in it (x1, y1, x2, y2), if there is one."""

    picture: np.ndarray
    dog: tuple[int, int, int, int] | None


class Scenes:
    """Makes scenes of the demo's photos; the same seed makes the same."""

    def __init__(self, demo, seed):
        self.photos = {
            name: cv2.imread(str(demo / f"photos/{name}.webp"))
            for name in [*OTHERS, "farm_animal/dog"]
        }
        self.random = np.random.default_rng(seed)

    def view(self, name, side):
        """A photo, cropped a little, perhaps mirrored, lighter or darker."""
        photo = self.photos[name]
        height, width = photo.shape[:2]
        top, left = (int(self.random.integers(0, 1 + part // 12)) for part in (height, width))
        below, right = (int(self.random.integers(0, 1 + part // 12)) for part in (height, width))
        photo = photo[top : height - below, left : width - right]
        photo = photo[:, ::-1] if self.random.random() < 0.5 else photo
        photo = cv2.convertScaleAbs(photo, alpha=float(self.random.uniform(0.8, 1.2)))
        return cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)

    def four(self, with_dog):
        """Four photos side by side; one of them may be the dog."""
        names = [str(name) for name in self.random.choice(OTHERS, 4, replace=False)]
        half, place = SIDE // 2, int(self.random.integers(4))
        if with_dog:
            names[place] = "farm_animal/dog"
        tiles = [self.view(name, half) for name in names]
        picture = np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])
        x, y = place % 2 * half, place // 2 * half
        return Scene(picture, (x, y, x + half, y + half) if with_dog else None)

    def on_another(self, side):
        """A photo that fills the picture, and on it the dog, with this side in pixels."""
        picture = self.view(str(self.random.choice(OTHERS)), SIDE)
        x, y = (int(value) for value in self.random.integers(0, SIDE - side + 1, 2))
        picture[y : y + side, x : x + side] = self.view("farm_animal/dog", side)
        return Scene(picture, (x, y, x + side, y + side))

    def training(self, count=90):
        """Scenes to fit on: with a dog of each size, and as many without."""
        made = []
        for index in range(count):
            kind = index % 6
            if kind < 2:
                made.append(self.on_another((SIDE, 320)[kind]))
            else:
                made.append(self.four(with_dog=kind < 4))
        return made


def overlap(one, other):
    """Intersection over union of two boxes (x1, y1, x2, y2)."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def backbone(demo):
    """The demo's model up to its feature map, for larger images: feature map and inputs."""
    model = ov.Core().read_model(next((demo / "deployment").glob("*/model/model.xml")))
    node = next(node for node in model.get_ops() if node.get_friendly_name() == FEATURES)
    cut = ov.Model([node.output(0)], model.get_parameters(), "backbone")
    cut.reshape([1, 3, SIDE, SIDE])
    return node.output(0), cut.get_parameters()


def windows(size):
    """Corners in pixels of all windows of this size: [windows, 4], in the order of `pooled`."""
    places = range(SIDE // STRIDE - size + 1)
    boxes = [(x, y, x + size, y + size) for y in places for x in places]
    return np.array(boxes, np.float32) * STRIDE


def pooled(features, size):
    """The node of the mean feature of every window of a size: [windows, 1280]."""
    means = ops.avg_pool(features, [1, 1], [0, 0], [0, 0], [size, size], False)
    flat = ops.reshape(means, np.array([1280, -1]), False)
    return ops.transpose(flat, np.array([1, 0]))


def fit(demo, scenes):
    """For each size of window the weights [1280, 1] and the bias of a linear classifier."""
    features, inputs = backbone(demo)
    model = ov.Model([ops.result(pooled(features, size)) for size in WINDOWS], inputs, "windows")
    look = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    rows, labels = [[] for _ in WINDOWS], [[] for _ in WINDOWS]
    for scene in scenes:
        rgb = cv2.cvtColor(scene.picture, cv2.COLOR_BGR2RGB).astype(np.float32)
        means = look(((rgb - 127) / 128).transpose(2, 0, 1)[None])
        for index, size in enumerate(WINDOWS):
            boxes = windows(size)
            shares = np.array([overlap(box, scene.dog) if scene.dog else 0.0 for box in boxes])
            # What lies between is neither: such windows teach nothing.
            sure = (shares > 0.7) | (shares < 0.5)
            rows[index].append(means[index][sure])
            labels[index].append(shares[sure] > 0.7)
    return [linear(np.concatenate(x), np.concatenate(y)) for x, y in zip(rows, labels, strict=True)]


def linear(rows, labels):
    """The weights and the bias of a logistic regression."""
    classifier = LogisticRegression(C=0.1, class_weight="balanced", max_iter=500)
    classifier.fit(rows, labels)
    return classifier.coef_.T.astype(np.float32), classifier.intercept_.astype(np.float32)[None]


def detector(demo, classifiers):
    """The model: `boxes` [1, windows, 5], `labels` [1, windows], and a feature vector [1, 1280]."""
    features, inputs = backbone(demo)
    logits = [
        ops.add(ops.matmul(pooled(features, size), ops.constant(weights), False, False), bias)
        for size, (weights, bias) in zip(WINDOWS, classifiers, strict=True)
    ]
    scores = ops.sigmoid(ops.concat(logits, 0))
    corners = ops.constant(np.concatenate([windows(size) for size in WINDOWS]))
    boxes = ops.unsqueeze(ops.concat([corners, scores], 1), np.array(0))
    nothing = ops.multiply(ops.unsqueeze(scores, np.array(0)), np.float32(0))
    labels = ops.convert(ops.squeeze(nothing, np.array([2])), "i64")
    vector = ops.reduce_mean(features, np.array([2, 3]), keep_dims=False)
    named = {"boxes": boxes, "labels": labels, "feature_vector": vector}
    for name, node in named.items():
        node.output(0).set_names({name})
    return ov.Model([ops.result(node) for node in named.values()], inputs, "dogs")


def write_deployment(demo, folder, name, scenes):
    """Fits the detector on scenes and writes a deployment of a project of this name."""
    model = detector(demo, fit(demo, scenes))
    info = {
        "model_type": "ssd",
        "labels": "dog",
        "label_ids": DOG,
        "confidence_threshold": "0.5",
        "resize_type": "standard",
        "mean_values": "127.0 127.0 127.0",
        "scale_values": "128.0 128.0 128.0",
        "reverse_input_channels": "False",
        "nms_execute": "True",
        "iou_threshold": "0.1",
    }
    for key, value in info.items():
        model.set_rt_info(value, ["model_info", key])
    task = folder / "Detection"
    (task / "model").mkdir(parents=True)
    ov.save_model(model, task / "model/model.xml")
    said = json.loads(next((demo / "deployment").glob("*/model.json")).read_text())
    said |= {"name": "Windows on EfficientNet-Lite0", "performance": {"score": 1.0}}
    said |= {"id": "d09" * 8, "model_group_id": "d0a" * 8}
    (task / "model.json").write_text(json.dumps(said))
    (task / "model/config.json").write_text("{}")
    (folder / "project.json").write_text(json.dumps(project(name)))


def project(name):
    """A project with one detection task."""
    labels = [
        {"id": DOG, "name": "dog", "color": "#cc6600ff", "is_empty": False},
        {"id": NOTHING, "name": "No object", "color": "#808080ff", "is_empty": True},
    ]
    common = {"group": "dogs", "is_anomalous": False, "hotkey": "", "parent_id": None}
    tasks = [
        {"id": "d01" * 8, "title": "Dataset", "task_type": "dataset"},
        {"id": "d02" * 8, "title": "Detection", "task_type": "detection"},
    ]
    tasks[1]["labels"] = [label | common for label in labels]
    return {
        "id": "d03" * 8,
        "name": name,
        "creation_time": "2026-01-01T00:00:00.000000+00:00",
        "datasets": [{"id": "d04" * 8, "name": "Dataset", "use_for_training": True}],
        "pipeline": {
            "tasks": tasks,
            "connections": [{"from": tasks[0]["id"], "to": tasks[1]["id"]}],
        },
    }


def write_coco(folder, scenes):
    """Writes scenes in COCO's layout; those without a dog have no annotation."""
    (folder / "images/val2017").mkdir(parents=True)
    (folder / "annotations").mkdir()
    images, annotations = [], []
    for index, scene in enumerate(scenes):
        file = f"{index:012}.jpg"
        cv2.imwrite(str(folder / "images/val2017" / file), scene.picture)
        height, width = scene.picture.shape[:2]
        images.append({"id": index, "file_name": file, "width": width, "height": height})
        if scene.dog:
            x, y, right, bottom = scene.dog
            box = {"bbox": [x, y, right - x, bottom - y], "area": (right - x) * (bottom - y)}
            about = {"id": index, "image_id": index, "category_id": 1, "iscrowd": 0}
            annotations.append(about | box)
    text = {"images": images, "annotations": annotations}
    text["categories"] = [{"id": 1, "name": "dog"}]
    (Path(folder) / "annotations/instances_val2017.json").write_text(json.dumps(text))
