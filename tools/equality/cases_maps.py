"""Semantic segmentation, anomaly tasks and key points."""

import cv2
import numpy as np

from sdk import Case, Task, info, label, labels

PROJECT = labels("road", "river", "No object")


def soft(classes: np.ndarray, planes: int = 3, sure: float = 0.8) -> np.ndarray:
    """Return scores whose best class is the one given for each pixel."""
    rng = np.random.default_rng(3)
    scores = rng.random((planes, *classes.shape)).astype(np.float32) * (1 - sure) / 2
    for plane in range(planes):
        scores[plane][classes == plane] = sure + rng.random() * 0.1
    return np.round(scores, 3)[None].astype(np.float32)


def regions() -> np.ndarray:
    """Return a map of classes with several regions, one of them with a hole."""
    classes = np.zeros((18, 20), np.uint8)
    cv2.circle(classes, (6, 6), 4, 1, -1)
    classes[5:8, 5:8] = 0
    classes[10:16, 9:18] = 2
    classes[12, 12] = 1
    classes[1:3, 14:19] = 1
    return classes


def seg(name: str, about: str, output: np.ndarray, project: list[dict] = PROJECT, **entries) -> Case:
    """Return a case of semantic segmentation."""
    case, more = entries.pop("case", {}), entries.pop("outputs", {})
    entries.setdefault("return_soft_prediction", True)
    entries.setdefault("soft_threshold", 0.5)
    entries.setdefault("blur_strength", -1)
    return Case(name, about, [Task("segmentation", info("Segmentation", project, **entries), project,
                                   {"output": output} | more)], **case)


def segmentation() -> list[Case]:
    """Return cases of semantic segmentation."""
    same = labels("road", "road", "No object")
    dot, line, tie = (np.zeros((8, 8), np.uint8) for _ in range(3))
    dot[3, 3] = 1
    line[4, 1:7] = 2
    line[1:3, 1:3] = 1
    flat = np.full((1, 3, 8, 8), 0.25, np.float32)
    flat[0, 1:, 2:6, 2:6] = 0.5
    hard = regions()[None]
    noise = np.round(np.random.default_rng(5).random((1, 3, 12, 12)), 3).astype(np.float32)
    block = np.zeros((8, 8), np.uint8)
    block[2:5, 3:6] = 1
    return [
        seg("regions", "two classes, a hole, an island", soft(regions())),
        seg("same_size", "a map of the size of the image", soft(regions()), case={"image": (20, 18)}),
        seg("shrunk", "an image smaller than the map", soft(regions()), case={"image": (11, 7)}),
        seg("noise", "scores without any structure", noise, case={"image": (30, 30)}),
        seg("blur", "smoothed by 5, threshold 0.5", soft(regions()), blur_strength=5),
        seg("blur_even", "smoothed by 4, threshold 0.3", soft(regions()), blur_strength=4, soft_threshold=0.3),
        seg("blur_high", "a threshold that nothing reaches", soft(regions()), blur_strength=3, soft_threshold=0.99),
        seg("blur_noise", "smoothed noise", noise, blur_strength=3, soft_threshold=0.45, case={"image": (30, 30)}),
        seg("background", "nothing but background", soft(np.zeros((8, 8), np.uint8))),
        seg("dot", "a region of one pixel is dropped", soft(dot), case={"image": (8, 8)}),
        seg("line", "a region of one row is dropped", soft(line), case={"image": (8, 8)}),
        seg("tie", "equal scores: the first class", flat, case={"image": (16, 16)}),
        seg("one_pixel", "an image of 1 x 1", soft(regions()), case={"image": (1, 1)}),
        seg("large", "an image of 8000 x 4000", soft(block), case={"image": (8000, 4000)}),
        seg("same_name", "two labels of one name", soft(regions()), project=same, case={
            "ours": lambda sdk: sdk_with_ids(sdk, [same[0]] * 3 + [same[1]]),
            "differs": "the SDK looks labels up by name, so that the last of a name has all regions"}),
        seg("hard", "a map of classes without scores", hard, case={
            "image": (20, 18), "extra": {"as_soft": "same_size"},
            "differs": "ModelAPI fails on maps without scores; polygons are those of `same_size`"}),
        seg("explained", "the scores of each class as a map", soft(block), case={
            "image": (8, 8), "explain": True, "extra": {"shift_maps": 1},
            "differs": "the SDK gives each label the map of the class before it"},
            outputs={"feature_vector": np.ones((1, 4), np.float32)}),
    ]


