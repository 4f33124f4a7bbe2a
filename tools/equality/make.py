"""Run geti-sdk on tiny deployments of every task and write what it gives.

    pip install -r tools/requirements.txt
    python tools/equality/make.py fixtures/tasks

Each `GROUP.json` is a list of cases: the models' configurations and outputs, the project's
labels, the image's size, and the annotations and saliency maps that the SDK gives. Where the
SDK is wrong, `differs` says how, and the expectation is ours; where it fails, `sdk_error` says
how. Models have constant outputs; `deployments.py` is about models that look at the image.
"""

import dataclasses
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import cases_classification
import cases_combined
import cases_detection
import cases_maps
import cases_masks
from sdk import Case, Task, annotations, build, load, saliency, write
from expectations import special

COLOR = (40, 120, 200)


def groups() -> dict[str, list[Case]]:
    """Return all cases by file."""
    return {
        "classification": cases_classification.cases(),
        "detection": cases_detection.cases(),
        **cases_masks.cases(),
        **cases_maps.cases(),
        **cases_combined.cases(),
    }


def run(case: Case) -> tuple[Any, Any]:
    """Return the SDK's annotations and maps (or None) for a case; it may raise."""
    with tempfile.TemporaryDirectory() as folder:
        write(case, Path(folder))
        deployment = load(Path(folder))
        image = np.full((case.image[1], case.image[0], 3), COLOR, np.uint8)
        found = annotations(deployment.infer(image))
        return found, saliency(deployment.explain(image)) if case.explain else None


def number(value: Any) -> Any:
    """Return a number that JSON can hold: the shortest text of its type."""
    if isinstance(value, (np.floating, float)):
        if not np.isfinite(value):
            return str(float(value))
        return float(str(np.float32(value)))
    return int(value)


def tensor(name: str, value: np.ndarray) -> dict:
    """Return an output of a model."""
    kinds = {"float32": "f32", "int64": "i64", "uint8": "u8", "bool": "u8"}
    return {"name": name, "type": kinds[value.dtype.name], "shape": list(value.shape),
            "data": [number(item) for item in value.ravel()]}


def described(task: Task) -> dict:
    """Return a task as the test needs it."""
    order = [output.get_any_name() for output in build(task).outputs]
    return {"type": task.kind, "model_info": task.info, "labels": task.labels, "network": task.network,
            "outputs": [tensor(name, task.outputs[name]) for name in order]}


def entry(case: Case) -> dict:
    """Return a case with what is expected of it."""
    result = {"name": case.name, "about": case.about, "image": case.image,
              "tasks": [described(task) for task in case.tasks]}
    try:
        found, maps = run(case)
    except Exception as error:  # noqa: BLE001 The SDK raises whatever it meets.
        found, maps = None, None
        result["sdk_error"] = f"{type(error).__name__}: {error}".splitlines()[0][:160]
    if case.differs:
        result["differs"] = case.differs
    elif found is None:
        raise SystemExit(f"{case.name}: the SDK fails: {result['sdk_error']}")
    if case.error:
        return result | {"error": case.error}
    if case.extra:
        found, maps = special(case, found, maps, run)
    elif case.ours:
        found = case.ours(found)
    return result | {"annotations": found} | ({"maps": maps} if maps is not None else {})


def compact(content: Any) -> str:
    """Return JSON with a line for each case and numbers of six digits."""
    def rounded(value: Any) -> Any:
        if isinstance(value, float):
            whole_number = int(value) if value.is_integer() else None
            return float(f"{value:.9g}") if whole_number is None else whole_number
        if isinstance(value, dict):
            return {key: rounded(item) for key, item in value.items()}
        return [rounded(item) for item in value] if isinstance(value, (list, tuple)) else value

    lines = [json.dumps(rounded(item), separators=(",", ":")) for item in content]
    return "[\n" + ",\n".join(lines) + "\n]\n"


SIMD = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR AVX2 FMA3"


def sort_alike_everywhere() -> None:
    """Start again without NumPy's vector instructions: they sort equal scores in any order."""
    if os.environ.get("NPY_DISABLE_CPU_FEATURES") != SIMD:
        os.environ["NPY_DISABLE_CPU_FEATURES"] = SIMD
        os.execv(sys.executable, [sys.executable, *sys.argv])


def main() -> None:
    """Write all fixtures, or those of the groups named after the folder."""
    sort_alike_everywhere()
    logging.disable(logging.WARNING)
    out, wanted = Path(sys.argv[1]), sys.argv[2:]
    for group, listed in groups().items():
        if wanted and group not in wanted:
            continue
        names = [case.name for case in listed]
        assert len(set(names)) == len(names), group
        entries = [entry(dataclasses.replace(case)) for case in listed]
        (out / f"{group}.json").write_text(compact(entries))
        print(group, len(entries), (out / f"{group}.json").stat().st_size)


if __name__ == "__main__":
    main()
