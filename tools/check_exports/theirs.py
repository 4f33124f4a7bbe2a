"""Reads what Straylight wrote, with the tools for which it was written."""

import json
import os
import pathlib
import shutil
import tempfile

import numpy as np

from . import truth


class Missing(Exception):
    """A tool is not installed."""


def need(name):
    """A module, or `Missing`."""
    try:
        return __import__(name, fromlist=["x"])
    except ImportError as error:
        raise Missing(error) from error


def same(found, wanted, what, within=0.02):
    assert len(found) == len(wanted), f"{what}: {found} instead of {wanted}"
    off = max((abs(a - b) for a, b in zip(found, wanted, strict=True)), default=0)
    assert off <= within, f"{what}: {found} instead of {wanted}"


def same_mask(found, wanted, what, within=0):
    found = np.asarray(found, bool)
    assert found.shape == wanted.shape, f"{what}: {found.shape}"
    off = int((found ^ wanted).sum())
    assert off <= within, f"{what}: {off} pixels differ"


def same_objects(found, kind, masks=False, within=0.02, pixels=0):
    """Compares `{place: [(class, box, mask or None)]}` with the truth, in any order of objects."""
    wanted = truth.SETS[kind]
    assert found.keys() == wanted.keys(), f"images {sorted(found)}"
    for place, things in wanted.items():
        objects = sorted(found[place], key=lambda one: (one[0], *one[1]))
        things = sorted(things, key=lambda one: (one.name, *one.box))
        classes = [one[0] for one in objects]
        assert classes == [thing.name for thing in things], f"{place}: classes {classes}"
        for (_, box, mask), thing in zip(objects, things, strict=True):
            if thing.box:
                same(box, thing.box, f"box on {place}", within)
            if masks:
                same_mask(mask, thing.pixels(), f"mask on {place}", pixels)


def pycocotools(out, kind):
    """Boxes, masks and key points, and an evaluation of the set against itself."""
    coco_module, eval_module = need("pycocotools.coco"), need("pycocotools.cocoeval")
    name = "person_keypoints" if kind == "points" else "instances"
    found, points = {}, []
    for file in sorted((out / "annotations").glob(f"{name}_*.json")):
        coco = coco_module.COCO(str(file))
        names = {one["id"]: one["name"] for one in coco.loadCats(coco.getCatIds())}
        subset = file.stem.removeprefix(f"{name}_")
        for image in coco.loadImgs(coco.getImgIds()):
            place = f"{subset}/{pathlib.Path(image['file_name']).stem}"
            ones = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
            masks = [coco.annToMask(one) if one["segmentation"] else None for one in ones]
            classes = [truth.NAMES.index(names[one["category_id"]]) for one in ones]
            found[place] = [(c, one["bbox"], m) for c, one, m in zip(classes, ones, masks)]
            points += [one["keypoints"] for one in ones if "keypoints" in one]
        evaluate(coco, eval_module.COCOeval, "keypoints" if kind == "points" else "bbox")
    same_objects(found, kind, masks=kind in ("polygons", "masks"), within=1e-6)
    if kind == "points":
        things = [thing for things in truth.POINTS.values() for thing in things]
        flat = [[n for point in thing.points for n in point] for thing in things]
        assert points == flat, points


def evaluate(coco, evaluation, what):
    results = [{**one, "score": 1.0} for one in coco.loadAnns(coco.getAnnIds())]
    if not results:
        return
    judged = evaluation(coco, coco.loadRes(results), what)
    if what == "keypoints":
        judged.params.kpt_oks_sigmas = np.full(len(truth.SKELETON["labels"]), 0.05)
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    assert abs(judged.stats[0] - 1) < 1e-9, f"average precision {judged.stats[0]}"


def datumaro(out, form, kind):
    module = need("datumaro")
    dataset = module.Dataset.import_from(str(out), form)
    labels = dataset.categories()[module.AnnotationType.label]
    found, points = {}, 0
    for item in dataset:
        place = f"{item.subset}/{pathlib.Path(item.id).name}"
        found[place] = []
        merged = {}
        is_box = [one.type == module.AnnotationType.bbox for one in item.annotations]
        for one, box in zip(item.annotations, is_box, strict=True):
            # Datumaro makes a box and a shape of one object.
            if box and kind in ("polygons", "masks") and not all(is_box):
                continue
            if one.type == module.AnnotationType.label and kind != "labels":
                continue
            name = truth.NAMES.index(labels[one.label].name)
            if one.type == module.AnnotationType.points:
                points += 1
            elif one.type == module.AnnotationType.label:
                found[place].append((name, (), None))
            else:
                merged.setdefault((name, one.group or id(one)), []).append(one)
        for (name, _), parts in merged.items():
            found[place].append((name, box_of(parts), mask_of(parts)))
    same_objects(found, kind, masks=kind in ("polygons", "masks"))
    wanted = sum(bool(thing.points) for things in truth.SETS[kind].values() for thing in things)
    assert points == wanted, f"{points} objects with key points"


