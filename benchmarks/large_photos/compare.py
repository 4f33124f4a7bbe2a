"""Forty photos of 12 megapixels, all collected: Straylight beside the Python SDK.

    pip install -r requirements.txt          # in a virtual environment
    cargo build --release
    python compare.py [--rounds 5] [--photos 40]

The photos are JPEG files of 4032 x 3024 pixels (0.7 MB each on average), made of the demo's photos.
A hook fires on each and writes all four files: picture, prediction, score, overlay. The SDK reads
each photo with OpenCV, as its notebook does. Both infer in f32 with the same OpenVINO. A run ends
when the last file is there; each round runs both, one after the other.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import openvino

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = ROOT / "assets" / "demo" / "deployment"
PROGRAM = str(ROOT / "target" / "release" / "straylight")
PARTS = ("images", "predictions", "scores", "overlays")


def make_photos(folder: Path, count: int) -> None:
    """Write photos of 4032 x 3024 pixels, each of another demo photo, with grain as of a sensor."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    sources = sorted((ROOT / "assets" / "demo" / "photos").rglob("*.webp"))
    for index in range(count):
        photo = cv2.imread(str(sources[index * 7 % len(sources)]))
        photo = cv2.resize(photo, (4032, 3024), interpolation=cv2.INTER_CUBIC).astype(np.int16)
        photo += rng.integers(-2, 3, photo.shape, dtype=np.int16)
        photo = photo.clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"photo{index:02}.jpg"), photo, [cv2.IMWRITE_JPEG_QUALITY, 80])


def measure(command: list) -> tuple[float, int]:
    """Run a program to its end: seconds, and its peak memory in bytes."""
    environment = dict(os.environ, STRAYLIGHT_OPENVINO=str(Path(openvino.__file__).parent))
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if child.returncode != 0:
            said.seek(0)
            raise SystemExit(f"{command[0]} failed:\n{said.read()}")
    return seconds, usage.ru_maxrss * 1024


def delivered(folder: Path) -> int:
    """Count the images of which all four files are there."""
    stems = [{path.stem for path in (folder / part).glob("*")} for part in PARTS]
    return len(set.intersection(*stems))


def with_hook(folder: Path, out: Path) -> Path:
    """Copy the deployment and add the hook, as a user does."""
    deployment = folder / "deployment"
    shutil.copytree(DEPLOYMENT, deployment)
    add = [PROGRAM, "hooks", "add", "--deployment", deployment, "--trigger", "always"]
    subprocess.run([*add, "--action", "folder", "--to", out], check=True, capture_output=True)
    return deployment


def run_round(photos: Path, folder: Path) -> dict:
    """Run both once."""
    folder.mkdir()
    ours, theirs = folder / "straylight", folder / "sdk"
    command = [PROGRAM, "run", str(photos), "--deployment", str(with_hook(folder, ours))]
    worker = str(Path(__file__).with_name("sdk_worker.py"))
    results = {
        "straylight": measure(command),
        "geti-sdk": measure([sys.executable, worker, str(DEPLOYMENT), str(photos), str(theirs)]),
    }
    images = {"straylight": delivered(ours), "geti-sdk": delivered(theirs)}
    return {who: (images[who], *results[who]) for who in results}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photos", type=int, default=40)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        photos = Path(scratch, "photos")
        make_photos(photos, args.photos)
        size = sum(path.stat().st_size for path in photos.iterdir()) / args.photos / 1e6
        print(f"{args.photos} photos of {size:.2f} MB, load {os.getloadavg()[0]:.1f}")
        rounds = [run_round(photos, Path(scratch, f"round{turn}")) for turn in range(args.rounds)]
    print(f"{'':12} {'images':>10} {'seconds':>10} {'peak, MB':>10}")
    medians = {}
    for who in ("geti-sdk", "straylight"):
        images = [one[who][0] for one in rounds]
        seconds, memory = (statistics.median(one[who][i] for one in rounds) for i in (1, 2))
        medians[who] = (seconds, memory)
        print(f"{who:12} {min(images):10} {seconds:10.2f} {memory / 1e6:10.0f}")
    ratio = [theirs / ours for theirs, ours in zip(medians["geti-sdk"], medians["straylight"])]
    print(f"{'better':12} {'':10} {ratio[0]:9.2f}x {ratio[1]:9.2f}x")


if __name__ == "__main__":
    main()
