"""What a hook costs inference: the demo model alone, with a hook that fires on 2 % of the images,
and with one that fires on all of them and writes picture, prediction, score and overlay.

    cargo build --release
    python overhead.py [--rounds 5] [--seconds 4]

Each round runs the three one after the other, so that a slow minute of the machine hits all of
them; what is printed are medians over the rounds and their ratios. Needs nothing but Python.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = ROOT / "assets" / "demo" / "deployment"
SHARES = {"no hook": None, "2 %": 0.02, "100 %": 1.0}
GOALS = {"2 %": 0.98, "100 %": 0.75}


def bench(
    program: Path, images: list, seconds: float, share: float | None, folder: Path
) -> dict:
    """Measure one way in a process of its own; what it collects goes into this folder."""
    command = [program, "bench", "--deployment", DEPLOYMENT, "--seconds", seconds]
    command += ["--json", "-", "--compact"]
    if share is not None:
        command += ["--collect", folder, "--collect-share", share]
    command = [str(word) for word in [*command, *images]]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{result.stderr}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/straylight")
    args = parser.parse_args()
    photos = sorted((ROOT / "assets/demo/photos/monument").glob("*_b.webp"))[:8]
    # Nothing is deleted before the end: ext4 pays for deleted files when the next are made.
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            {
                name: bench(args.program, photos, args.seconds, share, Path(folder, f"{turn}{name}"))
                for name, share in SHARES.items()
            }
            for turn in range(args.rounds)
        ]
    speeds = {
        name: statistics.median(one[name]["images_per_second"] for one in rounds)
        for name in SHARES
    }
    for name in SHARES:
        collected = sum(one[name]["collected"] for one in rounds)
        dropped = sum(one[name]["dropped"] for one in rounds)
        ratio = speeds[name] / speeds["no hook"]
        goal = f"(goal {GOALS[name]})" if name in GOALS else ""
        print(
            f"{name:8} {speeds[name]:8.1f} images/s  {ratio:6.3f} of none {goal:12}"
            f"  {collected} collected, {dropped} dropped"
        )


if __name__ == "__main__":
    main()
