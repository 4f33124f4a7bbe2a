"""Memory over 100,000 calls of `infer` with a tiny model, and with a hook on every 100th.

    leak.py [CALLS]

Prints the resident memory after each tenth; fails when it grows by more than 4 MiB after the
first tenth.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from straylight.demos import DEMO_DEPLOYMENT_PATH
from straylight.deployment import Deployment
from straylight.post_inference_hooks import (
    AlwaysTrigger,
    PostInferenceAction,
    PostInferenceHook,
)


def make_tiny(folder):
    """A deployment of the demo's project with a model of one convolution."""
    import openvino as ov
    from openvino import opset13 as ops

    source = Path(DEMO_DEPLOYMENT_PATH) / "Classification task"
    task = folder / "deployment" / "Classification task"
    (task / "model").mkdir(parents=True)
    project = (Path(DEMO_DEPLOYMENT_PATH) / "project.json").read_text()
    (folder / "deployment/project.json").write_text(project)
    (task / "model.json").write_text((source / "model.json").read_text())
    (task / "model/config.json").write_text("{}")
    image = ops.parameter([1, 3, 16, 16], np.float32, name="image")
    features = ops.reduce_mean(image, np.array([2, 3]), keep_dims=False)
    features.output(0).set_names({"feature_vector"})
    weights = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    logits = ops.matmul(features, ops.constant(weights), False, False)
    logits.output(0).set_names({"logits"})
    model = ov.Model([logits, features], [image])
    labels = [task.get("labels") for task in json.loads(project)["pipeline"]["tasks"]][-1]
    info = {
        "model_type": "Classification",
        "labels": " ".join(label["name"] for label in labels),
        "label_ids": " ".join(label["id"] for label in labels),
        "multilabel": "False",
        "hierarchical": "False",
        "output_raw_scores": "True",
        "resize_type": "standard",
        "confidence_threshold": "0.0",
    }
    for key, value in info.items():
        model.set_rt_info(value, ["model_info", key])
    ov.save_model(model, task / "model/model.xml", compress_to_fp16=False)


def resident():
    """Resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)


class Count(PostInferenceAction):
    calls = 0

    def __call__(self, image, prediction, score=None, name=None, timestamp=None):
        type(self).calls += 1


def main():
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        make_tiny(Path(folder))
        deployment = Deployment.from_folder(folder)
        image = np.random.default_rng(1).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        measured = []
        for call in range(1, calls + 1):
            if call % 100 == 0:
                hook = PostInferenceHook(AlwaysTrigger(), Count(), max_threads=1)
                deployment.add_post_inference_hook(hook)
                deployment.infer(image, activations=True)
                deployment.clear_inference_hooks()
            else:
                deployment.infer(image, activations=True)
            if call % (calls // 10) == 0:
                measured.append(resident())
                print(f"{call:>8} calls  {measured[-1]:8.1f} MiB", flush=True)
        assert Count.calls == calls // 100, Count.calls
    growth = measured[-1] - measured[0]
    print(f"grown by {growth:.1f} MiB after the first tenth")
    assert growth < 4, growth


if __name__ == "__main__":
    main()
