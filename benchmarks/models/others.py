"""RF-DETR, anomalib and segmentation_models_pytorch by their own exporters, and trained models that packages ship."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import torch
from common import computed, export, few, labels, model, objects, one, seeded, sized, spread_batchnorm
from PIL import Image
from torchvision.transforms.functional import normalize, to_tensor

NAMES = ["cat", "dog", "bird", "fish"]


def by_rfdetr(kind: str):
    """Register a detector or an instance segmentation of RF-DETR with random weights."""

    @model(f"rfdetr {kind}", "rfdetr")
    def run(folder, photos):
        import rfdetr

        torch.manual_seed(0)
        detector = getattr(rfdetr, kind)(pretrain_weights=None, num_classes=len(NAMES), device="cpu")
        network = detector.model.model.eval()
        side = detector.model.resolution
        photos = sized(folder, photos, side, side)
        images = [to_tensor(Image.open(photo).convert("RGB").resize((side, side)))[None] for photo in photos]
        few(network, [network.class_embed], images, count=30, score=0.5)
        made = detector.export(output_dir=str(folder / "out"), verbose=False)
        shutil.move(str(made if Path(made).is_file() else next((folder / "out").glob("*.onnx"))), folder / "model.onnx")
        shutil.rmtree(folder / "out")
        labels(folder, NAMES)
        detector.model.model = Exported(folder)
        found = {}
        for photo in photos:
            result = detector.predict(str(photo), threshold=0.5)
            kept = result.class_id < len(NAMES)
            found[photo.name] = objects(NAMES, result.class_id[kept], result.confidence[kept], result.xyxy[kept])
        return found


class Exported(torch.nn.Module):
    """The exported graph in the place of the network, see `computed`."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder of the graph."""
        super().__init__()
        self.folder = folder

    def forward(self, image: torch.Tensor) -> dict:
        """Return the outputs under the names of the network."""
        found = computed(self.folder, image)
        named = {"pred_boxes": "dets", "pred_logits": "labels", "pred_masks": "masks"}
        return {name: found[output] for name, output in named.items() if output in found}


by_rfdetr("RFDETRNano")
by_rfdetr("RFDETRSegNano")


def by_anomalib(kind: str):
    """Register a model of anomalib 2 with a random backbone and made-up thresholds."""

    @model(f"anomalib {kind}", "anomalib")
    def run(folder, photos):
        import anomalib.models
        import timm
        from anomalib.data.utils import read_image

        photos = sized(folder, photos, 256, 256)
        make = timm.create_model
        timm.create_model = lambda *words, **settings: make(*words, **(settings | {"pretrained": False}))
        network = seeded(lambda: getattr(anomalib.models, kind)(backbone="resnet18"))
        timm.create_model = make
        with torch.no_grad():
            raw = [network.model(network.pre_processor(read_image(photo, as_tensor=True)[None])) for photo in photos]
        scores = torch.stack([result.pred_score.flatten()[0] for result in raw])
        maps = torch.stack([result.anomaly_map for result in raw])
        after = network.post_processor
        for name, values in (("image", scores), ("pixel", maps)):
            threshold = values.float().mean()
            for key, value in (("threshold", threshold), ("min", values.min()), ("max", values.max())):
                buffer = f"_{name}_{key}"
                setattr(after, buffer if buffer in after._buffers else buffer[1:], torch.as_tensor(value))
        made = network.to_onnx(folder, input_size=(256, 256), opset_version=18)
        for file in made.parent.iterdir():
            shutil.move(str(file), folder / file.name)
        found = {}
        for photo in photos:
            with torch.no_grad():
                result = network.forward(read_image(photo, as_tensor=True)[None])
            score = float(result.pred_score.flatten()[0])
            found[photo.name] = one("anomalous" if bool(result.pred_label.flatten()[0]) else "normal", max(score, 1 - score))
        return found


by_anomalib("Stfpm")


def by_smp(kind: str):
    """Register a segmentation of segmentation_models_pytorch; areas of classes are compared."""

    @model(f"segmentation_models_pytorch {kind}", "segmentation_models_pytorch", "--recipe imagenet --set input.interpolation=pillow_bilinear")
    def run(folder, photos):
        import segmentation_models_pytorch as smp

        network = seeded(lambda: getattr(smp, kind)("resnet18", encoder_weights=None, classes=len(NAMES)))
        mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
        prepare = lambda image: normalize(to_tensor(image.resize((224, 224), Image.Resampling.BILINEAR)), mean, deviation)[None]  # noqa: E731
        spread_batchnorm(network, photos, prepare)
        export(network, folder, (224, 224), ["logits"])
        labels(folder, NAMES)
        found = {}
        for photo in photos:
            with torch.no_grad():
                classes = network(prepare(Image.open(photo).convert("RGB")))[0].argmax(0)
            shares = [(classes == index).float().mean().item() for index in range(len(NAMES))]
            found[photo.name] = [{"label": n, "share": s} for n, s in zip(NAMES, shares, strict=True) if s > 0.001]
        return found


by_smp("Unet")
by_smp("FPN")


@model("nudenet 320n (trained YOLOv8n)", "ultralytics")
def nudenet(folder, photos):
    """A trained YOLOv8n that a package of PyPI ships, read by Ultralytics, whose exporter made it."""
    from ultralytics import YOLO

    shutil.copy(Path(find_spec("nudenet").origin).with_name("320n.onnx"), folder / "model.onnx")
    found = {}
    detector = YOLO(str(folder / "model.onnx"), task="detect")
    for photo in photos:
        result = detector.predict(photo, imgsz=320, device="cpu", verbose=False, conf=0.25)[0]
        boxes = result.boxes
        found[photo.name] = [
            {"label": result.names[int(c)], "score": float(s), "box": [float(v) for v in b]}
            for c, s, b in zip(boxes.cls, boxes.conf, boxes.xyxy, strict=True)
        ]
    return found
