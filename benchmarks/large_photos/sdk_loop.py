"""One run of the Python SDK over a folder of photos, without a hook, as its notebook does.

    python sdk_loop.py DEPLOYMENT PHOTOS
"""

import sys
from pathlib import Path

import cv2
from geti_sdk.deployment import Deployment


def main() -> None:
    """Infer each photo once."""
    deployment = Deployment.from_folder(sys.argv[1])
    configuration = {"INFERENCE_PRECISION_HINT": "f32"}
    deployment.load_inference_models(device="CPU", openvino_configuration=configuration)
    for path in sorted(Path(sys.argv[2]).iterdir()):
        deployment.infer(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))


if __name__ == "__main__":
    main()
