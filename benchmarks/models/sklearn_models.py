"""A classifier of scikit-learn on pixels, exported by skl2onnx."""

import numpy as np
from common import labels, model, one
from PIL import Image

SIDE = 16
NAMES = ["cat", "dog", "bird"]


@model("skl2onnx LogisticRegression", "skl2onnx")
def logistic(folder, photos):
    """Takes rows of numbers: flattened pixels."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    rows = lambda path: np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE)), np.float32).reshape(1, -1)  # noqa: E731
    images = np.concatenate([rows(photo) for photo in photos] + [random.random((9, SIDE * SIDE * 3), np.float32) * 255])
    network = LogisticRegression(max_iter=50).fit(images, np.arange(len(images)) % len(NAMES))
    made = to_onnx(network, images[:1], options={"zipmap": False})
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    labels(folder, NAMES)
    found = {}
    for photo in photos:
        scores = network.predict_proba(rows(photo))[0]
        found[photo.name] = one(NAMES[int(scores.argmax())], scores.max())
    return found
