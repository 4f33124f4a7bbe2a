"""One measurement of one package in a process of its own; prints one line of JSON.

    worker.py PACKAGE WHAT DEPLOYMENT PHOTOS OUT

PACKAGE is `straylight` or `geti_sdk`; only its name differs between the two. What hooks write is
left in the folder OUT: file systems are slow for a while where much was just deleted. WHAT:

import    seconds to import what the notebook imports
hooks     photos a second through inference and a hook that writes all four files of each
threads   photos a second with one and with ten threads that call `infer`
"""

import contextlib
import importlib
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

ROUNDS = 3


def imports(package):
    for name, things in {
        package: ["Geti", "Visualizer"],
        f"{package}.utils": ["get_server_details_from_env"],
        f"{package}.rest_clients": ["ModelClient", "ProjectClient"],
        f"{package}.deployment": ["Deployment"],
        f"{package}.post_inference_hooks": [
            "AlwaysTrigger",
            "FileSystemDataCollection",
            "GetiDataCollection",
            "ObjectCountTrigger",
            "PostInferenceHook",
        ],
    }.items():
        module = importlib.import_module(name)
        for thing in things:
            getattr(module, thing)


def load(package, folder):
    deployment = importlib.import_module(f"{package}.deployment").Deployment.from_folder(folder)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    deployment.load_inference_models(device="CPU", openvino_configuration=exact)
    return deployment


def photos_in(folder):
    import cv2

    paths = sorted(Path(folder).rglob("*.webp"))[:100]
    return [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in paths]


def hooks(package, deployment, photos, out):
    module = importlib.import_module(f"{package}.post_inference_hooks")
    best = 0.0
    for _ in range(ROUNDS):
        folder = tempfile.mkdtemp(dir=out)
        action = module.FileSystemDataCollection(target_folder=folder)
        hook = module.PostInferenceHook(module.AlwaysTrigger(), action, max_threads=5)
        deployment.add_post_inference_hook(hook)
        os.sync()  # We wait for the disk and the SDK does not: what it left must not be on us.
        start = time.perf_counter()
        for photo in photos:
            deployment.infer(photo)
        if package == "straylight":
            assert deployment.await_hooks(600)
        else:
            hook.executor.shutdown(wait=True)
        best = max(best, len(photos) / (time.perf_counter() - start))
        deployment.clear_inference_hooks()
        written = {
            part: len(list((Path(folder) / part).iterdir()))
            for part in ("images", "predictions", "scores", "overlays")
        }
        assert set(written.values()) == {len(photos)}, written
    return {"photos_a_second": best, "written": written}


def threads(deployment, photos, counts=(1, 10)):
    """Photos a second, and how many calls raised: what raises does not count as inferred."""
    result = {}
    for count in counts:
        best, failed = 0.0, 0
        for _ in range(ROUNDS):
            done = [0] * count

            def infer(index, done=done, count=count):
                for photo in photos[index::count]:
                    with contextlib.suppress(Exception):
                        deployment.infer(photo)
                        done[index] += 1

            workers = [threading.Thread(target=infer, args=(index,)) for index in range(count)]
            start = time.perf_counter()
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            best = max(best, sum(done) / (time.perf_counter() - start))
            failed += len(photos) - sum(done)
        result[f"{count}_threads"] = {"photos_a_second": best, "failed": failed}
    return result


def main():
    package, what, folder, photos, out = sys.argv[1:6]
    start = time.perf_counter()
    imports(package)
    seconds = time.perf_counter() - start
    if what == "import":
        result = {"seconds": seconds}
    else:
        deployment, pictures = load(package, folder), photos_in(photos)
        for picture in pictures[:5]:
            deployment.infer(picture)
        result = (
            hooks(package, deployment, pictures, out)
            if what == "hooks"
            else threads(deployment, pictures)
        )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
