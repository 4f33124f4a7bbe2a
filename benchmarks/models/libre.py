"""Detectors of LibreYOLO: YOLOX, YOLOv9 (MIT), RT-DETR, D-FINE, RTMDet and others, exported by its own exporters."""

import re

import numpy as np
import torch
from common import few, model, objects, sized, spread_batchnorm
from PIL import Image

NAMES = ["cat", "dog", "bird", "fish"]
# The last layers of the class scores by family, as patterns of their names.
HEADS = {
    "LibreYOLOX": r"head\.cls_preds\.\d",
    "LibreYOLO9": r"head\.cv3\.\d\.2|.*class_conv.*\.2",
    "LibreRTDETR": r"decoder\.dec_score_head\.\d+",
    "LibreDFINE": r"decoder\.dec_score_head\.\d+",
    "LibreRTMDet": r".*rtm_cls\.\d",
    "LibrePICODET": r".*gfl_cls\.\d",
}


def by_libre(kind: str, size: str, side: int):
    """Register a detector of LibreYOLO with random weights."""

    @model(f"libreyolo {kind} {size}", "libreyolo")
    def run(folder, photos):
        import libreyolo
        from libreyolo.backends.onnx import OnnxBackend

        photos = sized(folder, photos, side, side)
        detector = seeded_model(lambda: getattr(libreyolo, kind)(None, size=size, nb_classes=len(NAMES), device="cpu"))
        detector.names = dict(enumerate(NAMES))
        network = detector.model.eval()
        prepare = lambda image: detector._preprocess(image, input_size=side)[0]  # noqa: E731
        spread_batchnorm(network, photos, prepare)
        images = [prepare(Image.open(photo).convert("RGB")) for photo in photos]
        wake(network, kind, images)
        shrink(network)
        made = detector.export(format="onnx", imgsz=side, output_path=str(folder / "model.onnx"), simplify=False)
        print("exported to", made)
        found = {}
        for photo in photos:
            result = OnnxBackend(str(folder / "model.onnx")).predict(str(photo), conf=0.25)
            result = result[0] if isinstance(result, list) else result
            boxes = result.boxes
            found[photo.name] = objects(NAMES, boxes.cls, boxes.conf, boxes.xyxy)
        return found


def shrink(network: torch.nn.Module) -> None:
    """Let boxes be small: those that reach over the image are cut before they suppress each other there, not here."""
    for name, part in network.named_modules():
        if re.fullmatch(r"head\.cv2\.\d\.2", name):
            part.bias.data -= torch.arange(16.0).repeat(4)
        if re.fullmatch(r"head\.gfl_cls\.\d", name):
            part.bias.data[len(NAMES) :] -= torch.arange(8.0).repeat(4)
        if re.fullmatch(r"head\.(rtm_reg|reg_preds)\.\d", name):
            part.weight.data *= 0.05


def seeded_model(make):
    """Return a wrapper whose weights are always the same."""
    torch.manual_seed(0)
    np.random.seed(0)
    return make()


def wake(network: torch.nn.Module, kind: str, images: list) -> None:
    """Let random weights find a few objects."""
    parts = [part for name, part in network.named_modules() if re.fullmatch(HEADS[kind], name)]
    parts = [part for part in parts if isinstance(part, torch.nn.Conv2d | torch.nn.Linear)]
    if not parts:
        raise ValueError([name for name, _ in network.named_modules()][-40:])
    rows = len(NAMES) if isinstance(parts[0], torch.nn.Conv2d) else None
    few(network, parts[-1:] if isinstance(parts[0], torch.nn.Linear) else parts, images, count=40, rows=rows)
    for name, part in network.named_modules():
        if re.fullmatch(r"head\.obj_preds\.\d", name):
            part.bias.data += 2.0


by_libre("LibreYOLOX", "n", 416)
by_libre("LibreYOLO9", "t", 320)
by_libre("LibreRTDETR", "r18", 320)
by_libre("LibreDFINE", "n", 320)
by_libre("LibreRTMDet", "t", 320)
by_libre("LibrePICODET", "s", 320)
