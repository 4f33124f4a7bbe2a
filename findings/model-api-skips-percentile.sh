#!/usr/bin/env bash
# Model API skips intensity_mode percentile, and a model sees raw pixels
#
# Guess: a model whose metadata say `intensity_mode` percentile is given the pixels between the two
# percentiles, stretched to 0..1, as in its training.
#
# Package: openvino-model-api 0.4.7 (openvino 2026.4.1, numpy 2.4.6)
#
# Behaviour: for a model of fixed size the pre-processing is built into the graph, and that builder
# knows "scale_to_unit", "window" and "range_scale" only. With "percentile" it adds nothing and says
# nothing: the model gets 0..65535, the same as with "none". With scale_to_unit and
# `intensity_max_value` it divides, and lets values above the maximum through.
#
# Output seen:
#     none          88 .. 65447
#     percentile    88 .. 65447
#     window        0 .. 1
#
# Where a user of Straylight meets it: exports of getitune for 16-bit images, checked against Model
# API. Straylight computes the percentiles as the training does, and the two disagree; Straylight's
# labels are those of the training.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    openvino-model-api==0.4.7 openvino==2026.4.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import logging
import sys

import numpy as np
import openvino
from model_api.adapters import OpenvinoAdapter, create_core
from model_api.models.image_model import ImageModel
from openvino import opset13

logging.disable(logging.CRITICAL)


class Passing(ImageModel):
    """Gives back what the model was given."""

    __model__ = "Passing"

    def postprocess(self, outputs, meta):
        return outputs["seen"]


image = opset13.parameter([1, 3, 64, 96], np.float32, name="image")
image.output(0).tensor.set_names({"image"})
seen = opset13.relu(image)
seen.output(0).tensor.set_names({"seen"})
openvino.save_model(openvino.Model([seen], [image], "passing"), "model.xml")
ramp = np.linspace(0, 65535, 77 * 131).reshape(77, 131).astype(np.uint16)

ranges = {}
for mode, keys in {
    "none": {},
    "percentile": {"intensity_percentile_low": 1.0, "intensity_percentile_high": 99.0},
    "window": {"intensity_window_center": 30000.0, "intensity_window_width": 20000.0},
}.items():
    adapter = OpenvinoAdapter(create_core(), "model.xml", device="CPU", plugin_config={"INFERENCE_PRECISION_HINT": "f32"})
    model = Passing(adapter, {"input_dtype": "u16", "intensity_mode": mode, **keys}, preload=True)
    pixels = model(np.dstack([ramp] * 3))
    ranges[mode] = float(pixels.min()), float(pixels.max())
    print(f"{mode:13} {pixels.min():.0f} .. {pixels.max():.0f}")
if not (ranges["percentile"] == ranges["none"] and ranges["window"][1] == 1):
    sys.exit("changed: Model API applies the percentiles")
PY
