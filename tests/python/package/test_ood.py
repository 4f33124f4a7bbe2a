"""OOD models of arrays and of images."""

import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import straylight.ood as ood
from straylight.exceptions import StraylightError


def blobs(n, shift=0.0, seed=0):
    """Features of two classes with logits and labels; `shift` moves them away from both."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, n)
    centres = np.zeros((2, 16))
    centres[0, 0], centres[1, 1] = 8, 8
    features = centres[labels] + random.normal(size=(n, 16)) + shift
    logits = features[:, :2].astype(np.float32)
    return features.astype(np.float32), logits, labels


def test_strangers_score_higher():
    features, logits, labels = blobs(400)
    model = ood.fit(features, logits=logits, labels=labels, progress=False)
    known = ood.score(model, *blobs(100, seed=1)[:1], logits=blobs(100, seed=1)[1])
    strange_features, strange_logits, _ = blobs(100, shift=6, seed=2)
    strange = model.score(strange_features, logits=strange_logits)
    assert known.shape == strange.shape == (100,)
    assert known.min() >= 0 and strange.max() <= 1
    assert np.median(strange) > model.threshold > np.median(known)
    assert set(model.detector_scores(features, logits=logits)) == set(model.detectors)
    assert model.report["in_distribution"]["fit"] > 0 and "threshold=" in repr(model)


def test_the_same_seed_gives_the_same_model(tmp_path):
    features, logits, _ = blobs(200)
    one, two = (ood.fit(features, logits=logits, progress=False) for _ in range(2))
    assert np.array_equal(one.score(features, logits=logits), two.score(features, logits=logits))
    one.save(tmp_path / "model")
    again = ood.OodModel.load(tmp_path / "model")
    assert np.array_equal(again.score(features, logits=logits), two.score(features, logits=logits))


def test_calibration_keeps_its_promise_or_says_what_it_needs():
    features, logits, _ = blobs(300)
    model = ood.fit(features, logits=logits, progress=False)
    with pytest.raises(ValueError, match="299"):
        ood.calibrate(model, features[:50], logits=logits[:50])
    held_out, held_out_logits, _ = blobs(1000, seed=5)
    calibrated = ood.calibrate(model, held_out, logits=held_out_logits)
    fresh, fresh_logits, _ = blobs(5000, seed=6)
    rate = (calibrated.score(fresh, logits=fresh_logits) >= calibrated.threshold).mean()
    assert rate <= 0.01 and calibrated.promise["confidence"] == 0.95


def test_kinds_that_learn_from_outliers():
    features, logits, labels = blobs(300)
    outliers, outlier_logits, _ = blobs(300, shift=6, seed=3)
    for kind in ("geti", "supervised"):
        model = ood.fit(
            features,
            logits=logits,
            labels=labels,
            outliers={"features": outliers, "logits": outlier_logits},
            kind=kind,
            progress=False,
        )
        assert model.kind == kind and model.report["test"]["auroc"] > 0.95
    with pytest.raises(ValueError):
        ood.fit(features, kind="geti", progress=False)


@pytest.mark.parametrize(
    "arguments",
    [
        {"features": np.zeros((0, 4))},
        {"features": np.full((50, 4), np.nan)},
        {"features": np.zeros((50, 4)), "logits": np.zeros((49, 2))},
        {"features": np.zeros(50)},
        {"features": np.ones((50, 4)), "kind": "unknown"},
        {"features": np.ones((50, 4)), "neighbours": 0},
    ],
    ids=["empty", "nan", "rows", "one dimension", "kind", "neighbours"],
)
def test_what_cannot_be_fitted_is_refused(arguments):
    with pytest.raises((ValueError, TypeError)):
        ood.fit(**arguments, progress=False)


def test_tensors_of_torch_are_taken():
    """Whatever has `detach`, `cpu` and becomes an array is a tensor to us."""

    class Tensor:
        def __init__(self, values, is_attached=True):
            self.values, self.is_attached = values, is_attached

        def detach(self):
            return Tensor(self.values, is_attached=False)

        def cpu(self):
            return self

        def __array__(self, dtype=None, copy=None):
            assert not self.is_attached
            return np.asarray(self.values, dtype=dtype)

    features, logits, _ = blobs(100)
    try:
        import torch
    except ImportError:
        tensor = Tensor
    else:

        def tensor(values):
            return torch.from_numpy(values).requires_grad_()

    model = ood.fit(tensor(features), logits=tensor(logits), progress=False)
    expected = model.score(features, logits=logits)
    assert np.array_equal(model.score(tensor(features), logits=tensor(logits)), expected)


def test_progress_is_told():
    told = []
    ood.fit(blobs(2000)[0], progress=lambda *values: told.append(values))
    assert told and told[-1][0] == "Fitting the OOD model" and told[-1][1] == told[-1][2]


def test_an_exception_in_progress_ends_the_fit():
    def stop(*_):
        raise KeyError("enough")

    with pytest.raises(KeyError):
        ood.fit(blobs(2000)[0], progress=stop)


def test_ctrl_c_ends_a_long_fit_within_a_second():
    code = """
        import os, signal, sys, threading, time, numpy as np
        import straylight.ood as ood
        random = np.random.default_rng(0)
        features = random.standard_normal(size=(40000, 1024), dtype="float32")
        sent = []

        def interrupt():
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        def begun(*_):
            # From another thread: the signal must find the fit waiting, not in this function.
            if not sent:
                threading.Thread(target=interrupt).start()

        # A process that a shell started in the background ignores the signal.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            ood.fit(features, progress=begun)
        except KeyboardInterrupt:
            print(time.monotonic() - sent[0], flush=True)
            sys.exit(3)
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 3, process
    assert float(process.stdout) < 1


def test_models_of_images(fitted, loaded, photos, split):
    def scores(part):
        for photo in split[part]:
            prediction = loaded.infer(photos.parent / photo["file"], activations=True)
            yield fitted.score_prediction(prediction)

    known, strange = (np.array(list(scores(part))) for part in ("known", "strange"))
    above = (strange[:, None] > known[None, :]).mean()
    assert above > 0.85
    with pytest.raises(ValueError, match="explain"):
        fitted.score_prediction(loaded.infer(photos / "fish/fish1.webp"))


def test_the_estimator_follows_the_conventions():
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    from sklearn.base import clone

    detector = ood.OODDetector(max_false_collection_rate=0.05)
    assert clone(detector).get_params() == detector.get_params()
    assert detector.set_params(neighbours=5).neighbours == 5
    features = blobs(500)[0]
    detector.fit(features)
    scores = detector.ood_score(features)
    assert np.allclose(detector.decision_function(features), detector.model_.threshold - scores)
    assert np.array_equal(detector.predict(features) == -1, scores > detector.model_.threshold)
    again = pickle.loads(pickle.dumps(detector))
    assert np.array_equal(again.ood_score(features), scores)
    # At one percent nothing of the checks' own data need be an outlier.
    checks.check_estimator(ood.OODDetector(max_false_collection_rate=0.1))


def test_errors_are_of_the_package_too():
    with pytest.raises(StraylightError):
        ood.fit(np.zeros((50, 4)), logits=np.zeros((49, 2)), progress=False)
    with pytest.raises(FileNotFoundError):
        ood.OodModel.load("/nowhere")
