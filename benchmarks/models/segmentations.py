"""Semantic segmentations of torchvision and transformers; areas of classes are compared."""

import torch
import torchvision
from common import export, labels, model, seeded
from PIL import Image

NAMES = ["road", "tree", "sky"]


class Out(torch.nn.Module):
    """The scores of a segmentation at the size of its input."""

    def __init__(self, network: torch.nn.Module) -> None:
        """Keep the network."""
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the scores."""
        return self.network(image)["out"]


def by_torchvision(name: str):
    """Register a segmentation of torchvision, exported at a fixed size."""

    @model(f"torchvision {name}", "torchvision", "--recipe imagenet --set input.interpolation=pillow_bilinear")
    def run(folder, photos):
        make = getattr(torchvision.models.segmentation, name)
        network = Out(seeded(lambda: make(weights=None, weights_backbone=None, num_classes=len(NAMES) + 1))).eval()
        export(network, folder, (224, 224), ["out"])
        labels(folder, NAMES)
        mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
        found = {}
        for photo in photos:
            image = Image.open(photo).convert("RGB")
            small = torchvision.transforms.functional.to_tensor(image.resize((224, 224), Image.Resampling.BILINEAR))
            with torch.no_grad():
                scores = network(torchvision.transforms.functional.normalize(small, mean, deviation)[None])[0]
            classes = scores.argmax(0)
            shares = [(classes == index + 1).float().mean().item() for index in range(len(NAMES))]
            found[photo.name] = [{"label": n, "share": s} for n, s in zip(NAMES, shares, strict=True) if s > 0.001]
        return found


by_torchvision("lraspp_mobilenet_v3_large")
by_torchvision("deeplabv3_mobilenet_v3_large")
