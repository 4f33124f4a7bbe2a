"""Sets of the truth that other tools write: each gives the folder, the set, and how to compare."""

import json
import pathlib

import numpy as np
from PIL import Image

from . import truth
from .theirs import need


def datumaro(form, kind, **options):
    def make(folder):
        module, annotation = need("datumaro"), need("datumaro.components.annotation")
        image = need("datumaro.components.media").Image
        items = []
        for place, things in truth.SETS[kind].items():
            subset, name = place.split("/")
            made = [one for number, thing in enumerate(things, 1) for one in of(annotation, thing, number, kind)]
            noise = np.full((truth.HEIGHT, truth.WIDTH, 3), 120, np.uint8)
            media = image.from_numpy(noise)
            items.append(module.DatasetItem(name, subset=subset, media=media, annotations=made))
        labels = annotation.LabelCategories.from_iterable(truth.NAMES)
        categories = {module.AnnotationType.label: labels}
        if kind == "masks":
            colors = annotation.MaskCategories.generate(len(truth.NAMES), include_background=False)
            categories[module.AnnotationType.mask] = colors
        dataset = module.Dataset.from_iterable(items, categories=categories, media_type=image)
        dataset.export(str(folder), form, save_media=True)
        return folder, kind, options

    return make


def of(annotation, thing, number, kind):
    common = {"label": thing.name, "id": number, "group": number, "attributes": {"is_crowd": False}}
    if not thing.box:
        return [annotation.Label(**common)]
    if kind == "masks":
        return [annotation.Mask(thing.pixels(), **common)]
    if thing.rings:
        return [annotation.Polygon(ring, **common) for ring in thing.rings]
    return [annotation.Bbox(*thing.box, **common)]


def supervision(form, kind, **options):
    """The tool has no subsets; its VOC counts pixels from 1."""

    def make(folder):
        sv = need("supervision")
        folder.mkdir()
        images, annotations = {}, {}
        for place, things in truth.SETS[kind].items():
            path = folder / f"{place.split('/')[1]}.png"
            Image.new("RGB", (truth.WIDTH, truth.HEIGHT), (9, 9, 9)).save(path)
            images[str(path)] = np.asarray(Image.open(path))
            annotations[str(path)] = detections(sv, things, kind)
        dataset = sv.DetectionDataset(truth.NAMES, list(images), annotations)
        out = folder / "out"
        if form == "coco":
            dataset.as_coco(str(out / "images"), str(out / "annotations.json"))
        elif form == "yolo":
            dataset.as_yolo(str(out / "images"), str(out / "labels"), str(out / "data.yaml"))
        elif form == "labelme":
            dataset.as_labelme(str(out), str(out))
        else:
            dataset.as_pascal_voc(str(out / "JPEGImages"), str(out / "Annotations"))
        return out, kind, {"anywhere": True, **options}

    return make


def detections(sv, things, kind):
    if not things:
        return sv.Detections.empty()
    boxes = np.array([thing.box for thing in things], float)
    boxes[:, 2:] += boxes[:, :2]
    classes = np.array([thing.name for thing in things])
    masks = np.array([thing.pixels() for thing in things]) if kind != "boxes" else None
    return sv.Detections(xyxy=boxes, class_id=classes, mask=masks)


def label_studio(folder):
    """Masks packed by Label Studio's own packer, boxes and polygons in parts of a hundred."""
    brush = need("label_studio_sdk.converter.brush")
    folder.mkdir()
    tasks = []
    for place, things in truth.MASKS.items():
        name = place.split("/")[1]
        Image.new("RGB", (truth.WIDTH, truth.HEIGHT), (9, 9, 9)).save(folder / f"{name}.png")
        result = []
        for number, thing in enumerate(things):
            packed = [int(n) for n in brush.mask2rle(thing.pixels().astype(np.uint8) * 255)]
            labels = {"brushlabels": [truth.NAMES[thing.name]]}
            result.append({
                "id": f"r{number}", "type": "brushlabels", "from_name": "label", "to_name": "image",
                "original_width": truth.WIDTH, "original_height": truth.HEIGHT, "image_rotation": 0,
                "value": {"format": "rle", "rle": packed, **labels},
            })
        data = {"image": f"/data/upload/1/01234567-{name}.png"}
        tasks.append({"id": len(tasks), "data": data, "annotations": [{"id": 1, "result": result}]})
    (folder / "tasks.json").write_text(json.dumps(tasks))
    return folder, "masks", {"masks": True, "anywhere": True}


def pycocotools(folder):
    """Masks packed by pycocotools."""
    masks = need("pycocotools.mask")
    folder.mkdir()
    images, annotations = [], []
    for place, things in truth.MASKS.items():
        name = f"{place.split('/')[1]}.png"
        Image.new("RGB", (truth.WIDTH, truth.HEIGHT), (9, 9, 9)).save(folder / name)
        size = {"width": truth.WIDTH, "height": truth.HEIGHT}
        images.append({"id": len(images) + 1, "file_name": name, **size})
        for thing in things:
            packed = masks.encode(np.asfortranarray(thing.pixels().astype(np.uint8)))
            packed["counts"] = packed["counts"].decode()
            annotations.append({
                "id": len(annotations) + 1, "image_id": len(images), "category_id": thing.name + 1,
                "segmentation": packed, "bbox": list(thing.box), "iscrowd": 0,
                "area": float(thing.pixels().sum()),
            })
    categories = [{"id": number, "name": name} for number, name in enumerate(truth.NAMES, 1)]
    text = {"images": images, "annotations": annotations, "categories": categories}
    pathlib.Path(folder / "instances.json").write_text(json.dumps(text))
    return folder, "masks", {"masks": True, "anywhere": True}


EXPORTS = {
    "Datumaro's COCO, boxes": datumaro("coco", "boxes"),
    "Datumaro's COCO, masks": datumaro("coco_instances", "polygons", masks=True),
    "Datumaro's panoptic COCO": datumaro("coco_panoptic", "masks", masks=True),
    "Datumaro's Datumaro, boxes": datumaro("datumaro", "boxes"),
    "Datumaro's Datumaro, masks": datumaro("datumaro", "masks", masks=True),
    "Datumaro's Datumaro, labels": datumaro("datumaro", "labels"),
    "Datumaro's VOC, boxes": datumaro("voc", "boxes"),
    "Datumaro's VOC, masks": datumaro("voc", "masks", masks=True),
    "Datumaro's CVAT, boxes": datumaro("cvat", "boxes"),
    "Datumaro's CVAT, masks": datumaro("cvat", "masks", masks=True),
    "Datumaro's YOLO": datumaro("yolo", "boxes"),
    "Datumaro's YOLO for Ultralytics": datumaro("yolo_ultralytics", "boxes"),
    "Datumaro's Open Images, boxes": datumaro("open_images", "boxes"),
    "Datumaro's Open Images, masks": datumaro("open_images", "masks", masks=True),
    "Datumaro's KITTI": datumaro("kitti_detection", "boxes"),
    "Datumaro's tree": datumaro("imagenet_with_subset_dirs", "labels"),
    "supervision's COCO, boxes": supervision("coco", "boxes"),
    "supervision's YOLO, boxes": supervision("yolo", "boxes"),
    "supervision's VOC, boxes": supervision("voc", "boxes", within=1.01),
    "supervision's labelme, boxes": supervision("labelme", "boxes"),
    "Label Studio's brush": label_studio,
    "pycocotools' packed masks": pycocotools,
}
