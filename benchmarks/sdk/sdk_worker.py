"""One process of the Python SDK, measured: prints one JSON object, as `straylight bench` does.

The start of the interpreter itself is not counted, which favours the SDK by some 20 ms.

    python sdk_worker.py DEPLOYMENT SECONDS HOOK_FOLDER decode|decoded IMAGE...

HOOK_FOLDER `-` leaves the hook out; `decode` reads each image from its file each time. Same deployment, same images, same f32 arithmetic.
"""

import json
import resource
import sys
import time

START = time.perf_counter()

import cv2  # noqa: E402  (the time of the imports is part of the time to the first prediction)
from geti_sdk.deployment import Deployment  # noqa: E402
from geti_sdk.post_inference_hooks import (  # noqa: E402
    AlwaysTrigger,
    FileSystemDataCollection,
    PostInferenceHook,
)

F32 = {"INFERENCE_PRECISION_HINT": "f32"}


def read(path: str):
    """Decode an image to RGB as the notebook does."""
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def add_hook(deployment: Deployment, folder: str) -> PostInferenceHook:
    """Attach a hook that fires on every image and writes all four files."""
    action = FileSystemDataCollection(target_folder=folder, log_level="debug")
    hook = PostInferenceHook(trigger=AlwaysTrigger(), action=action)
    deployment.add_post_inference_hook(hook)
    return hook


def rounds(deployment: Deployment, images: list, seconds: float, decode: bool) -> list:
    """Infer image after image for some seconds; return the seconds of each."""
    taken = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for image in images:
            start = time.perf_counter()
            deployment.infer(read(image) if decode else image)
            taken.append(time.perf_counter() - start)
    return taken


def main() -> None:
    """Load, predict once, measure, print."""
    folder, seconds, hook_folder, decode, *paths = sys.argv[1:]
    deployment = Deployment.from_folder(folder)
    deployment.load_inference_models(device="CPU", openvino_configuration=F32)
    deployment.infer(read(paths[0]))
    first = time.perf_counter() - START
    decode = decode == "decode"
    images = paths if decode else [read(path) for path in paths]
    hook = None if hook_folder == "-" else add_hook(deployment, hook_folder)
    rounds(deployment, images[:1], 0.5, decode)
    start = time.perf_counter()
    taken = rounds(deployment, images, float(seconds), decode)
    if hook is not None:
        hook.executor.shutdown(wait=True)  # an image counts when its files are there
    elapsed = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({  # one line: the last of the output
        "first_prediction_seconds": first,
        "latency_median_ms": sorted(taken)[len(taken) // 2] * 1000,
        "images_per_second": len(taken) / elapsed,
        "peak_memory_bytes": peak,
    }))


if __name__ == "__main__":
    main()
