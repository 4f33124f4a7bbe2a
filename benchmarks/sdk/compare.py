"""Straylight beside the Python SDK: the same deployment, images, runtime and f32 arithmetic.

    pip install -r requirements.txt          # in a virtual environment
    cargo build --release
    python compare.py [--rounds 5] [--seconds 4]

Each round runs the programs one after the other, so that a slow minute of the machine
hits all of them; what is printed are medians over the rounds and the ratios of the medians.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import openvino

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = ROOT / "assets" / "demo" / "deployment"
GOALS = {
    "infer": 1.1,
    "infer with hook": 2.5,
    "first prediction": 6.0,
    "memory with hook": 3.0,
    "memory, a stream": 3.0,
}


def run(command: list) -> dict:
    """Run one measured process and return what it printed."""
    environment = dict(os.environ, STRAYLIGHT_OPENVINO=str(Path(openvino.__file__).parent))
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{result.stderr}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def sdk(images: list, seconds: float, hook: str, decode: bool = False) -> dict:
    """Measure the Python SDK."""
    worker = str(Path(__file__).with_name("sdk_worker.py"))
    decoded = ["decode" if decode else "decoded"]
    return run([sys.executable, worker, str(DEPLOYMENT), str(seconds), hook, *decoded, *images])


def straylight(images: list, seconds: float, hook: str, decode: bool = False) -> dict:
    """Measure Straylight."""
    program = ROOT / "target" / "release" / "straylight"
    command = [str(program), "bench", "--deployment", str(DEPLOYMENT), "--seconds", str(seconds)]
    command += ["--json", "-", "--compact"]
    if hook != "-":
        command += ["--collect", hook]
    if decode:
        command += ["--decode"]
    return run([*command, *images])


def measure(images: list, seconds: float, folder: Path) -> dict:
    """Run all six once; what is collected goes into this folder.

    In the stream each image is read from its file, as from a camera: no two inferences share
    their pixels, and what a hook has not yet written has to be kept.
    """
    return {
        "sdk": sdk(images, seconds, "-"),
        "straylight": straylight(images, seconds, "-"),
        "sdk hook": sdk(images, seconds, f"{folder}/sdk"),
        "straylight hook": straylight(images, seconds, f"{folder}/straylight"),
        "sdk stream": sdk(images, seconds, f"{folder}/sdk-stream", decode=True),
        "straylight stream": straylight(images, seconds, f"{folder}/stream", decode=True),
    }


def median(rounds: list, who: str, what: str) -> float:
    """Return the median of a figure over the rounds."""
    return statistics.median(one[who][what] for one in rounds)


def row(rounds: list, name: str, what: str, suffix: str, more_is_better: bool) -> None:
    """Print one line of the table."""
    theirs, ours = (median(rounds, who + suffix, what) for who in ("sdk", "straylight"))
    ratio = ours / theirs if more_is_better else theirs / ours
    print(f"{name:18} {theirs:14.4g} {ours:14.4g} {ratio:8.2f} x {GOALS[name]:8.1f} x")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    args = parser.parse_args()
    photos = sorted((ROOT / "assets/demo/photos/monument").glob("*_b.webp"))
    images = [str(path) for path in photos[:8]]  # 1024 pixels wide; few, for the memory's sake
    # Nothing is deleted before the end: ext4 pays for deleted files when the next are made.
    with tempfile.TemporaryDirectory() as folder:
        turns = [Path(folder, str(turn)) for turn in range(args.rounds)]
        rounds = [measure(images, args.seconds, turn) for turn in turns]
    print(f"{'':18} {'geti-sdk':>14} {'straylight':>14} {'better':>10} {'goal':>10}")
    row(rounds, "infer", "images_per_second", "", True)
    row(rounds, "infer with hook", "images_per_second", " hook", True)
    row(rounds, "first prediction", "first_prediction_seconds", "", False)
    row(rounds, "memory with hook", "peak_memory_bytes", " hook", False)
    row(rounds, "memory, a stream", "peak_memory_bytes", " stream", False)


if __name__ == "__main__":
    main()
