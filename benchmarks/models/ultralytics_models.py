"""Models of Ultralytics in all tasks; its code and exports stay out of the repository."""

from pathlib import Path

import torch
from common import model, seeded, spread_batchnorm
from PIL import Image
from torchvision.transforms.functional import to_tensor


def by_ultralytics(name: str, task: str, form: str = "onnx", **settings):
    """Register a model that Ultralytics exports and predicts with."""
    options = " ".join(f"{key}={value}" for key, value in settings.items())

    @model(f"ultralytics {name} {form} {options}".strip(), "ultralytics")
    def run(folder: Path, photos):
        import shutil

        from ultralytics import YOLO, RTDETR

        kind = RTDETR if "rtdetr" in name else YOLO
        loaded = seeded(lambda: kind(f"{name}.yaml", task=task).model)
        side = 224 if task == "classify" else 320
        spread_batchnorm(loaded, photos, lambda image: to_tensor(image.resize((side, side), Image.Resampling.BILINEAR))[None])
        wake(loaded)
        yolo = kind(f"{name}.yaml", task=task)
        yolo.model.load_state_dict(loaded.state_dict())
        torch.save({"model": yolo.model, "train_args": {}}, folder / "w.pt")
        yolo = kind(str(folder / "w.pt"), task=task)
        plain = {} if form == "openvino" else {"simplify": False}
        made = Path(yolo.export(format=form, imgsz=side, device="cpu", verbose=False, **plain, **settings))
        found = kind(str(made), task=task)
        result = {photo.name: read(found.predict(photo, imgsz=side, device="cpu", verbose=False)[0], task) for photo in photos}
        if made.is_dir():
            for file in made.iterdir():
                shutil.move(str(file), folder / ("model" + file.suffix if file.suffix in (".xml", ".bin") else file.name))
            made.rmdir()
        else:
            made.rename(folder / "model.onnx")
        (folder / "w.pt").unlink()
        return result


def wake(network: torch.nn.Module) -> None:
    """Let random weights find something: spread the class scores of the last layers."""
    head = network.model[-1]
    convs = [m for name, part in head.named_children() if name in ("cv3", "one2one_cv3") for m in part]
    for part in convs:
        last = [m for m in part.modules() if isinstance(m, torch.nn.Conv2d)][-1]
        torch.nn.init.normal_(last.weight, std=1.0)
        torch.nn.init.constant_(last.bias, -12.0)
    if hasattr(head, "linear"):
        torch.nn.init.normal_(head.linear.weight, std=1.0)
    for name in ("dec_score_head",):
        for part in getattr(head, name, []):
            torch.nn.init.normal_(part.weight, std=0.5)


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


for generation in ("yolov8n", "yolo11n"):
    for suffix, task in (("", "detect"), ("-seg", "segment"), ("-pose", "pose"), ("-obb", "obb"), ("-cls", "classify")):
        by_ultralytics(generation + suffix, task)
by_ultralytics("yolov5nu", "detect")
by_ultralytics("yolov10n", "detect")
by_ultralytics("yolo26n", "detect")
by_ultralytics("yolo26n-seg", "segment")
by_ultralytics("yolo11n", "detect", nms=True)
by_ultralytics("yolo11n-seg", "segment", nms=True)
by_ultralytics("yolo11n-obb", "obb", nms=True)
by_ultralytics("yolo11n-pose", "pose", nms=True)
by_ultralytics("yolo11n", "detect", half=False, dynamic=True)
by_ultralytics("yolo11n", "detect", form="openvino")
by_ultralytics("yolo11n-seg", "segment", form="openvino")
