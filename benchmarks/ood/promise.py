"""Resplit real held-out images 1,000 times: how often does the promised rate not hold?

python promise.py PROGRAM      writes PROMISE.md

For every trial the real program is fitted once on images that trained the network; it scores all images
of the same classes that the network never saw. Of these, 598 random ones set the threshold (at most 1 %
collected with 95 % confidence) and the others are judged; and that 1,000 times.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import binom, nhypergeom

import data
from evaluate import MAX_FIT, _call, _narrow, _program_set

RATE, RISK, HELD_OUT, RESPLITS = 0.01, 0.05, 598, 1000
PAIRS = ("fashion", "fashion_pooled", "mnist", "animal")


def scores_of(path: Path, program: str) -> np.ndarray:
    """Fit on training images and return the scores of all images that the network never saw."""
    arrays = np.load(path)
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(arrays["train_features"]))[:MAX_FIT])
    train = {k: arrays[f"train_{k}"][rows] for k in ("features", "logits", "labels")}
    train |= {k: arrays[k] for k in ("head_w", "head_b")}
    fresh = [
        np.concatenate([arrays[f"{p}_{k}"] for p in ("calibrate", "test")]) for k in ("features", "logits")
    ]
    with tempfile.TemporaryDirectory() as folder:
        file, model = Path(folder) / "train.npz", Path(folder) / "model"
        np.savez(file, **_narrow(train))
        _call(program, "ood", "fit", "--train", file, "--relax", "--out", model)
        return _program_set(program, model, fresh)


def allowed_above(images: int) -> int:
    """Return how many calibration images may lie above the threshold."""
    return int(np.flatnonzero(binom.cdf(np.arange(images), images, RATE) <= RISK)[-1])


def resplit(scores: np.ndarray, rng) -> np.ndarray:
    """Return the realised rate of each resplit."""
    above = allowed_above(HELD_OUT)
    rates = np.empty(RESPLITS)
    for i in range(RESPLITS):
        order = rng.permutation(len(scores))
        held_out, rest = scores[order[:HELD_OUT]], scores[order[HELD_OUT:]]
        rates[i] = (rest > np.sort(held_out)[::-1][above]).mean()
    return rates


def expected(images: int) -> float:
    """Return the chance that the rate among `images` judged ones exceeds the promised one.

    Exact for exchangeable images, whatever their scores: the noise of the judged images is in it.
    """
    above = allowed_above(HELD_OUT)
    # Judged images above the threshold: drawn before the (above + 1)-th calibration image.
    most = int(np.floor(RATE * images))
    return float(nhypergeom.sf(most, HELD_OUT + images, images, above + 1))


def main() -> None:
    """Resplit every trial and write the table."""
    rng, lines = np.random.default_rng(0), []
    for pair in PAIRS:
        shares, means, chances = [], [], []
        for path in sorted((data.CACHE / "activations").glob(f"{pair}-[0-9]-[0-9].npz")):
            scores = scores_of(path, sys.argv[1])
            rates = resplit(scores, rng)
            shares.append(100 * (rates > RATE).mean())
            means.append(100 * rates.mean())
            chances.append(100 * expected(len(scores) - HELD_OUT))
        each = ", ".join(f"{s:.1f}" for s in shares)
        row = f"| `{pair}` | {np.mean(means):.2f} | {np.mean(shares):.1f} | {np.mean(chances):.1f} | {each} |"
        lines.append(row)
        sys.stdout.write(row + "\n")
    head = __doc__.split("\n\n", 1)[1].split("\n\n", 1)[1]
    columns = "| pair | mean rate, % | above 1 %, % of resplits | expected | each trial |"
    text = ["# The promise, resplit", "", "Written by `python promise.py PROGRAM`; do not edit.", "", head]
    text += [EXPLAINED, columns, "|---" * 5 + "|", *lines, ""]
    (Path(__file__).parent / "PROMISE.md").write_text("\n".join(text))


EXPLAINED = """The threshold promises that the true rate exceeds 1 % in at most 5 % of calibrations. The rate among the judged
images is not the true rate: they are few, and their own noise carries some resplits over 1 %. `expected` is
the exact chance with that noise in it (negative hypergeometric), for exchangeable images; 1,000 resplits of
one set of scores scatter about it by some 0.7 points.
"""

if __name__ == "__main__":
    main()
