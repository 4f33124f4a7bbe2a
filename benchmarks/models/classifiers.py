"""Classifiers of timm, torchvision, transformers and Keras."""

import timm
import torch
import torchvision
from common import export, labels, model, one, seeded, spread_batchnorm
from PIL import Image

NAMES = [f"thing {index}" for index in range(10)]


class Scaled(torch.nn.Module):
    """A classifier whose logits are spread, so that random weights are sure of something."""

    def __init__(self, network: torch.nn.Module, factor: float) -> None:
        """Keep the network and the factor."""
        super().__init__()
        self.network, self.factor = network, factor

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        return self.network(image) * self.factor


def spread(network, photos, prepare, target: float = 3.0) -> Scaled:
    """Scale the logits so that they differ by `target` between classes."""
    with torch.no_grad():
        logits = network(torch.cat([prepare(Image.open(photo).convert("RGB")) for photo in photos]))
    return Scaled(network, float(target / logits.std(dim=1).mean())).eval()


def classified(network, photos, prepare, names=NAMES) -> dict:
    """Return what a classifier predicts with its library's own pre-processing."""
    found = {}
    for photo in photos:
        with torch.no_grad():
            scores = network(prepare(Image.open(photo).convert("RGB"))).softmax(1)[0]
        found[photo.name] = one(names[int(scores.argmax())], scores.max())
    return found


def by_timm(name: str):
    """Register a classifier of timm."""

    @model(f"timm {name}", "timm", "--recipe timm")
    def run(folder, photos):
        network = seeded(lambda: timm.create_model(name, num_classes=len(NAMES)))
        config = timm.data.resolve_model_data_config(network)
        config |= {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "crop_pct": 0.875}
        config |= {"interpolation": "bicubic", "crop_mode": "center"}
        transform = timm.data.create_transform(**config, is_training=False)
        prepare = lambda image: transform(image)[None]  # noqa: E731
        spread_batchnorm(network, photos, prepare)
        network = spread(network, photos, prepare)
        export(network, folder, config["input_size"][1:], ["logits"])
        labels(folder, NAMES)
        return classified(network, photos, prepare)


for each in ("resnet18", "mobilenetv3_small_100", "efficientnet_b0", "convnext_atto", "vit_tiny_patch16_224", "regnety_002"):
    by_timm(each)


def by_torchvision(name: str):
    """Register a classifier of torchvision."""

    @model(f"torchvision {name}", "torchvision", "--recipe torchvision")
    def run(folder, photos):
        network = seeded(lambda: getattr(torchvision.models, name)(num_classes=len(NAMES)))
        transform = torchvision.transforms._presets.ImageClassification(crop_size=224)
        prepare = lambda image: transform(image)[None]  # noqa: E731
        spread_batchnorm(network, photos, prepare)
        network = spread(network, photos, prepare)
        export(network, folder, (224, 224), ["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})
        labels(folder, NAMES)
        return classified(network, photos, prepare)


for each in ("resnet18", "squeezenet1_1", "shufflenet_v2_x0_5", "mnasnet0_5"):
    by_torchvision(each)


def by_transformers(kind: str, config: str, processor: str, **settings):
    """Register a classifier of transformers, exported with its files beside it, as optimum lays them."""

    @model(f"transformers {kind}", "transformers")
    def run(folder, photos):
        import transformers

        names = {index: name for index, name in enumerate(NAMES)}
        made = getattr(transformers, config)(id2label=names, label2id={v: k for k, v in names.items()}, **settings)
        network = seeded(lambda: getattr(transformers, kind)(made))
        prepared = getattr(transformers, processor)()
        prepare = lambda image: prepared(image, return_tensors="pt")["pixel_values"]  # noqa: E731
        logits = Logits(network).eval()
        spread_batchnorm(logits, photos, prepare)
        network = spread(logits, photos, prepare)
        side = prepare(Image.open(photos[0]).convert("RGB")).shape[2:]
        axes = {"pixel_values": dict(enumerate(("batch_size", "num_channels", "height", "width"))), "logits": {0: "batch_size"}}
        export(network, folder, side, ["logits"], name="pixel_values", dynamic_axes=axes)
        made.save_pretrained(folder)
        prepared.save_pretrained(folder)
        return classified(network, photos, prepare)


class Logits(torch.nn.Module):
    """The logits of a model of transformers."""

    def __init__(self, network: torch.nn.Module) -> None:
        """Keep the network."""
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        return self.network(pixel_values=image).logits


TINY = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}
by_transformers("ViTForImageClassification", "ViTConfig", "ViTImageProcessor", **TINY)
by_transformers("DeiTForImageClassification", "DeiTConfig", "DeiTImageProcessor", **TINY)
by_transformers("ResNetForImageClassification", "ResNetConfig", "ConvNextImageProcessor", embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1])


def by_keras(name: str, line: str, settings: dict, sigmoid: bool = False):
    """Register a classifier of Keras, exported by Keras itself (PyTorch as its backend)."""

    @model(f"keras {name}{' one score' if sigmoid else ''}", "keras", line)
    def run(folder, photos):
        import os

        os.environ["KERAS_BACKEND"] = "torch"
        import keras
        import numpy as np

        keras.utils.set_random_seed(0)
        module = getattr(keras.applications, settings["module"])
        count = 1 if sigmoid else len(NAMES)
        network = getattr(module, name)(
            weights=None, classes=count, input_shape=(224, 224, 3), classifier_activation="sigmoid" if sigmoid else "softmax"
        )
        images = {}
        for photo in photos:
            image = keras.utils.load_img(photo, target_size=(224, 224), interpolation="bilinear")
            images[photo.name] = module.preprocess_input(keras.utils.img_to_array(image)[None])
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0
        network(np.concatenate(list(images.values())), training=True)
        network.predict(next(iter(images.values())), verbose=0)
        last = [layer for layer in network.layers if layer.get_weights()][-1]
        kernel, *rest = last.get_weights()
        last.set_weights([kernel * 4, *rest])
        network.export(str(folder / "model.onnx"), format="onnx", verbose=False)
        names = ["good", "bad"] if sigmoid else NAMES
        labels(folder, names)
        found = {}
        for photo, image in images.items():
            scores = network.predict(image, verbose=0)[0]
            scores = [1 - scores[0], scores[0]] if sigmoid else scores
            found[photo] = one(names[int(np.argmax(scores))], max(scores))
        return found


by_keras("MobileNetV2", "--recipe symmetric --set input.interpolation=pillow_bilinear", {"module": "mobilenet_v2"})
by_keras("EfficientNetB0", "--recipe pixels --set input.interpolation=pillow_bilinear", {"module": "efficientnet"})
by_keras("ResNet50", "--recipe caffe --set input.interpolation=pillow_bilinear", {"module": "resnet50"})
by_keras("MobileNet", "--recipe symmetric --set input.interpolation=pillow_bilinear", {"module": "mobilenet"}, sigmoid=True)
