"""Models of Ultralytics in all tasks; its code and exports stay out of the repository."""

from pathlib import Path

import torch
from common import few, letterboxed, model, seeded, spread_batchnorm
from PIL import Image
from torchvision.transforms.functional import to_tensor


def by_ultralytics(name: str, task: str, form: str = "onnx", **settings):
    """Register a model that Ultralytics exports and predicts with."""
    options = " ".join(f"{key}={value}" for key, value in settings.items())

    @model(f"ultralytics {name} {form} {options}".strip(), "ultralytics")
    def run(folder: Path, photos):
        import shutil

        from ultralytics import RTDETR, YOLO

        kind = RTDETR if "rtdetr" in name else YOLO
        settled = {} if kind is RTDETR else {"task": task}
        loaded = seeded(lambda: kind(f"{name}.yaml", **settled).model)
        side = 224 if task == "classify" else 320
        small = [to_tensor(letterboxed(photo, side))[None] for photo in photos]
        spread_batchnorm(loaded, photos, lambda image: to_tensor(image.resize((side, side), Image.Resampling.BILINEAR))[None])
        wake(loaded, small)
        yolo = kind(f"{name}.yaml", **settled)
        yolo.model.load_state_dict(loaded.state_dict())
        torch.save({"model": yolo.model, "train_args": {}}, folder / "w.pt")
        yolo = kind(str(folder / "w.pt"), **settled)
        plain = {} if form == "openvino" else {"simplify": False}
        made = Path(yolo.export(format=form, imgsz=side, device="cpu", verbose=False, **plain, **settings))
        found = kind(str(made), **settled)
        result = {photo.name: read(found.predict(photo, imgsz=side, device="cpu", verbose=False)[0], task) for photo in photos}
        if made.is_dir():
            for file in made.iterdir():
                shutil.move(str(file), folder / ("model" + file.suffix if file.suffix in (".xml", ".bin") else file.name))
            made.rmdir()
        else:
            made.rename(folder / "model.onnx")
        (folder / "w.pt").unlink()
        return result


def wake(network: torch.nn.Module, images: list) -> None:
    """Let random weights find a few objects."""
    head = network.model[-1]
    if hasattr(head, "linear"):
        head.linear.weight.data *= 8
        return
    for name in ("cv3", "one2one_cv3"):
        last = [[m for m in part.modules() if isinstance(m, torch.nn.Conv2d)][-1] for part in getattr(head, name, None) or []]
        if last:
            network.train(False)
            few(network, last, images)
    queries = getattr(head, "dec_score_head", None)
    if queries is not None:
        few(network, [queries[-1]], images, count=30)


def read(result, task: str) -> list[dict]:
    """Return an Ultralytics result as plain data."""
    names = result.names
    if task == "classify":
        return [{"label": names[result.probs.top1], "score": float(result.probs.top1conf)}]
    boxes = result.obb if task == "obb" else result.boxes
    found = []
    for index in range(len(boxes)):
        item = {"label": names[int(boxes.cls[index])], "score": float(boxes.conf[index])}
        if task == "obb":
            item["turned"] = [float(v) for v in boxes.xywhr[index]]
        else:
            item["box"] = [float(v) for v in boxes.xyxy[index]]
        if task == "pose":
            item["points"] = result.keypoints.xy[index].tolist()
        if task == "segment":
            item["area"] = float(result.masks.data[index].sum())
        found.append(item)
    return found


for generation in ("yolov8n", "yolo11n", "yolo26n"):
    for suffix, task in (("", "detect"), ("-seg", "segment"), ("-pose", "pose"), ("-obb", "obb"), ("-cls", "classify")):
        by_ultralytics(generation + suffix, task)
by_ultralytics("yolov5nu", "detect")
by_ultralytics("yolov9t", "detect")
by_ultralytics("yolov10n", "detect")
by_ultralytics("yolo12n", "detect")
by_ultralytics("rtdetr-l", "detect")
by_ultralytics("yolo11n", "detect", nms=True)
by_ultralytics("yolo11n-seg", "segment", nms=True)
by_ultralytics("yolo11n-obb", "obb", nms=True)
by_ultralytics("yolo11n-pose", "pose", nms=True)
by_ultralytics("yolo11n", "detect", dynamic=True)
by_ultralytics("yolo11n", "detect", form="openvino")
by_ultralytics("yolo11n-seg", "segment", form="openvino")
by_ultralytics("yolo11n-cls", "classify", form="openvino")
by_ultralytics("yolo26n", "detect", form="openvino")
