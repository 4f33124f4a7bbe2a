"""Resident memory of the demo's deployment over many inferences.

    cargo build --release -p straylight-deploy --example throughput
    python memory.py [--seconds 400] [--mode async]

Runs `throughput` for so long (400 s are about 100,000 inferences on two quiet cores), and reads the
process's resident memory meanwhile. Photos are scaled to the model's size for each inference; in
the mode `folder` they are read and decoded as well. Only Linux tells the memory of another process.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = ROOT / "assets" / "demo" / "deployment"
PROGRAM = ROOT / "target" / "release" / "examples" / "throughput"
PARTS = (0.1, 0.25, 0.5, 0.75, 1.0)
# The time between two readings, in seconds.
STEP = 0.5


def start(mode: str, seconds: float) -> subprocess.Popen:
    """Start the program on every tenth photo of the demo."""
    photos = sorted((ROOT / "assets/demo/photos").glob("*/*.webp"))[::10]
    command = [PROGRAM, DEPLOYMENT, seconds, mode, *photos]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)


def resident(process: subprocess.Popen) -> float | None:
    """Return the resident memory of a process in MB; None when it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except FileNotFoundError:
        return None
    lines = [line.split() for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0][1]) * 1024 / 1e6 if lines else None


def watch(process: subprocess.Popen) -> list[tuple[float, float]]:
    """Read seconds since the start and resident memory until the process ends."""
    begun, readings = time.monotonic(), []
    while process.poll() is None:
        memory = resident(process)
        if memory is not None:
            readings.append((time.monotonic() - begun, memory))
        time.sleep(STEP)
    return readings


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=400)
    parser.add_argument("--mode", choices=("sync", "async", "folder"), default="async")
    args = parser.parse_args()
    process = start(args.mode, args.seconds)
    readings = watch(process)
    if process.returncode != 0:
        raise SystemExit(f"{PROGRAM} failed with {process.returncode}")
    done = json.loads(process.stdout.read())["images_per_second"] * args.seconds
    print(f"{done:.0f} inferences in {args.seconds:.0f} s, {len(readings)} readings")
    for part in PARTS:
        place = part * readings[-1][0]
        memory = min(readings, key=lambda reading: abs(reading[0] - place))[1]
        print(f"| after {part:.0%} of the time | {memory:.1f} MB |")
    print(f"| most | {max(memory for _, memory in readings):.1f} MB |")


if __name__ == "__main__":
    main()
