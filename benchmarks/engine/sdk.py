"""The Python SDK: `sdk.py DEPLOYMENT SECONDS sync|async|folder IMAGE...`.

`folder` is what the SDK's users write: read, convert, infer asynchronously, one request a core.
"""

import itertools
import json
import os
import sys
import time

import cv2
from geti_sdk.deployment import Deployment

F32 = {"INFERENCE_PRECISION_HINT": "f32"}


def read(path: str):
    """Decode an image to RGB as the notebook does."""
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def run(images, infer, finish, seconds: float) -> float:
    """Infer image after image for some seconds."""
    count, start = 0, time.perf_counter()
    for image in itertools.cycle(images):
        if time.perf_counter() >= start + seconds:
            break
        infer(image)
        count += 1
    finish()
    return count / (time.perf_counter() - start)


def main() -> None:
    """Load, warm up, measure, print."""
    folder, seconds, mode, *paths = sys.argv[1:]
    deployment = Deployment.from_folder(folder)
    requests = 1 if mode == "sync" else os.cpu_count()
    deployment.load_inference_models(
        device="CPU", max_async_infer_requests=requests, openvino_configuration=F32
    )
    images = paths if mode == "folder" else [read(path) for path in paths]
    finish = deployment.await_all
    if mode == "sync":
        infer, finish = deployment.infer, lambda: None
    else:
        deployment.set_asynchronous_callback(lambda image, prediction, data: None)
        infer = deployment.infer_async
    if mode == "folder":
        start_infer = infer
        infer = lambda path: start_infer(read(path))  # noqa: E731
    run(images, infer, finish, 0.5)
    print(json.dumps({"images_per_second": run(images, infer, finish, float(seconds))}))


if __name__ == "__main__":
    main()