def sdk_with_ids(found: list[dict], owners: list[dict]) -> list[dict]:
    """Return annotations with the labels of `owners`, one each."""
    assert len(found) == len(owners), len(found)
    return [item | {"labels": [item["labels"][0] | {"id": owner["id"], "name": owner["name"]}]}
            for item, owner in zip(found, owners)]


NORMAL = [label("Normal", 1), label("Anomalous", 2, anomalous=True)]


def anomaly_map() -> np.ndarray:
    """Return a raw map with two anomalous places, one of which touches itself."""
    raw = np.full((16, 16), 0.2, np.float32)
    raw[2:6, 2:7] = 0.9
    raw[9:12, 9:12] = 0.75
    raw[12:15, 12:15] = 0.8
    return np.round(raw + np.random.default_rng(1).random((16, 16)) * 0.05, 3).astype(np.float32)


def anomalous(name: str, about: str, kind: str, output: dict, project: list[dict] = NORMAL, **entries) -> Case:
    """Return a case of an anomaly task."""
    case = entries.pop("case", {})
    entries = {"image_threshold": 0.5, "pixel_threshold": 0.5, "normalization_scale": 1.0,
               "task": kind.removeprefix("anomaly_"), "labels": "Normal Anomaly", "label_ids": ""} | entries
    entries["task"] = {"anomaly": "classification"}.get(entries["task"], entries["task"])
    return Case(name, about, [Task(kind, info("AnomalyDetection", project, **entries), project, output)], **case)


def anomaly() -> list[Case]:
    """Return cases of the anomaly tasks."""
    raw = {"output": anomaly_map()[None, None]}
    calm = {"output": np.full((1, 1, 8, 8), 0.25, np.float32)}
    edge = {"output": np.full((1, 1, 4, 4), 0.5, np.float32)}
    renamed = [label("Fine", 1), label("Defect", 2, anomalous=True)]
    new = {"pred_score": np.array([[0.9]], np.float32), "pred_label": np.array([[True]]),
           "pred_mask": (anomaly_map() > 0.5)[None, None], "anomaly_map": anomaly_map()[None, None]}
    fine = new | {"pred_score": np.array([[0.2]], np.float32), "pred_label": np.array([[False]])}

    def rescaled(sdk: list[dict]) -> list[dict]:
        return [item | {"labels": [item["labels"][0] | {"probability": item["labels"][0]["probability"] / 255}]}
                for item in sdk]

    def relabelled(owner: dict, probability: float):
        return lambda sdk: [item | {"labels": [{"id": owner["id"], "name": owner["name"], "probability": probability}]}
                            for item in sdk]

    scale = "probabilities of the SDK's regions run to 255"
    return [
        anomalous("class_anomalous", "an anomalous image", "anomaly_classification", raw),
        anomalous("class_normal", "a normal image", "anomaly_classification", calm),
        anomalous("class_edge", "a score at the threshold is normal", "anomaly_classification", edge),
        anomalous("class_scaled", "another threshold and scale", "anomaly_classification", raw,
                  image_threshold=0.7, normalization_scale=2.5),
        anomalous("plain_anomaly", "the newer name of the task", "anomaly", raw),
        anomalous("class_large", "an image of 8000 x 4000", "anomaly_classification", raw, case={"image": (8000, 4000)}),
        anomalous("class_nan", "a map with a hole", "anomaly_classification",
                  {"output": np.array([[[[0.1, np.nan], [0.2, 0.3]]]], np.float32)},
                  case={"error": "`output` holds NaN", "differs": "the SDK gives a probability of NaN"}),
        anomalous("renamed", "labels with names of their own", "anomaly_classification", raw, project=renamed,
                  labels="Fine Defect", case={
                      "ours": lambda sdk: relabelled(renamed[1], sdk[0]["labels"][0]["probability"])(sdk),
                      "differs": "the SDK compares the label's name with `anomalous`"}),
        anomalous("new_export", "a model that does everything itself", "anomaly_classification", new, case={
            "ours": relabelled(NORMAL[1], 0.9), "differs": "the SDK takes the label `True` for normal"}),
        anomalous("new_export_normal", "a model that does everything itself, a normal image", "anomaly_classification",
                  fine, case={"ours": relabelled(NORMAL[0], 0.8),
                              "differs": "the SDK gives the score of an anomaly to the normal label"}),
        anomalous("regions", "anomalous regions", "anomaly_segmentation", raw, case={
            "ours": rescaled, "differs": scale}),
        anomalous("regions_same_size", "regions at the map's size", "anomaly_segmentation", raw, case={
            "image": (16, 16), "ours": rescaled, "differs": scale}),
        anomalous("regions_none", "no anomalous region", "anomaly_segmentation", calm),
        anomalous("boxes", "anomalous places as boxes", "anomaly_detection", raw),
        anomalous("boxes_none", "no anomalous place", "anomaly_detection", calm),
        anomalous("boxes_normal", "anomalous places in an image that is normal as a whole", "anomaly_detection", raw,
                  image_threshold=0.97, case={
                      "ours": lambda sdk: [item | {"labels": [item["labels"][0] | {
                          "probability": 1 - item["labels"][0]["probability"]}]} for item in sdk],
                      "differs": "the SDK gives the probability of a normal image to the anomalous label"}),
        anomalous("one_pixel", "an image of 1 x 1", "anomaly_detection", raw, case={"image": (1, 1)}),
        anomalous("explained", "the anomaly map", "anomaly_classification", raw, case={
            "explain": True, "image": (9, 7)}),
    ]


