"""Throughput on the demo model beside the bare OpenVINO loop and the Python SDK.

    pip install -r ../sdk/requirements.txt   # in a virtual environment
    cargo build --release -p straylight-deploy --example throughput
    python compare.py [--rounds 5] [--seconds 3]

`sync` is one image after the other with the latency hint, `async` as many at once as the device
asks for with the throughput hint; both without decoding. `ready` images have the size of the
model, so that nothing but the engine works; `photos` are scaled to it: by us, by the SDK, and by
the graph in the bare loop. `folder` reads and decodes each image from its file as well, on all
cores, from the demo's own WebP files and from JPEG copies of them. The bare loop reads no output
and knows no labels. All in f32, in one run; medians over the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import openvino

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DEPLOYMENT = ROOT / "assets" / "demo" / "deployment"
OURS = ROOT / "target" / "release" / "examples" / "throughput"
MODEL_SIZE = (224, 224)
CASES = (
    ("sync", "ready"), ("async", "ready"), ("sync", "photos"), ("async", "photos"),
    ("folder", "webp"), ("folder", "jpeg"),
)  # fmt: skip
GOALS = {"bare": {"sync": 0.97, "async": 0.97}, "sdk": {"sync": 1.15, "folder": 1.5}}


def pictures(folder: Path) -> dict:
    """The demo's photos, and copies of them: as JPEG, and in the size of the model."""
    files = {"webp": sorted((ROOT / "assets/demo/photos").glob("*/*.webp"))[::10]}
    files["photos"] = files["webp"]
    files |= {"jpeg": [], "ready": []}
    for number, path in enumerate(files["webp"]):
        image = cv2.imread(str(path))
        files["jpeg"].append(folder / f"{number}.jpg")
        cv2.imwrite(str(files["jpeg"][-1]), image)
        files["ready"].append(folder / f"{number}.png")
        cv2.imwrite(str(files["ready"][-1]), cv2.resize(image, MODEL_SIZE))
    return files


def run(command: list) -> float:
    """Run one measured process and return its images a second."""
    environment = dict(os.environ, STRAYLIGHT_OPENVINO=str(Path(openvino.__file__).parent))
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=environment
    )
    if result.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{result.stderr}")
    return json.loads(result.stdout.strip().splitlines()[-1])["images_per_second"]


def measure(images: dict, seconds: float) -> dict:
    """Run all once."""
    figures = {}
    for mode, kind in CASES:
        words = [DEPLOYMENT, seconds, mode, *images[kind]]
        figures["straylight", mode, kind] = run([OURS, *words])
        for other in ("bare", "sdk"):
            if (other, mode) != ("bare", "folder"):
                figures[other, mode, kind] = run([sys.executable, HERE / f"{other}.py", *words])
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images = pictures(Path(folder))
        rounds = [measure(images, args.seconds) for _ in range(args.rounds)]
    speed = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    print(f"{'':15} {'straylight':>11} {'other':>16} {'ratio':>8} {'goal':>6}")
    for (other, mode, kind), figure in speed.items():
        if other != "straylight":
            goal = GOALS[other].get(mode, "")
            ours = speed["straylight", mode, kind]
            case = f"{mode} {kind}"
            ratio = ours / figure
            print(f"{case:15} {ours:11.1f} {other:>6} {figure:9.1f} {ratio:8.2f} {goal:>6}")


if __name__ == "__main__":
    main()