def box_of(parts):
    boxes = np.array([part.get_bbox() for part in parts], float)
    left, top = boxes[:, :2].min(0)
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(0)
    return left, top, right - left, bottom - top


def mask_of(parts):
    inside = np.zeros((truth.HEIGHT, truth.WIDTH), bool)
    for part in parts:
        if hasattr(part, "image"):
            inside |= np.asarray(part.image, bool)
        elif hasattr(part, "points"):
            ring = np.array(part.points)
            xs, ys = ring[0::2].round().astype(int), ring[1::2].round().astype(int)
            inside[ys.min() : ys.max(), xs.min() : xs.max()] = True
    return inside


def supervision(out, form, kind):
    """The sets of the tool, one a subset."""
    sv = need("supervision")
    found = {}
    for subset in ("train", "val"):
        images = str(out / "images" / subset)
        masks = {"force_masks": kind in ("polygons", "masks")}
        if form == "coco":
            file = out / "annotations" / f"instances_{subset}.json"
            dataset = sv.DetectionDataset.from_coco(images, str(file), **masks)
        elif form == "yolo":
            labels, yaml = str(out / "labels" / subset), str(out / "data.yaml")
            dataset = sv.DetectionDataset.from_yolo(images, labels, yaml, **masks)
        else:
            images, labels = str(out / "JPEGImages"), str(out / "Annotations")
            dataset = sv.DetectionDataset.from_pascal_voc(images, labels)
        for path, _, ones in dataset:
            place = next(p for p in truth.SETS[kind] if p.endswith("/" + pathlib.Path(path).stem))
            classes = [truth.NAMES.index(dataset.classes[number]) for number in ones.class_id]
            boxes = [(x, y, r - x, b - y) for x, y, r, b in ones.xyxy.tolist()]
            each = ones.mask if ones.mask is not None else [None] * len(boxes)
            found[place] = list(zip(classes, boxes, each, strict=True))
    # The tool takes the border pixels of a polygon for its inside, and pixels of VOC from 1.
    masks, within = kind in ("polygons", "masks"), 1.01 if form == "voc" else 0.02
    same_objects(found, kind, masks=masks and form != "voc", within=within, pixels=80)


def ultralytics(out, kind, task=None):
    """The tool's own check, and its labels; from another folder, after the set was moved."""
    data_module, utils = need("ultralytics.data"), need("ultralytics.data.utils")
    config = need("ultralytics.cfg")
    moved = out.with_name(out.name + "_moved")
    shutil.move(out, moved)
    os.chdir(tempfile.gettempdir())
    data = utils.check_det_dataset(str(moved / "data.yaml"), autodownload=False)
    assert list(data["names"].values()) == truth.NAMES, data["names"]
    task = task or {"polygons": "segment", "points": "pose"}.get(kind, "detect")
    arguments = config.get_cfg(overrides={"task": task})
    found, size = {}, np.array([truth.WIDTH, truth.HEIGHT] * 2)
    for subset in ("train", "val"):
        part = data_module.build_yolo_dataset(arguments, str(data[subset]), 1, data, mode="val")
        for label in part.labels:
            place = f"{subset}/{pathlib.Path(label['im_file']).stem}"
            boxes = label["bboxes"] * size
            boxes[:, :2] -= boxes[:, 2:] / 2
            classes = label["cls"][:, 0].astype(int).tolist()
            found[place] = [(c, tuple(b), None) for c, b in zip(classes, boxes.tolist())]
            if kind == "points":
                wanted = [point for thing in truth.POINTS[place] for point in thing.points]
                seen = label["keypoints"].reshape(-1, 3) * [truth.WIDTH, truth.HEIGHT, 1]
                same(seen.ravel().tolist(), [n for p in wanted for n in p], place)
    same_objects(found, kind)
    return moved


def ultralytics_trains(moved, model):
    """One epoch of a model that is made anew, so that nothing is downloaded."""
    need("ultralytics").YOLO(model).train(
        data=str(moved / "data.yaml"), epochs=1, imgsz=64, batch=2, workers=0, device="cpu",
        project=str(moved.parent), name="run_" + moved.name, verbose=False, plots=False,
    )


def tree(out):
    found = {
        f"{path.parts[-3]}/{path.stem}": path.parent.name for path in out.rglob("*.png")
    }
    wanted = {place: truth.NAMES[things[0].name] for place, things in truth.LABELS.items()}
    assert found == wanted, json.dumps(found)
