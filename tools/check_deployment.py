"""Load a deployment with geti-sdk, infer and explain, and check its head against its outputs.

    python tools/check_deployment.py assets/demo/deployment assets/demo/photos/fish/fish1.webp
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from geti_sdk.deployment import Deployment

F32 = {"INFERENCE_PRECISION_HINT": "f32"}
TASK_MODEL = "Classification task/model/model.xml"


def read_head(model: ov.Model) -> tuple[np.ndarray, np.ndarray]:
    """Read W and b from the MatMul and Add in front of the first output."""
    add = model.outputs[0].get_node().input_value(0).get_node()
    product = add.input_value(0).get_node()
    assert (add.get_type_name(), product.get_type_name()) == ("Add", "MatMul")

    def value(node: ov.Node) -> np.ndarray:
        while node.get_type_name() == "Convert":
            node = node.input_value(0).get_node()
        return node.get_data().astype(np.float64)

    return value(product.input_value(1).get_node()), value(add.input_value(1).get_node())[0]


def check_head(folder: Path) -> float:
    """Return the largest |W z + b - logits| on random input."""
    core = ov.Core()
    model = core.read_model(folder / TASK_MODEL)
    names = [output.get_any_name() for output in model.outputs]
    assert names == ["logits", "saliency_map", "feature_vector"], names
    weights, bias = read_head(model)
    image = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    result = core.compile_model(model, "CPU", F32)(image)
    return float(np.abs(weights @ result["feature_vector"][0] + bias - result["logits"][0]).max())


def main() -> None:
    """Check the deployment on the photos of the command line."""
    folder = Path(sys.argv[1])
    print(f"largest |W z + b - logits|: {check_head(folder):.2e}")
    deployment = Deployment.from_folder(folder)
    deployment.load_inference_models(device="CPU", openvino_configuration=F32)
    for name in sys.argv[2:]:
        image = cv2.cvtColor(cv2.imread(name), cv2.COLOR_BGR2RGB)
        plain, explained = deployment.infer(image), deployment.explain(image)
        label = plain.annotations[0].labels[0]
        maps = {key: value.shape for key, value in explained.maps[0].data.items()}
        print(name, label.name, f"{label.probability:.4f}", explained.feature_vector.shape, maps)


if __name__ == "__main__":
    main()
