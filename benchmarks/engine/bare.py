"""Nothing but OpenVINO: `bare.py DEPLOYMENT SECONDS sync|async IMAGE...`.

The images are decoded before the clock starts. Where they have not the size of the model, the
graph scales them, as OpenVINO's own pre-processing does.
"""

import itertools
import json
import sys
import time

import cv2
import numpy as np
import openvino as ov


def read(path: str) -> np.ndarray:
    """Decode an image to a batch of one in RGB."""
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)[np.newaxis]


def compiled(folder: str, hint: str, images: list) -> ov.CompiledModel:
    """Compile the demo's model with pre-processing of u8 pictures."""
    core = ov.Core()
    model = core.read_model(f"{folder}/Classification task/model/model.xml")
    _, _, height, width = model.input().shape
    prepare = ov.preprocess.PrePostProcessor(model)
    tensor = prepare.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    if any(image.shape[1:3] != (height, width) for image in images):
        tensor.set_spatial_dynamic_shape()
        prepare.input().preprocess().resize(ov.preprocess.ResizeAlgorithm.RESIZE_LINEAR)
    prepare.input().model().set_layout(ov.Layout("NCHW"))
    options = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(prepare.build(), "CPU", options)


def in_time(images: list, seconds: float):
    """Repeat the images until the time is up."""
    end = time.perf_counter() + seconds
    return itertools.takewhile(lambda _: time.perf_counter() < end, itertools.cycle(images))


def sync(model: ov.CompiledModel, images: list, seconds: float) -> int:
    """Infer one image after the other in one request."""
    request, count = model.create_infer_request(), 0
    for image in in_time(images, seconds):
        request.set_input_tensor(ov.Tensor(image))
        request.infer()
        count += 1
    return count


def asynchronous(model: ov.CompiledModel, images: list, seconds: float) -> int:
    """Keep as many requests busy as the device asks for."""
    queue, count = ov.AsyncInferQueue(model), 0
    tensors = [ov.Tensor(image) for image in images]
    for tensor in in_time(tensors, seconds):
        queue.start_async({0: tensor})
        count += 1
    queue.wait_all()
    return count


def main() -> None:
    """Compile, warm up, measure, print."""
    folder, seconds, mode, *paths = sys.argv[1:]
    images = [read(path) for path in paths]
    model = compiled(folder, "LATENCY" if mode == "sync" else "THROUGHPUT", images)
    run = sync if mode == "sync" else asynchronous
    run(model, images, 0.5)
    start = time.perf_counter()
    count = run(model, images, float(seconds))
    print(json.dumps({"images_per_second": count / (time.perf_counter() - start)}))


if __name__ == "__main__":
    main()
