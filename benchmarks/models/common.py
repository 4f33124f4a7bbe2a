"""What all exporters share: photos, folders, the form of predictions, heads that find something."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

try:
    import torch
except ImportError:  # TensorFlow and Paddle have environments of their own.
    torch = None

# Functions that export a model by its name: each fills a folder and returns its library's predictions.
MODELS: dict = {}


def in_f32() -> None:
    """Let OpenVINO compute in f32 in this process, whoever compiles a model.

    Left alone, it takes bf16 on CPUs with AMX: scores differ by up to 0.02, and Straylight computes in f32.
    """
    import openvino

    compile_model = openvino.Core.compile_model

    def precise(core, model, device_name="CPU", config=None, **more):
        return compile_model(core, model, device_name, {**(config or {}), "INFERENCE_PRECISION_HINT": "f32"}, **more)

    openvino.Core.compile_model = precise


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


def few(network: torch.nn.Module, parts: list, images: list, count: int = 60, score: float = 0.3, rows: int | None = None) -> None:
    """Let random class heads find few objects with scores that lie apart.

    The logits of the last layers `parts` are scaled and moved so that the best of all images becomes 0.95 and about
    `count` of them are above `score`: equal scores and hundreds of overlapping boxes would say nothing of how a
    decoder orders and suppresses them. Of layers that give more than classes only the first `rows` are changed.
    """
    seen: list = []
    hooks = [part.register_forward_hook(lambda _m, _i, out: seen.append(out.detach()[:, :rows].flatten())) for part in parts]
    with torch.no_grad():
        for image in images:
            network(image)
    for hook in hooks:
        hook.remove()
    logits = torch.cat(seen)
    best = torch.topk(logits, min(count, len(logits))).values
    low, high = (float(np.log(value / (1 - value))) for value in (score, 0.95))
    factor = (high - low) / float(best[0] - best[-1])
    for part in parts:
        part.weight.data[:rows] *= factor
        part.bias.data[:rows] = part.bias.data[:rows] * factor + high - float(best[0]) * factor


def letterboxed(photo: Path, side: int) -> Image.Image:
    """Return a photo fitted into a square, with grey around it."""
    image = Image.open(photo).convert("RGB")
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    square = Image.new("RGB", (side, side), (114, 114, 114))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def sized(folder: Path, photos: list[Path], width: int, height: int) -> list[Path]:
    """Write photos of exactly a network's size, so that no resize differs; the row is compared on these.

    Random weights whose scores were spread magnify the last digit of a pixel; how images are scaled is compared by
    the classifiers.
    """
    place = folder / "photos"
    place.mkdir()
    for photo in photos:
        Image.open(photo).convert("RGB").resize((width, height)).save(place / photo.name)
    return [place / photo.name for photo in photos]


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


def computed(folder: Path, image: torch.Tensor) -> dict:
    """Return the outputs of the exported graph, by name.

    For detectors that choose their queries: random weights give near ties, and PyTorch and OpenVINO round in other
    places, so that their choices differ. Pre- and post-processing are the library's own in any case.
    """
    import openvino

    compiled = openvino.Core().compile_model(str(folder / "model.onnx"), "CPU")
    found = compiled([image.numpy()])
    return {output.get_any_name(): torch.from_numpy(found[output].copy()) for output in compiled.outputs}


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
