"""What all exporters share: photos, folders, the form of predictions, heads that find something."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

# Functions that export a model by its name: each fills a folder and returns its library's predictions.
MODELS: dict = {}


def model(name: str, library: str, line: str = ""):
    """Register an exporter; `line` is what `init` asks for, if it has to ask."""

    def keep(function):
        MODELS[name] = (function, library, line)
        return function

    return keep


def seeded(make, seed: int = 0):
    """Return a model with weights that are always the same, ready to predict."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    return make().eval()


def spread_batchnorm(network: torch.nn.Module, photos: list[Path], prepare) -> None:
    """Give batch normalisation the statistics of real images, so that random weights tell images apart."""
    norms = [part for part in network.modules() if isinstance(part, torch.nn.modules.batchnorm._BatchNorm)]
    for part in norms:
        part.momentum = None
        part.reset_running_stats()
        part.train()
    with torch.no_grad():
        network(torch.cat([prepare(Image.open(photo).convert("RGB")) for photo in photos]))
    network.eval()


def labels(folder: Path, names: list[str]) -> None:
    """Write the names of the classes beside the model."""
    (folder / "labels.txt").write_text("\n".join(names) + "\n")


def export(network: torch.nn.Module, folder: Path, size: tuple[int, int], outputs: list[str], **more) -> None:
    """Export a network that takes one image of height x width."""
    image = torch.zeros(1, 3, *size)
    torch.onnx.export(
        network, image, str(folder / "model.onnx"), input_names=[more.pop("name", "input")], output_names=outputs,
        dynamo=False, opset_version=17, **more,
    )


def one(label: str, score: float) -> list[dict]:
    """Return the prediction of a classifier."""
    return [{"label": label, "score": float(score)}]


def objects(names: list[str], classes, scores, boxes) -> list[dict]:
    """Return the predictions of a detector: left, upper, right, lower edge in pixels of the image."""
    rows = zip(classes, scores, boxes, strict=True)
    return [{"label": names[int(c)], "score": float(s), "box": [float(v) for v in b]} for c, s, b in rows]


def save(folder: Path, predictions: dict) -> None:
    """Write what the library predicts."""
    (folder / "expected.json").write_text(json.dumps(predictions, indent=1))
