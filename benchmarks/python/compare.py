"""Compares the installed package with the SDK, side by side, each in processes of its own.

    compare.py --sdk PYTHON --ours PYTHON --deployment FOLDER --photos FOLDER [--json FILE]

`--sdk` and `--ours` are interpreters in whose environments geti-sdk and straylight-vision are
installed, both with OpenCV. Measure with a release wheel on an idle machine.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")

#: What is wanted: the ratio of ours to the SDK's, and whether it is a lower or an upper bound.
GOALS = {"import": ("at most", 0.1), "hooks": ("at least", 2.25)}


def run(python, package, what, arguments, times=1):
    """The results of some runs, the last first."""
    command = [python, WORKER, package, what, arguments.deployment, arguments.photos, arguments.out]
    found = []
    for _ in range(times):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.insert(0, json.loads(done.stdout.splitlines()[-1]))
    return found


def best_import(python, package, arguments):
    """The best of five, after the first has filled the caches."""
    return min(it["seconds"] for it in run(python, package, "import", arguments, 6)[:5])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--sdk", "--ours", "--deployment", "--photos"):
        parser.add_argument(name, required=True)
    parser.add_argument("--json")
    parser.add_argument("--turns", type=int, default=9, help="runs of each with hooks")
    parser.add_argument("--only", choices=["import", "hooks", "threads"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as arguments.out:
        return measure(arguments)


def measure(arguments):
    """Runs what is asked for; 1 if a goal is missed."""
    wanted = [arguments.only] if arguments.only else ["import", "hooks", "threads"]
    pairs = {"geti_sdk": arguments.sdk, "straylight": arguments.ours}
    report = {}
    if "import" in wanted:
        report["import"] = {name: best_import(it, name, arguments) for name, it in pairs.items()}
    if "hooks" in wanted:
        # In turns, so that what the machine does besides meets both.
        turns = [
            {name: run(it, name, "hooks", arguments)[0] for name, it in pairs.items()}
            for _ in range(arguments.turns)
        ]
        report["hooks"] = {
            name: statistics.median(turn[name]["photos_a_second"] for turn in turns)
            for name in pairs
        }
        ratios = [
            turn["straylight"]["photos_a_second"] / turn["geti_sdk"]["photos_a_second"]
            for turn in turns
        ]
        print("hooks, ratio of each turn:", *(f"{ratio:.2f}" for ratio in sorted(ratios)))
    if "threads" in wanted:
        report["threads"] = {
            name: run(it, name, "threads", arguments)[0] for name, it in pairs.items()
        }
    missed = []
    for what, (bound, goal) in GOALS.items():
        if what in report:
            ratio = report[what]["straylight"] / report[what]["geti_sdk"]
            met = ratio <= goal if bound == "at most" else ratio >= goal
            print(f"{what}: {report[what]}  ratio {ratio:.3f} ({bound} {goal}: {met})")
            missed += [] if met else [what]
    if "threads" in report:
        print(f"threads: {report['threads']}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=2))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
