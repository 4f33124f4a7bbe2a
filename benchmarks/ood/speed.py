"""Time Straylight beside faiss, scikit-learn, pytorch-ood and the Geti reference on the same arrays.

python speed.py arrays                  resamples real features (1280) to 300, 3,000 and 30,000 images
python speed.py run EXAMPLE [rounds [sizes]]    EXAMPLE: `ood_speed` of the crate `ood`, built for release
python speed.py memory PROGRAM          peak memory of `straylight ood fit` and `score` at 30,000 images
python speed.py table                   prints what was measured as a table

Everything is timed in turn, round by round, on two threads; what counts is the ratio of medians.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import data

FOLDER = data.CACHE / "speed"
SIZES = (300, 3_000, 30_000)
QUERIES, CLASSES, K, THREADS = 200, 10, 10, 2
SOURCES = ("solar-0-0", "dev_clipart-0-0", "photos-0-0", "stamps-0-0")


def real_classes(parts=("train", "calibrate", "test", "near")) -> list[np.ndarray]:
    """Return the real feature vectors (EfficientNet-Lite0), parted into classes of alike images."""
    from sklearn.cluster import KMeans

    files = [np.load(data.CACHE / "activations" / f"{name}.npz") for name in SOURCES]
    rows = np.concatenate([f[f"{p}_features"] for f in files for p in parts])
    rows = np.unique(rows, axis=0)
    labels = KMeans(CLASSES, n_init=1, random_state=0).fit_predict(rows)
    return [rows[labels == c] for c in range(CLASSES)]


def resample(classes: list[np.ndarray], count: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return `count` vectors like the real ones: one image, plus half the difference of two others."""
    labels = rng.integers(0, len(classes), count)
    picked = [classes[c][rng.integers(0, len(classes[c]), 3)] for c in labels]
    rows = np.stack([a + (b - c) / 2 for a, b, c in picked])
    return np.maximum(rows, 0).astype(np.float32), labels


def write_arrays() -> None:
    """Write the arrays of every size, the queries and the outliers."""
    FOLDER.mkdir(exist_ok=True)
    rng, classes = np.random.default_rng(0), real_classes()
    weight = np.stack([rows.mean(axis=0) for rows in classes]).astype(np.float32)
    weight -= weight.mean(axis=0)
    bias = (-0.5 * (weight**2).sum(axis=1)).astype(np.float32)

    def save(name: str, rows: np.ndarray, labels: np.ndarray) -> None:
        logits = rows @ weight.T + bias
        np.savez(FOLDER / name, features=rows, labels=labels, logits=logits, head_w=weight, head_b=bias)

    for size in SIZES:
        save(f"train-{size}.npz", *resample(classes, size, rng))
    save("queries.npz", *resample(classes, QUERIES, rng))
    # Outliers of the forest: the reference's own, images with a black hole.
    holes = real_classes(("hole",))
    for size in SIZES:
        save(f"outliers-{size}.npz", *resample(holes, size, rng))


def each_ms(call, queries: np.ndarray) -> float:
    """Return the median milliseconds of one call, one query at a time."""
    times = []
    for i in range(len(queries)):
        start = time.perf_counter()
        call(queries[i : i + 1])
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times))


def seconds(call) -> tuple[float, object]:
    """Return how long a call took, and what it gave."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def ours(program: str, size: int) -> dict:
    """Run our program on the arrays of one size."""
    files = [FOLDER / name for name in (f"train-{size}.npz", "queries.npz", f"outliers-{size}.npz")]
    answer = subprocess.run([program, *map(str, files)], check=True, capture_output=True)
    return json.loads(answer.stdout)


def faiss_times(train, queries) -> tuple[dict, np.ndarray]:
    """Time faiss's flat index; returns the squared distances to the neighbours too."""
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexFlatL2(train.shape[1])
    index.add(train)
    index.search(queries[:1], K)
    return {"faiss knn_ms": each_ms(lambda q: index.search(q, K), queries)}, np.concatenate(
        [index.search(queries[i : i + 1], K)[0] for i in range(len(queries))]
    )


