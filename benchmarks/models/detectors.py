"""Detectors and segmentations of torchvision and transformers."""

import torch
import torchvision
from common import export, labels, model, objects, seeded
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
        wake(network)
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


def wake(network: torch.nn.Module) -> None:
    """Let random weights find something: spread the class scores."""
    for name, part in network.named_modules():
        last = name.endswith(("cls_logits", "cls_score")) or "classification_head.module_list" in name
        if last and isinstance(part, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.normal_(part.weight, std=0.3)
            if part.bias is not None:
                torch.nn.init.zeros_(part.bias)


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

        names = dict(enumerate(NAMES))
        made = getattr(transformers, config)(id2label=names, label2id={v: k for k, v in names.items()}, **settings)
        network = seeded(lambda: getattr(transformers, kind)(made))
        for name, part in network.named_modules():
            if isinstance(part, torch.nn.Linear) and "class" in name or "score_head" in name and isinstance(part, torch.nn.Linear):
                torch.nn.init.normal_(part.weight, std=0.4)
                torch.nn.init.zeros_(part.bias)
        prepared = getattr(transformers, processor)(size=size, do_pad=False)
        export(Boxes(network).eval(), folder, (size["height"], size["width"]), ["logits", "pred_boxes"], name="pixel_values")
        made.save_pretrained(folder)
        prepared.save_pretrained(folder)
        found = {}
        for photo in photos:
            image = Image.open(photo).convert("RGB")
            with torch.no_grad():
                result = network(**prepared(image, return_tensors="pt"))
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
