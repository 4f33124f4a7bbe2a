"""Run every detector and combination over the cached activations and write one table.

python evaluate.py run [name pattern]   scores every trial, one .npz file each
python evaluate.py program PATH         scores every such trial with the real program too
python evaluate.py table                fuses, measures, and writes RESULTS.md
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

import data
import detectors
import fusion
from reference import Reference

SCORES = data.CACHE / "contest"
MAX_FIT, MAX_QUERY, MAX_FAR = (
    int(n) for n in os.environ.get("STRAYLIGHT_OOD_MOST", "1200,500,200").split(",")
)
HYPOTHESIS = ("knn", "rmds", "vim", "gen")
# The Gaussian on raw features counts twice; all constants were chosen on the `dev_` pairs alone.
DEFAULT = ("gaussian", "gaussian", "gaussian_unit", "fre_class_unit_32", "knn_first", "rmds", "neco")
PARTS = (
    "gaussian", "gaussian_unit", "fre_class", "fre_class_unit_32", "knn_first", "rmds", "neco", "vim", "gen",
    "knn", "energy",
)  # fmt: skip
# The program itself, fitted on all images, and on what it keeps beside images for its threshold.
PROGRAM = {"straylight": False, "straylight, with a promise": True}
MEASURES = ("auroc", "tpr1", "fpr95")


def auroc(inside: np.ndarray, outside: np.ndarray) -> float:
    """Return the area under the ROC curve in percent; ties count half."""
    ranks = rankdata(np.concatenate([inside, outside]))[len(inside) :]
    area = ranks.sum() - len(outside) * (len(outside) + 1) / 2
    return 100 * area / (len(inside) * len(outside))


def tpr_at_fpr(inside: np.ndarray, outside: np.ndarray, rate: float = 0.01) -> float:
    """Return the share of outliers above the threshold that at most `rate` of the inside exceeds."""
    threshold = np.sort(inside)[::-1][int(rate * len(inside))]
    return 100 * float((outside > threshold).mean())


def fpr_at_tpr(inside: np.ndarray, outside: np.ndarray, rate: float = 0.95) -> float:
    """Return the share of the inside at or above the threshold that finds `rate` of the outliers."""
    threshold = np.sort(outside)[::-1][int(np.ceil(rate * len(outside))) - 1]
    return 100 * float((inside >= threshold).mean())


def measure(inside, outside) -> dict[str, float]:
    """Return all measures of one score."""
    found = (auroc(inside, outside), tpr_at_fpr(inside, outside), fpr_at_tpr(inside, outside))
    return dict(zip(MEASURES, map(float, found), strict=True))


class Trial:
    """One file of activations: the images to fit on, and the sets to score."""

    def __init__(self, path: Path):
        arrays = np.load(path)
        rng = np.random.default_rng(0)

        def part(name, most):
            rows = np.sort(rng.permutation(len(arrays[f"{name}_features"]))[:most])
            values = (arrays[f"{name}_features"][rows], arrays[f"{name}_logits"][rows])
            labels = arrays.get(f"{name}_labels")
            return *(v.astype(np.float64) for v in values), None if labels is None else labels[rows]

        head = (arrays["head_w"].astype(np.float64), arrays["head_b"].astype(np.float64))
        self.train = detectors.FitData(*part("train", MAX_FIT), *head)
        held = part("calibrate", MAX_QUERY)
        both = (np.concatenate(pair) for pair in zip(self._fields(), held, strict=True))
        self.held = detectors.FitData(*held, *head)
        self.everything = detectors.FitData(*both, *head)
        self.holes = part("hole", len(self.everything.labels))[:2]
        far = [k[: -len("_features")] for k in arrays.files if k.startswith("far_") and "_features" in k]
        self.sets = {k: part(k, MAX_QUERY)[:2] for k in ("test", "near")}
        self.sets |= {k: part(k, MAX_FAR)[:2] for k in far}

    def _fields(self):
        return self.train.features, self.train.logits, self.train.labels

    def score(self, function) -> dict[str, np.ndarray]:
        """Score every set with `function(features, logits)`."""
        return {name: function(*arrays) for name, arrays in self.sets.items()}


def peers(fit: detectors.FitData) -> dict:
    """Return pytorch-ood's detectors, fitted, as functions of features and logits."""
    import torch
    from pytorch_ood import detector as peer

    features = torch.from_numpy(fit.features).float()
    labels, logits = torch.from_numpy(fit.labels), torch.from_numpy(fit.logits).float()
    w, b = torch.from_numpy(fit.head_w).float(), torch.from_numpy(fit.head_b).float()
    size = detectors.vim_dimension(features.shape[1], len(features))
    made = {
        "pytorch-ood KNN": peer.KNN(None, k=min(50, len(features))),
        "pytorch-ood Mahalanobis": peer.Mahalanobis(None),
        "pytorch-ood RMD": peer.RMD(None),
        "pytorch-ood ViM": peer.ViM(None, d=size, w=w, b=b),
    }
    for one in made.values():
        one.fit_features(features, labels)
    del logits

    def function(one):
        return lambda z, _: np.nan_to_num(np.asarray(one.predict_features(torch.from_numpy(z).float())))

    return {name: function(one) for name, one in made.items()}