def sklearn_times(train, queries) -> dict:
    """Time scikit-learn's brute-force neighbours."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=K, algorithm="brute", n_jobs=THREADS).fit(train)
    return {"scikit-learn knn_ms": each_ms(index.kneighbors, queries)}


def peer_times(arrays, queries) -> dict:
    """Time the detectors of pytorch-ood that take features: fit, and one image at a time."""
    import torch
    from pytorch_ood import detector as peer

    torch.set_num_threads(THREADS)
    features, labels = torch.from_numpy(arrays["features"]), torch.from_numpy(arrays["labels"])
    w, b = torch.from_numpy(arrays["head_w"]), torch.from_numpy(arrays["head_b"])
    made = {
        "KNN": peer.KNN(None, k=K),
        "Mahalanobis": peer.Mahalanobis(None),
        "RMD": peer.RMD(None),
        "ViM": peer.ViM(None, d=256, w=w, b=b),
    }
    found = {}
    for name, one in made.items():
        found[f"pytorch-ood {name} fit_s"], _ = seconds(lambda one=one: one.fit_features(features, labels))
        predict = one.predict_features
        found[f"pytorch-ood {name} ms"] = each_ms(
            lambda q, predict=predict: predict(torch.from_numpy(q)), queries[:50]
        )
    return found


def reference_times(arrays, outliers, reconstruction: bool) -> dict:
    """Time the fit of the Geti reference as written."""
    import detectors
    from reference import Reference

    fields = (arrays[k] for k in ("features", "logits", "labels", "head_w", "head_b"))
    fit = detectors.FitData(*fields)
    holes = (outliers["features"], outliers["logits"])
    took, _ = seconds(lambda: Reference(fit, holes, reconstruction))
    return {f"reference {'FRE' if reconstruction else 'kNN + MSP'} fit_s": took}


def round_of(program: str, size: int, slow: bool) -> dict:
    """Time everything once on the arrays of one size."""
    arrays, queries = np.load(FOLDER / f"train-{size}.npz"), np.load(FOLDER / "queries.npz")["features"]
    arrays = {k: arrays[k] for k in arrays.files}
    found = ours(program, size)
    mine = np.array(found.pop("distances"))
    found = {k: v for k, v in found.items() if v is not None}
    times, theirs = faiss_times(arrays["features"], queries)
    found |= times | sklearn_times(arrays["features"], queries)
    theirs = np.stack([theirs[:, 0], theirs.mean(axis=1), theirs[:, -1]])
    found["largest relative difference to faiss's distances"] = float((np.abs(mine - theirs) / theirs).max())
    if slow:
        found |= peer_times(arrays, queries)
        outliers = np.load(FOLDER / f"outliers-{size}.npz")
        found |= reference_times(arrays, outliers, reconstruction=size < 10_000)
    return found


def run(program: str, rounds: int, sizes) -> None:
    """Measure round by round; slow peers are timed in the first round only."""
    for size in sizes:
        found = [round_of(program, size, slow=i == 0) for i in range(rounds)]
        keys = dict.fromkeys(k for one in found for k in one)
        median = {k: float(np.median([one[k] for one in found if k in one])) for k in keys}
        (FOLDER / f"times-{size}.json").write_text(json.dumps(median, indent=1))
        sys.stdout.write(f"{size}: {json.dumps(median, indent=1)}\n")


def peak_mb(*words) -> float:
    """Return the peak of a program's resident memory."""
    child = subprocess.Popen([str(w) for w in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{words} failed")
    return usage.ru_maxrss / 1024


def memory(program: str) -> None:
    """Measure the peak memory of a fit and of scoring with 30,000 fitted images."""
    with tempfile.TemporaryDirectory() as folder:
        train, model = FOLDER / "train-30000.npz", Path(folder) / "model"
        fit = peak_mb(program, "ood", "fit", "--train", train, "--out", model)
        scores = Path(folder) / "scores.npz"
        score = peak_mb(program, "ood", "score", model, FOLDER / "queries.npz", "--out", scores)
    sys.stdout.write(f"fit {fit:.0f} MB, score {score:.0f} MB\n")


def table() -> None:
    """Print the medians, one row a quantity and one column a size."""
    sizes = [s for s in SIZES if (FOLDER / f"times-{s}.json").exists()]
    found = {s: json.loads((FOLDER / f"times-{s}.json").read_text()) for s in sizes}
    keys = dict.fromkeys(k for one in found.values() for k in one)
    lines = ["| | " + " | ".join(f"{s:,}" for s in sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    for key in keys:
        cells = (f"{found[s][key]:.3g}" if key in found[s] else "" for s in sizes)
        lines.append(f"| {key} | " + " | ".join(cells) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Dispatch the command line."""
    match sys.argv[1:]:
        case ["arrays"]:
            write_arrays()
        case ["run", program, *rest]:
            rounds = int(rest[0]) if rest else 3
            run(program, rounds, [int(s) for s in rest[1:]] or SIZES)
        case ["memory", program]:
            memory(program)
        case ["table"]:
            table()
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
