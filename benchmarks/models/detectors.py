"""Detectors and segmentations of torchvision and transformers."""

from types import SimpleNamespace

import torch
import torchvision
from common import computed, export, few, labels, model, objects, seeded, sized
from PIL import Image
from torchvision.transforms.functional import to_tensor

NAMES = ["cat", "dog", "bird", "fish"]


class Lists(torch.nn.Module):
    """A detector of torchvision with its outputs as a tuple."""

    def __init__(self, network: torch.nn.Module, keys: list[str]) -> None:
        """Keep the network and the names of its outputs."""
        super().__init__()
        self.network, self.keys = network, keys

    def forward(self, image: torch.Tensor):
        """Return the outputs in order."""
        found = self.network(image)[0]
        return tuple(found[key] for key in self.keys)


def by_torchvision(name: str, **settings):
    """Register a detector of torchvision, its size left open."""

    @model(f"torchvision {name}", "torchvision")
    def run(folder, photos):
        make = getattr(torchvision.models.detection, name)
        network = seeded(lambda: make(weights=None, weights_backbone=None, num_classes=len(NAMES) + 1, **settings))
        wake(network, photos)
        keys = ["boxes", "labels", "scores"] + (["masks"] if "mask" in name else [])
        axes = {"images": {2: "height", 3: "width"}} | {key: {0: "found"} for key in keys}
        export(Lists(network, keys).eval(), folder, (240, 320), keys, name="images", dynamic_axes=axes)
        labels(folder, NAMES)
        found = {}
        for photo in photos:
            with torch.no_grad():
                result = network([to_tensor(Image.open(photo).convert("RGB"))])[0]
            kept = result["scores"] > 0.5
            found[photo.name] = objects(NAMES, result["labels"][kept] - 1, result["scores"][kept], result["boxes"][kept])
        return found


def wake(network: torch.nn.Module, photos) -> None:
    """Let random weights find a few objects, none of them of the background's class."""
    images = [[to_tensor(Image.open(photo).convert("RGB"))] for photo in photos]
    named = dict(network.named_modules())
    norms = [part for part in named.values() if isinstance(part, torch.nn.BatchNorm2d)]
    # Its last maps are one pixel large, which has no deviation.
    norms = [] if isinstance(network, torchvision.models.detection.ssd.SSD) else norms
    for part in norms:
        part.momentum = None
        part.reset_running_stats()
        part.train()
    with torch.no_grad():
        for image in images:
            network(image)
    network.eval()
    regions = [part for name, part in named.items() if name.endswith("rpn.head.cls_logits")]
    if regions:
        few(network, regions, images, count=3000, score=0.5)
    heads = ("head.classification_head.cls_logits", "box_predictor.cls_score")
    parts = [part for name, part in named.items() if name.endswith(heads)]
    parts += [part for name, part in named.items() if "classification_head.module_list" in name and isinstance(part, torch.nn.Conv2d) and name.endswith(".1")]
    softmax = not isinstance(parts[0], torch.nn.Conv2d) or len(parts) > 1
    few(network, parts, images, count=60, score=0.6)
    for part in parts:
        # Softmax heads know the background by its score; the others have a class 0 that no training uses.
        part.weight.data[:: len(NAMES) + 1] = 0
        part.bias.data[:: len(NAMES) + 1] = 1.0 if softmax else -20.0


by_torchvision("fasterrcnn_mobilenet_v3_large_320_fpn")
by_torchvision("ssdlite320_mobilenet_v3_large")
by_torchvision("retinanet_resnet50_fpn", min_size=160, max_size=224)
by_torchvision("fcos_resnet50_fpn", min_size=160, max_size=224)
by_torchvision("maskrcnn_resnet50_fpn", min_size=160, max_size=224)


def by_transformers(kind: str, config: str, processor: str, size: dict, **settings):
    """Register a detector of transformers with its files beside it."""

    @model(f"transformers {kind}", "transformers")
    def run(folder, photos):
        import transformers

        photos = sized(folder, photos, size["width"], size["height"])
        names = dict(enumerate(NAMES))
        made = getattr(transformers, config)(id2label=names, label2id={v: k for k, v in names.items()}, **settings)
        network = seeded(lambda: getattr(transformers, kind)(made))
        prepared = getattr(transformers, processor)(size=size, do_pad=False)
        images = [prepared(Image.open(photo).convert("RGB"), return_tensors="pt")["pixel_values"] for photo in photos]
        heads = [
            part
            for name, part in network.named_modules()
            if isinstance(part, torch.nn.Linear) and ("class" in name and "decoder" in name or "class_labels_classifier" in name)
        ]
        few(network, [heads[-1]], images, count=30, score=0.5)
        export(Boxes(network).eval(), folder, (size["height"], size["width"]), ["logits", "pred_boxes"], name="pixel_values")
        made.save_pretrained(folder)
        prepared.save_pretrained(folder)
        found = {}
        for photo in photos:
            image = Image.open(photo).convert("RGB")
            result = SimpleNamespace(**computed(folder, prepared(image, return_tensors="pt")["pixel_values"]))
            result = prepared.post_process_object_detection(result, 0.5, target_sizes=[image.size[::-1]])[0]
            found[photo.name] = objects(NAMES, result["labels"], result["scores"], result["boxes"])
        return found


class Boxes(torch.nn.Module):
    """Logits and boxes of a detector of transformers."""

    def __init__(self, network: torch.nn.Module) -> None:
        """Keep the network."""
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor):
        """Return logits and boxes."""
        found = self.network(pixel_values=image)
        return found.logits, found.pred_boxes


BACKBONE = {"backbone": None, "use_timm_backbone": False, "use_pretrained_backbone": False}
by_transformers(
    "YolosForObjectDetection", "YolosConfig", "YolosImageProcessor", {"height": 256, "width": 320}, hidden_size=48,
    num_hidden_layers=2, num_attention_heads=2, intermediate_size=96, image_size=[256, 320], num_detection_tokens=20,
)
by_transformers("RTDetrForObjectDetection", "RTDetrConfig", "RTDetrImageProcessor", {"height": 320, "width": 320}, num_queries=50, decoder_layers=2)
by_transformers("DFineForObjectDetection", "DFineConfig", "RTDetrImageProcessor", {"height": 320, "width": 320}, num_queries=50, decoder_layers=2)
