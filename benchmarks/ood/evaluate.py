"""Run every detector and combination over the cached activations and write one table.

python evaluate.py run [name pattern]   scores every trial, one JSON file each
python evaluate.py table                writes RESULTS.md from those files
"""

import json
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

RESULTS = data.CACHE / "results"
MAX_FIT, MAX_QUERY, MAX_FAR = 2000, 800, 300
HYPOTHESIS = ("knn", "rmds", "vim", "gen")
# Raw features tell far images, unit features near ones; the raw Gaussian counts twice.
DEFAULT = ("gaussian", "gaussian", "gaussian_unit", "fre_class_unit_32", "knn_first", "rmds", "neco")
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


def program_scores(trial: Trial, program: str) -> dict[str, np.ndarray]:
    """Fit and score with the real program on the same arrays."""
    fit = trial.everything
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fit.npz"
        arrays = {"features": fit.features, "logits": fit.logits, "labels": fit.labels}
        arrays |= {"head_w": fit.head_w, "head_b": fit.head_b}
        np.savez(file, **_narrow(arrays))
        model = Path(folder) / "model"
        _call(program, "ood", "fit", "--train", file, "--out", model)
        return {k: _program_set(program, model, v) for k, v in trial.sets.items()}


def _narrow(arrays: dict) -> dict:
    return {k: v.astype(np.float32 if v.dtype.kind == "f" else np.int64) for k, v in arrays.items()}


def _program_set(program: str, model: Path, arrays) -> np.ndarray:
    queries, scores = model.parent / "queries.npz", model.parent / "scores.npz"
    np.savez(queries, **_narrow({"features": arrays[0], "logits": arrays[1]}))
    _call(program, "ood", "score", model, queries, "--out", scores)
    return np.load(scores)["score"].astype(np.float64)


def _call(*words) -> None:
    subprocess.run([str(w) for w in words], check=True, stdout=subprocess.DEVNULL)


def contestants(trial: Trial) -> dict[str, dict[str, np.ndarray]]:
    """Return the scores of every contestant on every set; all see the same in-distribution images."""
    fit = trial.everything
    singles = {name: trial.score(make(fit)) for name, make in detectors.SINGLE.items()}
    found = dict(singles)
    parts = tuple(dict.fromkeys(DEFAULT + HYPOTHESIS))
    held = fusion.held_out_scores(fit, parts)

    def fused(names, **options):
        columns = [parts.index(n) for n in names]
        stacked = {k: np.stack([singles[n][k] for n in names], axis=1) for k in trial.sets}
        return {k: fusion.fuse(held[:, columns], s, **options) for k, s in stacked.items()}

    found["default (prototype)"] = fused(DEFAULT)
    found["hypothesis, clipped"] = fused(HYPOTHESIS, kind="mad", clip=fusion.CLIP)
    found["hypothesis, not clipped"] = fused(HYPOTHESIS, kind="mad")
    found["reference: kNN + MSP"] = trial.score(Reference(fit, trial.holes, False).score)
    found["reference: with FRE"] = trial.score(Reference(fit, trial.holes, True).score)
    found |= {name: trial.score(one) for name, one in peers(fit).items()}
    if program := os.environ.get("STRAYLIGHT_PROGRAM"):
        found["straylight"] = program_scores(trial, program)
    return found


def judge(scores: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Return the measures near, and in the mean over the far sets."""
    far = [measure(scores["test"], s) for name, s in scores.items() if name.startswith("far_")]
    mean = {m: float(np.mean([f[m] for f in far])) for m in MEASURES}
    return {"near": measure(scores["test"], scores["near"]), "far": mean}


def run(pattern: str) -> None:
    """Score every trial whose file name matches and that has no result yet."""
    RESULTS.mkdir(exist_ok=True)
    for path in sorted((data.CACHE / "activations").glob(f"{pattern}.npz")):
        target = RESULTS / f"{path.stem}.json"
        if not target.exists():
            found = {name: judge(scores) for name, scores in contestants(Trial(path)).items()}
            target.write_text(json.dumps(found, indent=1))
            best = found["default (prototype)"]
            sys.stdout.write(f"{path.stem} {best['near']['auroc']:.1f} {best['far']['auroc']:.1f}\n")
            sys.stdout.flush()


def main() -> None:
    """Dispatch the command line."""
    match sys.argv[1:]:
        case ["run"]:
            run("*")
        case ["run", pattern]:
            run(pattern)
        case ["table"]:
            import report

            report.write(
                RESULTS, Path(os.environ.get("STRAYLIGHT_RESULTS", Path(__file__).parent / "RESULTS.md"))
            )
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
