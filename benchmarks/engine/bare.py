"""Nothing but OpenVINO: `bare.py DEPLOYMENT SECONDS sync|async IMAGE...` (no image is read)."""

import json
import sys
import time

import numpy as np
import openvino as ov


def compiled(folder: str, hint: str) -> ov.CompiledModel:
    """Compile the demo's model with the same pre-processing of a ready-sized u8 picture."""
    core = ov.Core()
    model = core.read_model(f"{folder}/Classification task/model/model.xml")
    prepare = ov.preprocess.PrePostProcessor(model)
    prepare.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    prepare.input().model().set_layout(ov.Layout("NCHW"))
    options = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(prepare.build(), "CPU", options)


def sync(model: ov.CompiledModel, seconds: float) -> float:
    """Infer one tensor again and again in one request."""
    request = model.create_infer_request()
    request.set_input_tensor(ov.Tensor(np.zeros(list(model.input().shape), np.uint8)))
    count, start = 0, time.perf_counter()
    while time.perf_counter() < start + seconds:
        request.infer()
        count += 1
    return count / (time.perf_counter() - start)


def asynchronous(model: ov.CompiledModel, seconds: float) -> float:
    """Keep as many requests busy as the device asks for."""
    queue = ov.AsyncInferQueue(model)
    for request in queue:
        request.set_input_tensor(ov.Tensor(np.zeros(list(model.input().shape), np.uint8)))
    count, start = 0, time.perf_counter()
    while time.perf_counter() < start + seconds:
        queue.start_async()
        count += 1
    queue.wait_all()
    return count / (time.perf_counter() - start)


def main() -> None:
    """Compile, warm up, measure, print."""
    folder, seconds, mode = sys.argv[1:4]
    model = compiled(folder, "LATENCY" if mode == "sync" else "THROUGHPUT")
    run = sync if mode == "sync" else asynchronous
    run(model, 0.5)
    print(json.dumps({"images_per_second": run(model, float(seconds))}))


if __name__ == "__main__":
    main()
