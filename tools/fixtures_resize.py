"""Small resize cases: what ModelAPI's in-graph resize and cv2's resize give.

ModelAPI puts the resize of an image into the OpenVINO graph (u8 in, `Interpolate` of opset
11 in mode `linear`, then mean and scale), so `geti-sdk` does not resize with cv2 on the
CPU. cv2 is still what enlarges saliency maps (`INTER_CUBIC`). Pillow's filters are those of
torchvision and timm.
"""

import shutil
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from model_api.adapters import OpenvinoAdapter
from openvino import opset13 as ops
from PIL import Image

from fixtures_golden import write_json

PAD = 114
SMALL = ((7, 5), (13, 17), (1, 9), (9, 1), (1, 1), (64, 64), (37, 101))
TARGETS = ((24, 32), (32, 24), (1, 1), (40, 40))
MODES = ("standard", "fit_to_window", "fit_to_window_letterbox", "crop")
F32 = {"INFERENCE_PRECISION_HINT": "f32"}


def write_png(path: Path, rgb: np.ndarray) -> None:
    """Write an RGB or grey image without loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) if rgb.ndim == 3 else rgb
    if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise SystemExit(f"cannot write {path}")


def read_rgb(path: Path) -> np.ndarray:
    """Decode an image file as the SDK's documentation does: cv2, then RGB."""
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def identity_model(height: int, width: int) -> ov.Model:
    """A model that returns its input of 1 x 3 x height x width."""
    parameter = ops.parameter([1, 3, height, width], np.float32, "image")
    parameter.output(0).set_names({"image"})
    result = ops.result(ops.multiply(parameter, ops.constant(np.float32(1))))
    result.output(0).set_names({"resized"})
    return ov.Model([result], [parameter], "identity")


class Embedder(OpenvinoAdapter):
    """ModelAPI's adapter around a model in memory, to borrow its pre-processing graph."""

    def __init__(self, model: ov.Model) -> None:
        """Hold the model; nothing is loaded."""
        self.model = model
        self.device = "CPU"
        self.use_python_preprocessing = False

    def load_model(self) -> None:
        """Do nothing: the caller compiles the model."""


def model_api_resize(image: np.ndarray, height: int, width: int, mode: str, pad: int) -> np.ndarray:
    """Resize as ModelAPI's graph does; return u8 of height x width x 3."""
    embedder = Embedder(identity_model(height, width))
    embedder.embed_preprocessing(
        layout="NCHW", resize_mode=mode, interpolation_mode="LINEAR",
        target_shape=(width, height), pad_value=pad, input_dtype="u8",
    )
    values = ov.Core().compile_model(embedder.model, "CPU", F32)(image[None])[0]
    resized = values[0].transpose(1, 2, 0)
    if not np.array_equal(resized, np.rint(resized)):
        raise SystemExit("the graph's resize gave fractions: it is no longer done in u8")
    return np.ascontiguousarray(resized.astype(np.uint8))