POINTS = labels("nose", "left eye", "tail")


def axis(bins: int, *peaks: tuple[int, float]) -> np.ndarray:
    """Return one row for each peak: its bin and its height, the rest is small."""
    rows = np.full((1, len(peaks), bins), 0.001, np.float32)
    for row, (place, height) in enumerate(peaks):
        rows[0, row, place] = height
        rows[0, row, (place + 1) % bins] = height * 0.995
    return rows


def points(name: str, about: str, across: np.ndarray, down: np.ndarray, project: list[dict] = POINTS, **entries) -> Case:
    """Return a case of key point detection."""
    case = entries.pop("case", {})
    return Case(name, about, [Task("keypoint_detection", info("keypoint_detection", project, **entries), project,
                                   {"simcc_x": across, "simcc_y": down})], **case)


def keypoints() -> list[Case]:
    """Return cases of key point detection."""
    across, down = axis(64, (10, 0.8), (31, 0.6), (50, 0.9)), axis(64, (20, 0.7), (5, 0.9), (63, 0.3))
    lost = axis(64, (20, 0.7), (5, 0.9), (63, 0.3))
    lost[0, 1] = -0.5
    one = [labels("nose")[0]]
    return [
        points("three", "softmax scores", across, down),
        points("raw_scores", "raw scores", across, down, apply_softmax=False),
        points("letterbox", "proportions kept, centred", across, down, resize_type="fit_to_window_letterbox",
               case={"image": (90, 41)}),
        points("window", "proportions kept", across, down, resize_type="fit_to_window", case={"image": (90, 41)}),
        points("lost", "a point without any score", across, lost, apply_softmax=False, case={
            "ours": lambda sdk: [item | {"labels": [scored | {"probability": max(scored["probability"], 0.0)}
                                                    for scored in item["labels"]]} for item in sdk],
            "differs": "the SDK gives a negative probability"}),
        points("tie", "two bins of one height", np.repeat(across[:, :, ::2], 2, axis=2), down),
        points("large", "an image of 8000 x 4000", across, down, case={"image": (8000, 4000)}),
        points("one", "a single point", axis(64, (10, 0.8)), axis(64, (20, 0.7)), project=one, apply_softmax=False, case={
            "ours": lambda _: [{"shape": {"type": "KEYPOINT", "x": 10.0, "y": 15.0}, "labels": [
                {"id": one[0]["id"], "name": "nose", "probability": 0.7}]}],
            "differs": "the SDK squeezes the only point away and fails"}),
    ]


def cases() -> dict[str, list[Case]]:
    """Return all cases by task."""
    return {"segmentation": segmentation(), "anomaly": anomaly(), "keypoint_detection": keypoints()}