def program_scores(trial: Trial, program: str, promise: bool) -> dict[str, np.ndarray]:
    """Fit and score with the real program.

    With `promise` it fits on the training images and keeps the held-out ones for its threshold; without,
    it fits on all images as every other contestant does, and its threshold is a fixed number.
    """
    with tempfile.TemporaryDirectory() as folder:
        parts = {"train": trial.train, "calibrate": trial.held} if promise else {"train": trial.everything}
        words = ["--relax"] if promise else ["--threshold", "0.5"]
        for name, fit in parts.items():
            arrays = {k: getattr(fit, k) for k in ("features", "logits", "labels", "head_w", "head_b")}
            file = Path(folder) / f"{name}.npz"
            np.savez(file, **_narrow(arrays))
            words += [f"--{name}", file]
        model = Path(folder) / "model"
        _call(program, "ood", "fit", *words, "--out", model)
        return {k: _program_set(program, model, v) for k, v in trial.sets.items()}


def _narrow(arrays: dict) -> dict:
    return {k: v.astype(np.float32 if v.dtype.kind == "f" else np.int64) for k, v in arrays.items()}


def _program_set(program: str, model: Path, arrays) -> np.ndarray:
    queries, scores = model.parent / "queries.npz", model.parent / "scores.npz"
    np.savez(queries, **_narrow({"features": arrays[0], "logits": arrays[1]}))
    _call(program, "ood", "score", model, queries, "--out", scores)
    return np.load(scores)["score"].astype(np.float64)


def _call(*words) -> None:
    quiet = subprocess.DEVNULL
    subprocess.run([str(w) for w in words], check=True, stdout=quiet, stderr=quiet)


def all_scores(trial: Trial) -> dict[str, np.ndarray]:
    """Return `contestant|set` -> scores, and `held_out` [n, PARTS]; all see the same images."""
    fit = trial.everything
    found = {name: trial.score(make(fit)) for name, make in detectors.SINGLE.items()}
    found["reference: kNN + MSP"] = trial.score(Reference(fit, trial.holes, False).score)
    found["reference: with FRE"] = trial.score(Reference(fit, trial.holes, True).score)
    found |= {name: trial.score(one) for name, one in peers(fit).items()}
    flat = {f"{name}|{part}": s for name, sets in found.items() for part, s in sets.items()}
    return flat | {"held_out": fusion.held_out_scores(fit, PARTS)}


def contestants(flat) -> dict[str, dict[str, np.ndarray]]:
    """Return contestant -> set -> scores, the combinations among them."""
    found: dict = {}
    for key in flat:
        if key != "held_out":
            name, part = key.rsplit("|", 1)
            found.setdefault(name, {})[part] = flat[key]
    held = flat["held_out"]

    def fused(names, **options):
        columns = [PARTS.index(n) for n in names]
        stacked = {k: np.stack([found[n][k] for n in names], axis=1) for k in found["msp"]}
        return {k: fusion.fuse(held[:, columns], s, **options) for k, s in stacked.items()}

    found["default (prototype)"] = fused(DEFAULT, tilt=True)
    found["default, plain mean"] = fused(DEFAULT)
    found["hypothesis, clipped"] = fused(HYPOTHESIS, kind="mad", clip=fusion.CLIP)
    found["hypothesis, not clipped"] = fused(HYPOTHESIS, kind="mad")
    return found


def judge(scores: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Return the measures near, and in the mean over the far sets."""
    far = [measure(scores["test"], s) for name, s in scores.items() if name.startswith("far_")]
    mean = {m: float(np.mean([f[m] for f in far])) for m in MEASURES}
    return {"near": measure(scores["test"], scores["near"]), "far": mean}


def run(pattern: str) -> None:
    """Score every trial whose file name matches and that has no scores yet."""
    SCORES.mkdir(exist_ok=True)
    for path in sorted((data.CACHE / "activations").glob(f"{pattern}.npz")):
        target = SCORES / path.name
        if not target.exists():
            part = target.with_suffix(".part.npz")
            np.savez(part, **all_scores(Trial(path)))
            part.rename(target)
            sys.stdout.write(f"{path.stem}\n")
            sys.stdout.flush()


def run_program(program: str) -> None:
    """Score every scored trial with the real program too; its scores are kept in a file beside."""
    for path in _scored():
        target = path.with_suffix(".program.npz")
        if not target.exists():
            trial = Trial(data.CACHE / "activations" / path.name)
            found = {name: program_scores(trial, program, p) for name, p in PROGRAM.items()}
            flat = {f"{name}|{part}": s for name, sets in found.items() for part, s in sets.items()}
            np.savez(target, **flat)
            sys.stdout.write(f"{path.stem}\n")
            sys.stdout.flush()


def _scored() -> list[Path]:
    return sorted(p for p in SCORES.glob("*.npz") if p.name.count(".") == 1)


def _load(path: Path) -> dict[str, np.ndarray]:
    flat = dict(np.load(path))
    extra = path.with_suffix(".program.npz")
    return flat | (dict(np.load(extra)) if extra.exists() else {})


def judged() -> dict[str, dict]:
    """Return trial -> contestant -> measures, of every trial that was scored."""
    return {p.stem: {k: judge(v) for k, v in contestants(_load(p)).items()} for p in _scored()}


def main() -> None:
    """Dispatch the command line."""
    match sys.argv[1:]:
        case ["run"]:
            run("*")
        case ["run", pattern]:
            run(pattern)
        case ["program", program]:
            run_program(program)
        case ["table"]:
            import report

            target = os.environ.get("STRAYLIGHT_RESULTS", Path(__file__).parent / "RESULTS.md")
            report.write(judged(), Path(target))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
