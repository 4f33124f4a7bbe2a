"""JPEG files of 12 megapixels decoded no larger than the network needs: how fast, and what changes.

    pip install -r requirements.txt          # in a virtual environment
    cargo build --release
    python scaled.py [--rounds 5] [--photos 40]

Speed: photos of 4032 x 3024 pixels as JPEG files of about 0.65 MB and of about 4 MB, no hook, the
program beside the Python SDK, which reads with OpenCV. A run over few photos is subtracted from
one over many, so that no start counts. Both infer in f32 with the same OpenVINO.

What changes: each of the demo's 207 photos and its mirror image as such a JPEG file, predicted with
`--decoding whole` and with `--decoding scaled`; an OOD model is fitted each way on the photos for
training, and tells the strange ones from the known.
"""

import argparse
import json
import os
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
DEMO = ROOT / "assets" / "demo"
DEPLOYMENT = DEMO / "deployment"
PROGRAM = str(ROOT / "target" / "release" / "straylight")
SIZE = (4032, 3024)
# Grain as of a sensor, and the quality of the JPEG file.
SMALL, LARGE = (2, 70), (14, 90)
FEW = 8


def write_photo(source: Path, target: Path, grain: int, quality: int, mirror: bool, seed: int) -> None:
    """Write a photo of the demo as a JPEG file of 12 megapixels."""
    photo = cv2.imread(str(source))
    photo = cv2.flip(photo, 1) if mirror else photo
    photo = cv2.resize(photo, SIZE, interpolation=cv2.INTER_CUBIC).astype(np.int16)
    rng = np.random.default_rng(seed)
    photo += rng.integers(-grain, grain + 1, photo.shape, dtype=np.int16)
    photo = photo.clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(target), photo, [cv2.IMWRITE_JPEG_QUALITY, quality])


def seconds(command: list) -> float:
    """Run a program to its end."""
    environment = dict(os.environ, STRAYLIGHT_OPENVINO=str(Path(openvino.__file__).parent))
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr}")
    return time.perf_counter() - start


def speed(scratch: Path, name: str, grain: int, quality: int, args: argparse.Namespace) -> None:
    """Measure both programs on photos of one size of file."""
    sources = sorted((DEMO / "photos").rglob("*.webp"))
    many, few = scratch / f"{name}_many", scratch / f"{name}_few"
    many.mkdir()
    few.mkdir()
    for index in range(args.photos):
        path = many / f"photo{index:02}.jpg"
        write_photo(sources[index * 7 % len(sources)], path, grain, quality, mirror=False, seed=index)
        if index < FEW:
            os.link(path, few / path.name)
    size = sum(path.stat().st_size for path in many.iterdir()) / args.photos / 1e6
    worker = str(Path(__file__).with_name("sdk_loop.py"))
    programs = {
        "geti-sdk": [sys.executable, worker, str(DEPLOYMENT)],
        "whole": [PROGRAM, "predict", "--json", "--deployment", str(DEPLOYMENT), "--decoding", "whole"],
        "scaled": [PROGRAM, "predict", "--json", "--deployment", str(DEPLOYMENT)],
    }
    rates = {who: [] for who in programs}
    for _ in range(args.rounds):
        for who, command in programs.items():
            taken = seconds([*command, str(many)]) - seconds([*command, str(few)])
            rates[who].append((args.photos - FEW) / taken)
    medians = {who: statistics.median(found) for who, found in rates.items()}
    print(f"\n{args.photos} photos of {size:.2f} MB, images a second:")
    for who, rate in medians.items():
        print(f"  {who:10} {rate:6.1f}   {rate / medians['geti-sdk']:5.1f} x")


def records(photos: Path, deployment: Path, decoding: str) -> dict:
    """Predict all photos."""
    command = [PROGRAM, "predict", str(photos), "--json", "--deployment", str(deployment)]
    done = subprocess.run([*command, "--decoding", decoding], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {record["name"]: record for record in lines}


def best(record: dict) -> tuple[str, float]:
    """Return the predicted label and its probability."""
    labels = record["prediction"]["annotations"][0]["labels"]
    return labels[0]["name"], labels[0]["probability"]


def auroc(strange: list, known: list) -> float:
    """How often a strange photo has a higher score than a known one."""
    pairs = np.sign(np.subtract.outer(strange, known))
    return float((pairs + 1).mean() / 2)


def fitted(scratch: Path, train: Path, decoding: str) -> Path:
    """Fit an OOD model on the photos for training."""
    folder = scratch / decoding
    command = [PROGRAM, "ood", "fit", "--deployment", str(DEPLOYMENT), "--images", str(train), "--relax"]
    seconds([*command, "--decoding", decoding, "--save", str(folder)])
    return folder / "deployment"


def quality(scratch: Path) -> None:
    """Compare predictions and scores of whole and scaled photos."""
    split = json.loads((DEMO / "split.json").read_text())
    train, seen = scratch / "train", scratch / "seen"
    seen.mkdir()
    kinds = {}
    for part in ("train", "known", "strange"):
        for index, photo in enumerate(split[part]):
            for mirror in (False, True):
                name = f"{Path(photo['file']).stem}_{part}{index}{'_mirror' if mirror else ''}"
                kinds[name] = part
                folder = train / photo["label"] if part == "train" else seen
                folder.mkdir(parents=True, exist_ok=True)
                target = folder / f"{name}.jpg"
                write_photo(DEMO / photo["file"], target, *SMALL, mirror, seed=index)
    deployments = {decoding: fitted(scratch, train, decoding) for decoding in ("whole", "scaled")}
    found = {}
    for decoding, deployment in deployments.items():
        found[decoding] = records(seen, deployment, decoding) | records(train, deployment, decoding)
    whole, scaled = found["whole"], found["scaled"]
    assert set(whole) == set(scaled) == set(kinds), "a photo was left out"
    changed = [name for name in whole if best(whole[name])[0] != best(scaled[name])[0]]
    moved = [abs(best(whole[name])[1] - best(scaled[name])[1]) for name in whole]
    print(f"\n{len(whole)} photos, {len(changed)} labels changed ({len(changed) / len(whole):.2%}):")
    for name in changed:
        print(f"  {name}: {best(whole[name])} whole, {best(scaled[name])} scaled")
    print(f"probabilities moved by {np.median(moved):.4f} in the median, {max(moved):.4f} at most")
    for decoding, seen_records in found.items():
        scores = {part: [] for part in ("train", "known", "strange")}
        for name, record in seen_records.items():
            scores[kinds[name]].append(record["ood_score"])
        print(f"AUROC of strange against known, {decoding}: {auroc(scores['strange'], scores['known']):.4f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--only", choices=("speed", "quality"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        print(f"load {os.getloadavg()[0]:.1f}")
        if args.only != "quality":
            speed(scratch, "small", *SMALL, args)
            speed(scratch, "large", *LARGE, args)
        if args.only != "speed":
            quality(scratch)


if __name__ == "__main__":
    main()
