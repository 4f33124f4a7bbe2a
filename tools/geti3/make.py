"""What ModelAPI predicts with a Geti 3 export under each of its pre-processing settings.

    pip install openvino-model-api==0.4.7
    python tools/geti3/make.py fixtures/geti3

The export (model.xml, model.bin, model.onnx) is getitune 0.4.0's own, with random weights. Each
case replaces entries of its model_info. Everything runs in f32. Percentiles are computed by
their formula, because ModelAPI 0.4.7 leaves them out for models of a fixed size: the case then
holds the probabilities of a run on the image that the formula gives.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from model_api.adapters import OpenvinoAdapter
from model_api.models import ClassificationModel

FISH, GRAY = "../demo_io/fish_fish1.png", "gray16.png"
U16 = {"input_dtype": "u16", "intensity_repeat_channels": "True"}
CASES = [
    ("unit", FISH, {}),
    ("none", FISH, {"intensity_mode": "none", "mean_values": "123.7 116.3 103.5", "scale_values": "58.4 57.1 57.4"}),
    ("absent", FISH, {"intensity_mode": None, "mean_values": "123.7", "scale_values": "58.4"}),
    ("window", FISH, {"intensity_mode": "window", "intensity_window_center": "90", "intensity_window_width": "120"}),
    ("range", FISH, {"intensity_mode": "range_scale", "intensity_scale_factor": "1.5", "intensity_min_value": "20.0", "intensity_max_value": "200.0"}),
    ("percentile", FISH, {"intensity_mode": "percentile"}),
    ("percentile_wide", FISH, {"intensity_mode": "percentile", "intensity_percentile_low": "20", "intensity_percentile_high": "80.5"}),
    ("reversed", FISH, {"reverse_input_channels": "True"}),
    ("cubic", FISH, {"interpolation_mode": "CUBIC"}),
    ("nearest", FISH, {"interpolation_mode": "NEAREST"}),
    ("letterbox", FISH, {"resize_type": "fit_to_window_letterbox", "pad_value": "114"}),
    ("letterbox_window", FISH, {"resize_type": "fit_to_window_letterbox", "pad_value": "114", "intensity_mode": "window", "intensity_window_center": "90", "intensity_window_width": "120"}),
    ("letterbox_percentile", FISH, {"resize_type": "fit_to_window_letterbox", "pad_value": "114", "intensity_mode": "percentile"}),
    ("fit", FISH, {"resize_type": "fit_to_window", "pad_value": "7"}),
    ("u16_unit", GRAY, U16),
    ("u16_max", GRAY, {**U16, "intensity_max_value": "65535.0"}),
    ("u16_window", GRAY, {**U16, "intensity_mode": "window", "intensity_window_center": "30000", "intensity_window_width": "40000"}),
    ("u16_range", GRAY, {**U16, "intensity_mode": "range_scale", "intensity_scale_factor": "0.5", "intensity_min_value": "1000.0", "intensity_max_value": "30000.0"}),
    ("u16_percentile", GRAY, {**U16, "intensity_mode": "percentile"}),
    ("u16_letterbox", GRAY, {**U16, "resize_type": "fit_to_window_letterbox", "pad_value": "30000"}),
    ("u16_cubic", GRAY, {**U16, "interpolation_mode": "CUBIC", "intensity_mode": "window", "intensity_window_center": "30000", "intensity_window_width": "70000"}),
    ("u16_nearest", GRAY, {**U16, "interpolation_mode": "NEAREST"}),
]
F32 = {"INFERENCE_PRECISION_HINT": "f32"}


def with_info(xml, changes):
    """The model's text with some entries of model_info replaced or removed."""
    for key, value in changes.items():
        xml = re.sub(rf"\s*<{key} value=\"[^\"]*\" />", "", xml)
        if value is not None:
            xml = xml.replace("<model_info>", f'<model_info>\n\t\t\t<{key} value="{value}" />')
    return xml


def read(path):
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return image[:, :, None] if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def model_api(path, image):
    adapter = OpenvinoAdapter(ov.Core(), str(path), plugin_config=F32)
    model = ClassificationModel.create_model(adapter, preload=True)
    return np.asarray(model(image).raw_scores).ravel()


def percentile(path, xml, image, changes):
    """The probabilities for the image that the formula gives: the resized one is OpenVINO's."""
    low, high = (float(changes.get(f"intensity_percentile_{end}", value)) for end, value in (("low", 1), ("high", 99)))
    neutral = {**changes, "intensity_mode": None, "mean_values": None, "scale_values": None}
    path.write_text(with_info(xml, neutral))
    adapter = OpenvinoAdapter(ov.Core(), str(path), plugin_config=F32)
    ClassificationModel.create_model(adapter, preload=True)
    graph = adapter.get_model()
    # The convolution's input, after all steps of pre-processing.
    first = next(op for op in graph.get_ordered_ops() if op.get_type_name() in ("Convolution", "GroupConvolution"))
    steps = ov.Model([first.input_value(0)], graph.get_parameters(), "steps")
    image4 = image[None]
    seen = list(ov.Core().compile_model(steps, "CPU", F32)(image4).values())[0]
    ends = np.percentile(seen, [low, high]).astype(np.float32)
    unit = np.clip((seen - ends[0]) / (ends[1] - ends[0]), 0, 1)
    mean, scale = (np.float32(v.split()).reshape(1, 3, 1, 1) for v in ("0.485 0.456 0.406", "0.229 0.224 0.225"))
    path.write_text(xml)
    logits = list(ov.Core().compile_model(str(path), "CPU", F32)((unit - mean) / scale).values())[0].ravel()
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def main(folder):
    folder = Path(folder)
    xml = (folder / "model.xml").read_text()
    cases = []
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "model.xml"
        path.with_suffix(".bin").write_bytes((folder / "model.bin").read_bytes())
        for name, photo, changes in CASES:
            image = read(folder / photo)
            path.write_text(with_info(xml, changes))
            if changes.get("intensity_mode") == "percentile":
                scores = percentile(path, xml, image, changes)
            else:
                scores = model_api(path, image)
            cases.append({"name": name, "photo": photo, "model_info": changes, "probabilities": [round(float(v), 6) for v in scores]})
            print(name, cases[-1]["probabilities"])
    (folder / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


main(*sys.argv[1:])
