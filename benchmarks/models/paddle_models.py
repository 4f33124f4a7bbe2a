"""Paddle's classifiers and PaddleDetection with Paddle's own exporter, in an environment of its own (requirements-paddle.txt).

With pyenv's Python, run it with `LD_PRELOAD=libz.so.1`: Paddle 2.6 brings a zlib that crashes Pillow.
"""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
from common import labels, model, objects, one
from PIL import Image

NAMES = ["cat", "dog", "bird", "fish"]
CONFIGS = Path(__file__).with_name("paddle_configs")
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)


def to_onnx(saved: Path, folder: Path, opset: int = 13) -> None:
    """Convert by paddle2onnx."""
    words = ["--model_dir", saved.parent, "--model_filename", f"{saved.name}.pdmodel", "--params_filename", f"{saved.name}.pdiparams"]
    program = Path(sys.executable).with_name("paddle2onnx")
    subprocess.run([program, *words, "--save_file", folder / "model.onnx", "--opset_version", str(opset)], check=True, capture_output=True)


@model("paddle MobileNetV3", "paddlepaddle", "--recipe imagenet --set input.interpolation=pillow_bilinear")
def classifier(folder, photos):
    """A classifier of paddle.vision with a softmax, as such models are exported."""
    paddle.seed(0)
    network = paddle.vision.models.mobilenet_v3_small(num_classes=len(NAMES))
    pixels = {}
    for photo in photos:
        image = np.asarray(Image.open(photo).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR), np.float32) / 255
        pixels[photo.name] = paddle.to_tensor(((image - MEAN) / DEVIATION).transpose(2, 0, 1)[None])
    for part in network.sublayers():
        if isinstance(part, paddle.nn.layer.norm._BatchNormBase):
            part._momentum = 0.0
    network.train()
    network(paddle.concat(list(pixels.values())))
    network.eval()
    head = network.classifier[-1]
    head.weight.set_value(head.weight * 200)
    network = paddle.nn.Sequential(network, paddle.nn.Softmax())
    network.eval()
    paddle.jit.save(network, str(folder / "saved"), input_spec=[paddle.static.InputSpec([None, 3, 224, 224], "float32", "x")])
    to_onnx(folder / "saved", folder)
    labels(folder, NAMES)
    found = {}
    for name, image in pixels.items():
        scores = network(image).numpy()[0]
        found[name] = one(NAMES[int(scores.argmax())], scores.max())
    return found


def by_paddledet(kind: str):
    """Register a detector of PaddleDetection."""

    @model(f"paddledet {kind}", "paddledet")
    def run(folder, photos):
        to_static = paddle.jit.to_static
        paddle.jit.to_static = functools.partial(to_static, full_graph=True)
        from ppdet.core.workspace import load_config
        from ppdet.data.source.dataset import ImageFolder
        from ppdet.engine import Trainer

        paddle.seed(0)
        labels(folder, NAMES)
        config = load_config(str(CONFIGS / f"{kind}.yml"))
        config["TestDataset"] = ImageFolder(anno_path=str(folder / "labels.txt"))
        trainer = Trainer(config, mode="test")
        found = {}
        for photo in photos:
            result = trainer.predict([str(photo)], draw_threshold=0.5, output_dir=str(folder / "drawn"))[0]["bbox"]
            rows = [row for row in result if row[1] > 0.5]
            found[photo.name] = objects(NAMES, [row[0] for row in rows], [row[1] for row in rows], [row[2:] for row in rows])
        # A network that was exported no longer predicts by itself.
        trainer.export(str(folder / "saved"))
        paddle.jit.to_static = to_static
        to_onnx(folder / "saved" / kind / "model", folder, 14)
        shutil.copy(folder / "saved" / kind / "infer_cfg.yml", folder)
        return found


for _kind in ("picodet", "ppyoloe"):
    by_paddledet(_kind)
