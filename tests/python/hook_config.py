"""hook_config.json between the unmodified Python SDK (geti-sdk 2.13.1) and Straylight.

    hook_config.py --program PROGRAM --deployment FOLDER

The SDK saves a deployment with hooks, secrets in clear text among them. PROGRAM (the example
`hook_config`) reads the file, moves the secrets out and writes the file anew. The SDK loads the
deployment again, infers, and its hooks collect.
"""

import argparse
import json
import shutil
import stat
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

SECRET = "swordfish"


def sdk_hooks(folder):
    """One hook of each kind that the SDK can build without a server."""
    from geti_sdk.post_inference_hooks import (
        AlwaysTrigger,
        ConfidenceTrigger,
        EmptyLabelTrigger,
        FileSystemDataCollection,
        HttpRequestAction,
        LabelTrigger,
        ObjectCountTrigger,
        PostInferenceHook,
    )

    files = FileSystemDataCollection(
        target_folder=str(folder / "collected"), file_name_prefix="image", log_level="info"
    )
    plain = HttpRequestAction(url="http://127.0.0.1:9/", method="POST", headers={"Accept": "*/*"})
    secret = HttpRequestAction(
        url="http://127.0.0.1:9/", headers={"Authorization": f"Bearer {SECRET}"}
    )
    return [
        PostInferenceHook(
            AlwaysTrigger(), files, max_threads=0, limit_action_rate=True, max_frames_per_second=0.5
        ),
        PostInferenceHook(ObjectCountTrigger(threshold=5, mode="lower"), files, max_threads=0),
        PostInferenceHook(ConfidenceTrigger(threshold=0.0), files, queue_limit=7),
        PostInferenceHook(LabelTrigger(label_names=["nothing"], mode="AND"), plain),
        PostInferenceHook(EmptyLabelTrigger(), secret),
    ]


def geti_hook():
    """What the SDK writes for a dataset of a server; making the object would need the server."""
    import attrs
    from geti_sdk.http_session import ServerTokenConfig

    session = attrs.asdict(
        ServerTokenConfig(host="https://geti.example.org", token=SECRET, proxies=None)
    )
    action = {
        "session": session,
        "workspace_id": "w",
        "project": "birds",
        "dataset": "strays",
        "log_level": "debug",
    }
    return {
        "PostInferenceHook": {
            "trigger": {"AlwaysTrigger": {}},
            "action": {"GetiDataCollection": action},
            "max_threads": 5,
            "limit_action_rate": False,
            "max_frames_per_second": 1,
            "queue_limit": 0,
        }
    }


def save_with_the_sdk(source, folder):
    """A deployment with hooks, saved by the SDK; returns its hook_config.json."""
    from geti_sdk.deployment import Deployment

    shutil.copytree(source, folder / "deployment")
    deployment = Deployment.from_folder(str(folder / "deployment"))
    deployment.clear_inference_hooks()
    for hook in sdk_hooks(folder):
        deployment.add_post_inference_hook(hook)
    path = folder / "deployment" / "hook_config.json"
    # The line of Deployment.save that writes the file.
    hooks = [hook.to_dict() for hook in deployment.post_inference_hooks]
    path.write_text(json.dumps({"post_inference_hooks": [*hooks, geti_hook()]}))
    return path


def read_and_write(program, path, folder):
    """Lets Straylight read the file and write it anew; returns what it read."""
    command = [program, str(path), str(folder / "secrets")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_secrets(path, folder, read):
    text = path.read_text()
    assert SECRET not in text, text
    assert sorted(read["moved"]) == ["header Authorization", "token of https://geti.example.org"]
    kept = sorted((folder / "secrets").iterdir())
    assert len(kept) == 2
    for file in kept:
        assert SECRET in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def check_settings(read):
    """What the SDK's settings mean for Straylight."""
    hooks = read["hooks"]
    assert len(hooks) == 6
    assert hooks[0]["limits"] == {"max_frames_per_second": 0.5}
    assert hooks[1]["trigger"]["ObjectCountTrigger"]["mode"] == "lower"
    assert hooks[2]["queue_size"] == 7 and hooks[2]["when_full"] == "wait"
    assert hooks[3]["trigger"]["LabelTrigger"]["mode"] == "AND"
    token = hooks[5]["action"]["GetiDataCollection"]["session"]["token"]
    assert token.startswith("file:"), token


def load_with_the_sdk(path, before):
    """The SDK reads what it knows as it was, and its hooks work."""
    import numpy as np
    from geti_sdk.deployment import Deployment

    deployment = Deployment.from_folder(str(path.parent))
    loaded = [hook.to_dict() for hook in deployment.post_inference_hooks]
    assert loaded == before[:4], loaded
    deployment.load_inference_models(device="CPU")
    image = np.random.default_rng(1).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    deployment.infer(image, name="stray")
    collected = path.parent.parent / "collected"
    names = {file.stem for file in (collected / "images").iterdir()}
    assert names and all(name.startswith("image") for name in names), names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the example hook_config")
    parser.add_argument("--deployment", required=True, type=Path)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        path = save_with_the_sdk(arguments.deployment, folder)
        before = json.loads(path.read_text())["post_inference_hooks"]
        read = read_and_write(arguments.program, path, folder)
        check_secrets(path, folder, read)
        check_settings(read)
        again = read_and_write(arguments.program, path, folder)
        assert again == {"hooks": read["hooks"], "moved": []}
        load_with_the_sdk(path, before)
    print("the SDK and Straylight read each other's hooks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
