"""From a JPEG file to objects: Straylight beside Ultralytics' own `predict` on the same OpenVINO export.

    python speed.py STRAYLIGHT OUT PHOTO.jpg [SECONDS]

A YOLO11n of 640 x 640 with random weights, f32, the threads that OpenVINO takes by itself. Both take one image
at a time. The time of the network alone is that of the bare OpenVINO loop, in the same run, for both.
"""

import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import openvino as ov

ROUNDS = 3


def export(out: Path, photo: Path) -> Path:
    """Export the detector once; return its folder, which is a deployment."""
    import ultralytics_models  # noqa: F401
    from common import few, seeded, spread_batchnorm
    from PIL import Image
    from torchvision.transforms.functional import to_tensor
    from ultralytics import YOLO

    folder = out / "yolo11n_openvino_model"
    if folder.exists():
        return folder
    yolo = YOLO("yolo11n.yaml", task="detect")
    yolo.model.load_state_dict(seeded(lambda: YOLO("yolo11n.yaml", task="detect").model).state_dict())
    prepare = lambda image: to_tensor(image.resize((640, 640)))[None]  # noqa: E731
    spread_batchnorm(yolo.model, [photo], prepare)
    yolo.model.eval()
    few(yolo.model, [part[-1] for part in yolo.model.model[-1].cv3], [prepare(Image.open(photo).convert("RGB"))], count=20)
    out.mkdir(parents=True, exist_ok=True)
    import torch

    torch.save({"model": yolo.model, "train_args": {}}, out / "yolo11n.pt")
    YOLO(str(out / "yolo11n.pt")).export(format="openvino", imgsz=640, device="cpu", verbose=False)
    return folder


def network(model: Path, seconds: float) -> float:
    """Return the milliseconds of the network alone."""
    core = ov.Core()
    compiled = core.compile_model(str(model), "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
    request, image = compiled.create_infer_request(), np.random.default_rng(0).random((1, 3, 640, 640), np.float32)
    times, end = [], time.perf_counter() + seconds
    request.infer([image])
    while time.perf_counter() < end:
        begin = time.perf_counter()
        request.infer([image])
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


def ultralytics(folder: Path, photo: Path, seconds: float) -> float:
    """Return the milliseconds of `predict` from the file to the objects."""
    from common import in_f32
    from ultralytics import YOLO

    in_f32()
    yolo = YOLO(str(folder), task="detect")
    for _ in range(3):
        result = yolo.predict(photo, imgsz=640, device="cpu", verbose=False)[0]
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        result = yolo.predict(photo, imgsz=640, device="cpu", verbose=False)[0]
        times.append(time.perf_counter() - begin)
    print("Ultralytics' own words:", {key: round(value, 2) for key, value in result.speed.items()}, len(result.boxes), "objects")
    return 1000 * statistics.median(times)


def straylight(program: str, folder: Path, photo: Path, seconds: float) -> float:
    """Return the milliseconds from the file to the objects."""
    words = [program, "bench", str(photo), "--deployment", str(folder), "--decode", "--seconds", str(seconds), "--json", "-"]
    report = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    print("Straylight's own words:", json.dumps(report)[:600])
    return float(report["latency_median_ms"])


def stream_of_ultralytics(folder: Path, photos: Path) -> float:
    """Return the milliseconds an image of `predict` over a folder."""
    from ultralytics import YOLO

    yolo = YOLO(str(folder), task="detect")
    yolo.predict(next(photos.iterdir()), imgsz=640, device="cpu", verbose=False)
    begin, count = time.perf_counter(), 0
    for _ in yolo.predict(photos, imgsz=640, device="cpu", verbose=False, stream=True):
        count += 1
    return 1000 * (time.perf_counter() - begin) / count


def stream_of_straylight(program: str, folder: Path, photos: Path) -> float:
    """Return the milliseconds an image of `predict` over a folder, as it says itself: without loading the model."""
    words = [program, "predict", str(photos), "--deployment", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    count, seconds = re.search(r"(\d+) images in ([0-9.]+) s", done.stdout + done.stderr).groups()
    return 1000 * float(seconds) / int(count)


def copies(out: Path, photo: Path, count: int) -> Path:
    """Return a folder with so many copies of the photo."""
    place = out / "photos"
    place.mkdir(exist_ok=True)
    for number in range(count):
        shutil.copy(photo, place / f"{number:04}.jpg")
    return place


def main() -> None:
    """Print the medians of three rounds, one image at a time and for a folder."""
    program, out, photo = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 8
    folder = export(out, photo)
    xml = next(folder.glob("*.xml"))
    if not (folder / "straylight.json").exists():
        subprocess.run([program, "deployment", "init", str(xml), "--force"], check=True)
    rounds = [(network(xml, seconds), ultralytics(folder, photo, seconds), straylight(program, folder, photo, seconds)) for _ in range(ROUNDS)]
    alone, theirs, ours = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"| network alone | {alone:.2f} ms |\n| Ultralytics | {theirs:.2f} ms, {theirs - alone:.2f} outside |")
    photos = copies(out, photo, int(20 * seconds))
    rounds = [(stream_of_ultralytics(folder, photos), stream_of_straylight(program, folder, photos)) for _ in range(ROUNDS)]
    theirs_of_folder, ours_of_folder = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"| folder: Ultralytics {theirs_of_folder:.2f} ms an image, Straylight {ours_of_folder:.2f} ms: {theirs_of_folder / ours_of_folder:.2f} x |")
    print(f"| Straylight | {ours:.2f} ms, {ours - alone:.2f} outside: {(ours - alone) / (theirs - alone):.2f} of it, {theirs / ours:.2f} x |")


if __name__ == "__main__":
    main()
