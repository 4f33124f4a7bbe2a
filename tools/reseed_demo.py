"""Make the demo's assets for another split: the same photos and backbone, that split's head.

    python tools/reseed_demo.py --assets assets/demo --seed 3 --out target/demo-seeds/assets-3

`make_demo_assets.py` fitted a head for each split on that split's training photos alone and
kept it in `seeds/head_N.npy` ([C, D + 1], the last column is the bias). This puts the head
into a copy of the shipped deployment. Photos are linked, not copied. The saliency map keeps
the shipped head: the copies serve to measure scores, not to explain.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
import openvino as ov

MODEL = Path("deployment") / "Classification task" / "model" / "model.xml"


def replace_head(model: ov.Model, head: np.ndarray) -> None:
    """Set the weights and the bias of the layer behind the output `logits`."""
    add = model.output("logits").get_node().input_value(0).get_node()
    matmul = next(n for n in inputs(add) if n.get_type_name() == "MatMul")
    bias = next(n for n in inputs(add) if n.get_type_name() != "MatMul")
    weights = matmul.input_value(1).get_node()
    transposed = matmul.get_attributes()["transpose_b"]
    matrix = head[:, :-1] if transposed else head[:, :-1].T
    set_constant(matmul.input(1), weights, matrix)
    position = next(i for i in range(2) if add.input_value(i).get_node() == bias)
    set_constant(add.input(position), bias, head[:, -1])


def inputs(node: ov.Node) -> list:
    """Return the nodes that feed a node."""
    return [node.input_value(i).get_node() for i in range(node.get_input_size())]


def set_constant(port: ov.Input, old: ov.Node, values: np.ndarray) -> None:
    """Feed a port with a constant of the old one's shape."""
    shape = list(old.output(0).get_shape())
    new = ov.opset13.constant(values.reshape(shape).astype(np.float32))
    port.replace_source_output(new.output(0))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=Path, required=True, help="the shipped assets/demo")
    parser.add_argument("--seed", type=int, required=True, help="number of the split")
    parser.add_argument("--out", type=Path, required=True, help="folder to write anew")
    return parser.parse_args()


def main() -> None:
    """Make the folder."""
    args = arguments()
    if args.out.exists():
        shutil.rmtree(args.out)
    args.out.mkdir(parents=True)
    (args.out / "photos").symlink_to((args.assets / "photos").resolve())
    shutil.copytree(args.assets / "deployment", args.out / "deployment")
    shutil.copy(args.assets / "seeds" / f"split_{args.seed}.json", args.out / "split.json")
    core = ov.Core()
    model = core.read_model(args.assets / MODEL)
    replace_head(model, np.load(args.assets / "seeds" / f"head_{args.seed}.npy"))
    ov.save_model(model, args.out / MODEL, compress_to_fp16=True)


if __name__ == "__main__":
    main()
