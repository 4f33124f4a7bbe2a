"""Keras and the Model Garden with TensorFlow, in an environment of its own (requirements-tensorflow.txt).

Keras writes a SavedModel, which OpenVINO's own `ovc` and TensorFlow's TFLite converter turn into files that are deployed.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from common import labels, model, objects, one
from PIL import Image

NAMES = ["cat", "dog", "bird", "fish"]
LINE = "--recipe symmetric --set input.interpolation=pillow_bilinear"


def classifier(photos: list[Path]):
    """Return a MobileNetV2 that tells images apart, and its prepared images."""
    import keras

    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNetV2(weights=None, classes=len(NAMES), input_shape=(96, 96, 3), alpha=0.35)
    images = {}
    for photo in photos:
        image = keras.utils.load_img(photo, target_size=(96, 96), interpolation="bilinear")
        images[photo.name] = keras.applications.mobilenet_v2.preprocess_input(keras.utils.img_to_array(image)[None])
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(np.concatenate(list(images.values())), training=True)
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([kernel * 4, bias])
    return network, images


def by_keras(kind: str):
    """Register a way out of Keras."""

    @model(f"keras on tensorflow {kind}", "keras", LINE)
    def run(folder, photos):
        network, images = classifier(photos)
        saved = str(folder / "saved")
        if kind == "onnx":
            network.export(str(folder / "model.onnx"), format="onnx", verbose=False)
        else:
            network.export(saved, verbose=False)
        if kind == "SavedModel":
            ovc(saved, folder)
        if kind.startswith("TFLite"):
            converter = tf.lite.TFLiteConverter.from_saved_model(saved)
            if "int8" in kind:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.representative_dataset = lambda: ([image] for image in images.values())
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = converter.inference_output_type = tf.int8
            (folder / "model.tflite").write_bytes(converter.convert())
            labels(folder, NAMES)
            return {name: by_litert(folder / "model.tflite", image) for name, image in images.items()}
        labels(folder, NAMES)
        found = {}
        for name, image in images.items():
            scores = network.predict(image, verbose=0)[0]
            found[name] = one(NAMES[int(np.argmax(scores))], max(scores))
        return found


def by_litert(file: Path, image: np.ndarray) -> list[dict]:
    """Return what LiteRT predicts."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    [inputs], [outputs] = interpreter.get_input_details(), interpreter.get_output_details()
    if inputs["dtype"] != np.float32:
        scale, zero = inputs["quantization"]
        image = np.clip(np.round(image / scale + zero), -128, 127)
    interpreter.set_tensor(inputs["index"], image.astype(inputs["dtype"]))
    interpreter.invoke()
    scores = interpreter.get_tensor(outputs["index"])[0]
    if outputs["dtype"] != np.float32:
        scale, zero = outputs["quantization"]
        scores = (scores.astype(np.float32) - zero) * scale
    return one(NAMES[int(np.argmax(scores))], max(scores))


def ovc(saved: str, folder: Path, *more: str) -> None:
    """Convert a SavedModel by OpenVINO's converter."""
    program = Path(sys.executable).with_name("ovc")
    subprocess.run([program, saved, "--output_model", folder / "model", "--compress_to_fp16=False", *more], check=True, capture_output=True)


for _kind in ("SavedModel", "onnx", "TFLite", "TFLite int8"):
    by_keras(_kind)


class Detector(tf.Module):
    """Random boxes by the outputs and the operations that TensorFlow 2's detection exporter has.

    Anchors of one grid, class scores and offsets by a convolution, suppression, padded to 20 rows.
    """

    def __init__(self) -> None:
        """Make the weights."""
        super().__init__()
        random = np.random.default_rng(0)
        self.head = tf.Variable(random.normal(0, 0.02, (32, 32, 3, 4 + len(NAMES))).astype(np.float32))
        place = (np.arange(8) + 0.5) / 8
        y, x = np.meshgrid(place, place, indexing="ij")
        self.centres = tf.constant(np.stack([y, x], -1).reshape(1, -1, 2).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((1, 256, 256, 3), tf.uint8, name="input_tensor")])
    def __call__(self, image):
        """Return the outputs under their usual names."""
        pixels = tf.cast(image, tf.float32) / 127.5 - 1
        grid = tf.reshape(tf.nn.conv2d(pixels, self.head, 32, "VALID"), (1, 64, 4 + len(NAMES)))
        centres = self.centres + 0.05 * tf.tanh(grid[:, :, :2])
        sides = 0.15 * tf.exp(tf.tanh(grid[:, :, 2:4]))
        boxes = tf.concat([centres - sides / 2, centres + sides / 2], -1)
        scores = tf.sigmoid(3 * grid[:, :, 4:])
        best = tf.reduce_max(scores[0], -1)
        kept, values = tf.image.non_max_suppression_with_scores(boxes[0], best, 20, 0.6, 0.4)
        fill = 20 - tf.size(kept)
        padded = lambda rows: tf.pad(rows, [[0, fill]] + [[0, 0]] * (len(rows.shape) - 1))[None]  # noqa: E731
        return {
            "detection_boxes": padded(tf.gather(boxes[0], kept)), "detection_scores": padded(values),
            "detection_classes": padded(tf.cast(tf.gather(tf.argmax(scores[0], -1), kept) + 1, tf.float32)),
            "num_detections": tf.cast(tf.size(kept), tf.float32)[None], "raw_detection_boxes": boxes, "raw_detection_scores": scores,
        }


@model("tensorflow detection SavedModel", "tensorflow")
def detection(folder, photos):
    """The signature of TensorFlow Object Detection; its own package needs TensorFlow 1 or an unkept build."""
    network = Detector()
    tf.saved_model.save(network, str(folder / "saved"), signatures=network.__call__)
    ovc(str(folder / "saved"), folder)
    labels(folder, NAMES)
    place = folder / "photos"
    place.mkdir()
    found = {}
    for photo in photos:
        image = Image.open(photo).convert("RGB").resize((256, 256))
        image.save(place / photo.name)
        result = {name: value.numpy() for name, value in network(tf.constant(np.asarray(image)[None])).items()}
        count = int(result["num_detections"][0])
        boxes = 256 * result["detection_boxes"][0, :count][:, [1, 0, 3, 2]]
        found[photo.name] = objects(NAMES, result["detection_classes"][0, :count] - 1, result["detection_scores"][0, :count], boxes)
    return found


os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
