"""Throughput on the demo model beside the bare OpenVINO loop and the Python SDK.

    pip install -r ../sdk/requirements.txt   # in a virtual environment
    cargo build --release -p straylight-deploy --example throughput
    python compare.py [--rounds 5] [--seconds 3]

`sync` is one image after the other with the latency hint, `async` as many at once as the device
asks for with the throughput hint; both without decoding. `folder` reads and decodes each image
from its file as well, on all cores. The bare loop feeds OpenVINO one ready tensor of the model's
size again and again: no resizing, no reading of outputs, no labels. All in f32, in one run;
medians over the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import openvino

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DEPLOYMENT = ROOT / "assets" / "demo" / "deployment"
OURS = ROOT / "target" / "release" / "examples" / "throughput"
MODES = ("sync", "async", "folder")
GOALS = {"bare": {"sync": 0.97, "async": 0.97}, "sdk": {"sync": 1.15, "folder": 1.5}}


def run(command: list) -> float:
    """Run one measured process and return its images a second."""
    environment = dict(os.environ, STRAYLIGHT_OPENVINO=str(Path(openvino.__file__).parent))
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=environment
    )
    if result.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{result.stderr}")
    return json.loads(result.stdout.strip().splitlines()[-1])["images_per_second"]


def measure(images: list, seconds: float) -> dict:
    """Run all once."""
    figures = {}
    for mode in MODES:
        words = [DEPLOYMENT, seconds, mode, *images]
        figures["straylight", mode] = run([OURS, *words])
        for other in ("bare", "sdk"):
            if (other, mode) != ("bare", "folder"):
                figures[other, mode] = run([sys.executable, HERE / f"{other}.py", *words])
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    images = sorted((ROOT / "assets/demo/photos").glob("*/*.webp"))[::10]
    rounds = [measure(images, args.seconds) for _ in range(args.rounds)]
    speed = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    print(f"{'':8} {'straylight':>11} {'other':>16} {'ratio':>8} {'goal':>6}")
    for (other, mode), figure in speed.items():
        if other != "straylight":
            goal = GOALS[other].get(mode, "")
            ours = speed["straylight", mode]
            ratio = ours / figure
            print(f"{mode:8} {ours:11.1f} {other:>6} {figure:9.1f} {ratio:8.2f} {goal:>6}")


if __name__ == "__main__":
    main()
