"""Triggers, actions and hooks, of the package and of Python's."""

import json
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from straylight.data_models import Annotation, Prediction, Rectangle, ScoredLabel
from straylight.demos import DEMO_DEPLOYMENT_PATH
from straylight.deployment import Deployment
from straylight.post_inference_hooks import (
    AlwaysTrigger,
    AndTrigger,
    ConfidenceTrigger,
    EmptyLabelTrigger,
    FileSystemDataCollection,
    HttpRequestAction,
    LabelTrigger,
    NotTrigger,
    ObjectCountTrigger,
    OODTrigger,
    OrTrigger,
    PostInferenceAction,
    PostInferenceHook,
    PostInferenceTrigger,
)


def predicted(*objects):
    return Prediction(
        annotations=[
            Annotation([ScoredLabel(p, name, "#112233ff", id=name) for name, p in labels], shape)
            for labels, shape in objects
        ]
    )


CAT = ([("cat", 0.9)], Rectangle(0, 0, 10, 10))
DOG = ([("dog", 0.25)], Rectangle(5, 5, 20, 20))


@pytest.mark.parametrize(
    ("trigger", "prediction", "score", "fires"),
    [
        (AlwaysTrigger(), predicted(), 1, True),
        (ConfidenceTrigger(), predicted(CAT), 0.1, False),
        (ConfidenceTrigger(threshold=0.3, label_names=["dog"]), predicted(CAT, DOG), 0.75, True),
        (EmptyLabelTrigger(), predicted(), 1, True),
        (EmptyLabelTrigger(), predicted(CAT), 0, False),
        (LabelTrigger(label_names=["cat"]), predicted(CAT), 1, True),
        (LabelTrigger(["cat", "dog"], mode="AND"), predicted(CAT), 0.5, False),
        (ObjectCountTrigger(), predicted(CAT, DOG), 2, True),
        (
            ObjectCountTrigger(threshold=1, label_names=["dog"], mode="lower"),
            predicted(CAT),
            0,
            True,
        ),
        (ObjectCountTrigger(threshold=2, mode="equal"), predicted(CAT), 1, False),
        (AndTrigger([LabelTrigger(["cat"]), LabelTrigger(["dog"])]), predicted(CAT), 0, False),
        (OrTrigger([LabelTrigger(["cat"]), LabelTrigger(["dog"])]), predicted(CAT), 1, True),
        (NotTrigger(LabelTrigger(["dog"])), predicted(CAT), 1, True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_triggers(image, trigger, prediction, score, fires):
    found = trigger(image, prediction)
    assert found == pytest.approx(score, abs=1e-6)
    assert trigger.get_decision(found) is fires


class BrightTrigger(PostInferenceTrigger):
    def __call__(self, image, prediction):
        assert image.dtype == np.uint8 and image.shape == (120, 160, 3)
        assert prediction.annotations
        return image.mean() / 255


class Notebook(PostInferenceAction):
    def __init__(self):
        super().__init__()
        self.events, self.lock = [], threading.Lock()

    def __call__(self, image, prediction, score=None, name=None, timestamp=None):
        with self.lock:
            self.events.append((image, prediction, score, name, timestamp))


@pytest.mark.parametrize("max_threads", [0, 1, 5])
def test_hooks_of_python(deployment, image, max_threads):
    action = Notebook()
    hook = PostInferenceHook(BrightTrigger(0.4), action, max_threads=max_threads)
    deployment.add_post_inference_hook(hook)
    assert deployment.post_inference_hooks == [hook]
    for index in range(5):
        deployment.infer(image, name=f"photo {index}")
    deployment.infer(np.zeros_like(image))
    assert deployment.await_hooks(10)
    assert sorted(event[3] for event in action.events) == [f"photo {i}" for i in range(5)]
    for seen, prediction, score, _, timestamp in action.events:
        assert (seen == image).all() and prediction.get_label_names()
        assert score == pytest.approx(image.mean() / 255) and timestamp.year > 2000
    (stats,) = deployment.hook_statistics
    assert (stats["evaluated"], stats["fired"], stats["delivered"]) == (6, 5, 5)
    deployment.clear_inference_hooks()
    assert deployment.post_inference_hooks == []


def test_a_subclass_of_a_trigger_of_the_package_is_asked(deployment, image):
    class Never(AlwaysTrigger):
        def get_decision(self, score):
            return False

    action = Notebook()
    deployment.add_post_inference_hook(PostInferenceHook(Never(), action, max_threads=0))
    deployment.infer(image)
    assert not action.events and deployment.hook_statistics[0]["not_fired"] == 1


class BrokenTrigger(PostInferenceTrigger):
    def __call__(self, image, prediction):
        raise RuntimeError("the lamp is broken")


class BrokenDecision(AlwaysTrigger):
    def get_decision(self, score):
        raise RuntimeError("cannot decide")


@pytest.mark.parametrize("trigger", [BrokenTrigger(), BrokenDecision()])
def test_a_trigger_that_raises_is_counted_and_logged(deployment, image, trigger, caplog):
    deployment.add_post_inference_hook(PostInferenceHook(trigger, Notebook()))
    with caplog.at_level("WARNING", logger="straylight"):
        for _ in range(3):
            assert deployment.infer(image).annotations
        until = time.monotonic() + 5
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.01)
    (stats,) = deployment.hook_statistics
    assert (stats["failed"], stats["fired"]) == (3, 0)
    assert any("RuntimeError" in record.getMessage() for record in caplog.records)


def test_an_action_that_raises_is_kept_as_dead_letter(deployment, image):
    class Broken(PostInferenceAction):
        calls = 0

        def __call__(self, image, prediction, score=None, name=None, timestamp=None):
            type(self).calls += 1
            raise ValueError("no room")

    deployment.add_post_inference_hook(PostInferenceHook(AlwaysTrigger(), Broken()))
    assert deployment.infer(image).annotations
    assert deployment.await_hooks(10)
    (stats,) = deployment.hook_statistics
    assert (stats["dead"], Broken.calls) == (1, 1) and "no room" in stats["dead_letters"][0]


def test_trouble_with_a_network_is_tried_again(deployment, image):
    class Shaky(Notebook):
        calls = 0

        def __call__(self, *args, **kwargs):
            type(self).calls += 1
            if self.calls < 3:
                raise ConnectionError("not now")
            super().__call__(*args, **kwargs)

    action = Shaky()
    hook = PostInferenceHook(AlwaysTrigger(), action, retry={"initial_ms": 1, "longest_ms": 2})
    deployment.add_post_inference_hook(hook)
    deployment.infer(image)
    assert deployment.await_hooks(20)
    assert Shaky.calls == 3 and len(action.events) == 1


def test_an_action_may_use_the_deployment_itself(deployment, image):
    seen = []

    class Reentrant(PostInferenceAction):
        def __call__(self, image, prediction, score=None, name=None, timestamp=None):
            seen.append(deployment.hook_statistics)

    deployment.add_post_inference_hook(PostInferenceHook(AlwaysTrigger(), Reentrant()))
    deployment.infer(image)
    assert deployment.await_hooks(10) and seen


def test_many_threads_and_hooks_of_python_do_not_lock_up(deployment, image):
    actions = [Notebook() for _ in range(3)]
    for action in actions:
        deployment.add_post_inference_hook(PostInferenceHook(BrightTrigger(0.1), action))

    def run():
        for _ in range(10):
            deployment.infer(image)

    threads = [threading.Thread(target=run) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert not any(thread.is_alive() for thread in threads)
    assert deployment.await_hooks(30)
    assert [len(action.events) for action in actions] == [80] * 3


def run_python(code, timeout=60):
    code = textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout
    )


AT_THE_END = """
    import time, numpy as np
    from straylight.demos import DEMO_DEPLOYMENT_PATH
    from straylight.deployment import Deployment
    from straylight.post_inference_hooks import *

    class Slow(PostInferenceAction):
        def __call__(self, image, prediction, score=None, name=None, timestamp=None):
            time.sleep(0.3)
            print("delivered", flush=True)

    deployment = Deployment.from_folder(DEMO_DEPLOYMENT_PATH)
    deployment.add_post_inference_hook(PostInferenceHook(AlwaysTrigger(), Slow(), max_threads=2))
    for _ in range(4):
        deployment.infer(np.zeros((32, 32, 3), np.uint8))
"""


def test_what_is_queued_is_delivered_when_the_interpreter_ends():
    ended = run_python(AT_THE_END)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("delivered") == 4, ended.stdout


def test_an_interpreter_that_ends_in_an_error_ends():
    ended = run_python(AT_THE_END + "    raise SystemExit(7)\n")
    assert ended.returncode == 7, ended.stderr
    assert ended.stdout.count("delivered") == 4


def test_files_of_a_collection(deployment, image, tmp_path):
    action = FileSystemDataCollection(
        target_folder=tmp_path / "hook_data", file_name_prefix="image"
    )
    deployment.add_post_inference_hook(PostInferenceHook(AlwaysTrigger(), action))
    for _ in range(3):
        deployment.infer(image, name="x")
    assert deployment.await_hooks(20)
    names = {}
    for part in ("images", "predictions", "scores", "overlays"):
        names[part] = sorted(path.stem for path in (tmp_path / "hook_data" / part).iterdir())
    assert len(names["images"]) == 3 and len({tuple(value) for value in names.values()}) == 1
    stem = names["images"][0]
    assert stem.startswith("imagex_")
    prediction = json.loads((tmp_path / "hook_data/predictions" / f"{stem}.json").read_text())
    assert prediction["kind"] == "prediction" and prediction["annotations"]
    assert float((tmp_path / "hook_data/scores" / f"{stem}.txt").read_text()) == 1


def test_actions_and_hooks_work_alone(image, tmp_path):
    action = FileSystemDataCollection(tmp_path / "direct", save_overlays=False)
    action(image, predicted(CAT), score=0.5, name="here")
    assert len(list((tmp_path / "direct/images").iterdir())) == 1
    hook = PostInferenceHook(LabelTrigger(["cat"]), FileSystemDataCollection(tmp_path / "hook"))
    hook.run(image, predicted(CAT), name="a")
    hook.run(image, predicted(DOG), name="b")
    assert hook.await_actions(20)
    assert (hook.statistics["evaluated"], hook.statistics["delivered"]) == (2, 1)
    assert "LabelTrigger" in repr(hook)


def test_an_action_that_is_called_says_what_is_wrong(image):
    action = HttpRequestAction(url="http://127.0.0.1:9/x", timeout=2)
    with pytest.raises(RuntimeError, match="127.0.0.1"):
        action(image, predicted(CAT))


def test_the_rate_is_limited(deployment, image):
    action = Notebook()
    hook = PostInferenceHook(
        AlwaysTrigger(), action, max_threads=1, limit_action_rate=True, max_frames_per_second=0.01
    )
    deployment.add_post_inference_hook(hook)
    for _ in range(10):
        deployment.infer(image)
    assert deployment.await_hooks(10)
    assert len(action.events) == 1
    assert deployment.hook_statistics[0]["suppressed"]["rate"] == 9


def test_hooks_are_saved_and_come_back(deployment, fitted, image, tmp_path):
    deployment.ood_model = fitted
    deployment.add_post_inference_hook(
        PostInferenceHook(
            OODTrigger(fitted), FileSystemDataCollection(tmp_path / "strays"), max_threads=3
        )
    )
    deployment.save(tmp_path / "saved")
    again = Deployment.from_folder(tmp_path / "saved")
    (hook,) = again.post_inference_hooks
    assert isinstance(hook.trigger, OODTrigger) and hook.max_threads == 3
    assert hook.trigger.threshold == fitted.threshold
    again.infer(np.zeros((64, 64, 3), np.uint8))
    assert again.await_hooks(20) and again.hook_statistics[0]["evaluated"] == 1
    again.load_inference_models(max_async_infer_requests=1)
    assert len(again.post_inference_hooks) == 1
    again.infer(np.zeros((64, 64, 3), np.uint8))
    assert again.hook_statistics[0]["evaluated"] == 1


def test_what_waits_for_a_server_waits_on_disk(image, tmp_path):
    deployment = Deployment.from_folder(DEMO_DEPLOYMENT_PATH, hook_state=tmp_path / "state")
    action = HttpRequestAction(url="http://127.0.0.1:9/x", method="POST", timeout=2)
    deployment.add_post_inference_hook(PostInferenceHook(AlwaysTrigger(), action, name="far"))
    deployment.infer(image)
    assert not deployment.await_hooks(1)
    assert deployment.hook_statistics[0]["queued"] == 1
    assert any((tmp_path / "state/far").iterdir())


def test_a_hook_of_python_is_not_saved_but_refused(deployment, tmp_path):
    deployment.add_post_inference_hook(PostInferenceHook(BrightTrigger(), Notebook()))
    with pytest.raises(ValueError, match="BrightTrigger"):
        deployment.save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists() or not list((tmp_path / "saved").rglob("hook_config*"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: PostInferenceHook(AlwaysTrigger(), Notebook(), limits={"max_total": -1}),
        lambda: PostInferenceHook(AlwaysTrigger(), Notebook(), limits={"unknown": 1}),
        lambda: LabelTrigger(["a"], mode="PERHAPS"),
        lambda: ConfidenceTrigger(threshold=7),
        lambda: PostInferenceAction(log_level="loud"),
        lambda: FileSystemDataCollection("x", picture_format="gif"),
    ],
)
def test_wrong_values_are_refused(make):
    with pytest.raises(ValueError):
        make()