def noise(height: int, width: int, seed: int) -> np.ndarray:
    """Noise with full contrast: every rounding shows."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def add_case(arrays: dict, name: str, source: str, method: str, out: np.ndarray, **extra: object) -> dict:
    """Keep the expected array of a case and describe the case."""
    arrays[name] = np.ascontiguousarray(out)
    height, width = out.shape[-2:] if method.endswith("maps") else out.shape[:2]
    return {"name": name, "source": source, "method": method, "width": width, "height": height, **extra}


def small_cases(out: Path, arrays: dict) -> list[dict]:
    """Noise of odd sizes to small targets: every mode of ModelAPI, and cv2 linear and cubic."""
    cases = []
    for index, (height, width) in enumerate(SMALL):
        image = noise(height, width, index)
        source = f"noise_{width}x{height}.png"
        write_png(out / source, image)
        for target_w, target_h in TARGETS:
            cases += resize_all(arrays, source, image, target_h, target_w)
    return cases


def resize_all(arrays: dict, source: str, image: np.ndarray, height: int, width: int) -> list[dict]:
    """Every method on one source and target."""
    # ModelAPI's crop mixes up width and height of a target that is not square, and then
    # slices pixels that are not there: its result is undefined and no fixture.
    modes = [mode for mode in MODES if mode != "crop" or height == width]
    made = [
        (f"model_api_{mode}", model_api_resize(image, height, width, mode, PAD), {"pad_value": PAD})
        for mode in modes
    ]
    for flag, method in ((cv2.INTER_LINEAR, "cv2_linear"), (cv2.INTER_CUBIC, "cv2_cubic")):
        made.append((method, cv2.resize(image, (width, height), interpolation=flag), {}))
    return [
        add_case(arrays, f"{Path(source).stem}_to_{width}x{height}_{method}", source, method, resized, **extra)
        for method, resized, extra in made
    ]


def network_cases(out: Path, arrays: dict) -> list[dict]:
    """To the network's 224 x 224, down and up."""
    cases = []
    for index, (height, width) in enumerate(((211, 317), (450, 301), (97, 64))):
        image = cv2.GaussianBlur(noise(height, width, 100 + index), (9, 9), 0)
        image = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)
        source = f"blur_{width}x{height}.png"
        write_png(out / source, image)
        for method, resized in (
            ("model_api_standard", model_api_resize(image, 224, 224, "standard", PAD)),
            ("cv2_linear", cv2.resize(image, (224, 224), interpolation=cv2.INTER_LINEAR)),
        ):
            name = f"{Path(source).stem}_to_224x224_{method}"
            cases.append(add_case(arrays, name, source, method, resized))
    return cases


def pillow_cases(out: Path, arrays: dict) -> list[dict]:
    """Pillow's own filters on the sources that are there: to small targets."""
    cases = []
    for path in sorted(out.glob("*.png")):
        image = Image.open(path).convert("RGB")
        targets = ((24, 32), (1, 1), (40, 40)) if path.stem.startswith("noise") else ((72, 50),)
        for width, height in targets:
            for filter_, method in ((Image.Resampling.BILINEAR, "pillow_bilinear"), (Image.Resampling.BICUBIC, "pillow_bicubic")):
                name = f"{path.stem}_to_{width}x{height}_{method}"
                # Columns first, as all versions before 13 do; 13.0 begins with the rows for some sizes.
                across = image.resize((width, image.height), filter_)
                resized = np.asarray(across.resize((width, height), filter_))
                cases.append(add_case(arrays, name, path.name, method, resized))
    return cases


def saliency_cases(arrays: dict) -> list[dict]:
    """7 x 7 u8 maps enlarged by cv2's cubic, as the SDK does; C x 7 x 7 to C x h x w."""
    cases = []
    for index, (classes, height, width) in enumerate(((4, 113, 170), (1, 64, 9), (6, 5, 300), (4, 3, 4))):
        maps = np.random.default_rng(200 + index).integers(0, 256, (classes, 7, 7), dtype=np.uint8)
        large = cv2.resize(maps.transpose(1, 2, 0), (width, height), interpolation=cv2.INTER_CUBIC)
        large = large.reshape(height, width, classes).transpose(2, 0, 1)
        source = f"maps_{classes}x7x7_{index}"
        arrays[source] = maps
        name = f"{source}_to_{width}x{height}"
        cases.append(add_case(arrays, name, source, "cv2_cubic_maps", large))
    return cases


def make(out: Path) -> None:
    """Write all resize cases: `cases.json`, the sources, and `expected.npz`."""
    shutil.rmtree(out, ignore_errors=True)
    arrays: dict = {}
    cases = small_cases(out, arrays) + network_cases(out, arrays) + saliency_cases(arrays) + pillow_cases(out, arrays)
    np.savez_compressed(out / "expected.npz", **arrays)
    write_json(out / "cases.json", cases)
    print(f"{len(cases)} resize cases")
