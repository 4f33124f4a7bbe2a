"""What a hook costs inference: the demo model alone, with a hook that fires on 2 % of the images,
and with one that fires on all of them and writes picture, prediction, score and overlay. Once on
photos that are in memory already, so that inference has both cores for itself, and once with
photos that are read from their files one by one, as `infer` is called in a loop.

    cargo build --release
    python overhead.py [--rounds 5] [--seconds 4]

Each round runs all ways one after the other, so that a slow minute of the machine hits all of
them, and in random order: what runs after a way that leaves a core idle finds a faster processor.
What is printed are medians over the rounds and their ratios. Needs nothing but Python.
"""

import argparse
import json
import random
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = ROOT / "assets" / "demo" / "deployment"


class Way(NamedTuple):
    """One way to run: from files or from memory, and the share of images that fire, if any."""

    decode: bool
    share: float | None = None
    goal: float | None = None

    def __str__(self) -> str:
        source = "files" if self.decode else "memory"
        return f"{source}, no hook" if self.share is None else f"{source}, {self.share:.0%} fire"


WAYS = [
    Way(decode, share, goal)
    for decode in (False, True)
    for share, goal in ((None, None), (0.02, 0.98), (1.0, 0.75))
]


def bench(
    program: Path, deployment: Path, images: list, seconds: float, way: Way, folder: Path
) -> dict:
    """Measure one way in a process of its own; what it collects goes into this folder."""
    command = [program, "bench", "--deployment", deployment, "--seconds", seconds]
    command += ["--json", "-", "--compact"]
    if way.decode:
        command += ["--decode"]
    if way.share is not None:
        command += ["--collect", folder, "--collect-share", way.share]
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
    parser.add_argument("--deployment", type=Path, default=DEPLOYMENT)
    args = parser.parse_args()
    photos = sorted((ROOT / "assets/demo/photos/monument").glob("*_b.webp"))[:8]
    what = (args.program, args.deployment)
    # Nothing is deleted before the end: ext4 pays for deleted files when the next are made.
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            {
                way: bench(*what, photos, args.seconds, way, Path(folder, f"{turn}-{place}"))
                for place, way in enumerate(random.sample(WAYS, len(WAYS)))
            }
            for turn in range(args.rounds)
        ]
    for way in WAYS:
        show(way, rounds)


def show(way: Way, rounds: list) -> None:
    """Print one line of the table."""
    speed, without = (
        statistics.median(one[other]["images_per_second"] for one in rounds)
        for other in (way, Way(way.decode))
    )
    collected, dropped = (sum(one[way][what] for one in rounds) for what in ("collected", "dropped"))
    goal = f"(goal {way.goal})" if way.goal else ""
    print(
        f"{way!s:18} {speed:8.1f} images/s  {speed / without:6.3f} of none {goal:12}"
        f"  {collected} collected, {dropped} dropped"
    )


if __name__ == "__main__":
    main()
