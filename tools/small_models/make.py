"""Make `fixtures/models`: small ONNX and TFLite models whose results can be computed by hand.

    pip install -r tools/small_models/requirements.txt
    python tools/small_models/make.py fixtures/models

`fixtures/README.md` says what each model computes. Running the script twice gives the same bytes.
"""

import sys
from pathlib import Path

import onnx_models
import tflite_models


def main() -> None:
    """Write all models."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    models = {
        "classifier.onnx": onnx_models.classifier(),
        "detector.onnx": onnx_models.detector(),
        "rows.onnx": onnx_models.rows(),
        "classifier.tflite": tflite_models.classifier(),
    }
    for name, content in models.items():
        (folder / name).write_bytes(content)
        print(name, len(content), "bytes")


if __name__ == "__main__":
    main()
