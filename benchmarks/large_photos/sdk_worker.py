"""One run of the Python SDK over a folder of photos with a hook that writes all four files.

    python sdk_worker.py DEPLOYMENT PHOTOS OUT
"""

import sys
from pathlib import Path

import cv2
from geti_sdk.deployment import Deployment
from geti_sdk.post_inference_hooks import AlwaysTrigger, FileSystemDataCollection, PostInferenceHook


def main() -> None:
    """Infer each photo once, and wait for the hook."""
    deployment = Deployment.from_folder(sys.argv[1])
    configuration = {"INFERENCE_PRECISION_HINT": "f32"}
    deployment.load_inference_models(device="CPU", openvino_configuration=configuration)
    action = FileSystemDataCollection(target_folder=sys.argv[3], log_level="debug")
    hook = PostInferenceHook(trigger=AlwaysTrigger(), action=action)
    deployment.add_post_inference_hook(hook)
    for path in sorted(Path(sys.argv[2]).iterdir()):
        deployment.infer(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))
    # Nothing else waits for the threads of the hook.
    hook.executor.shutdown(wait=True)


if __name__ == "__main__":
    main()
