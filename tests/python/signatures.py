"""Compares the public calls of the package with those of the SDK: names, arguments, defaults.

    signatures.py geti_sdk|straylight FILE      writes what that package has
    signatures.py --compare SDK OURS            1 if they differ in what no reason is given for

Ours may have more: further calls, and further arguments by keyword alone.
"""

import enum
import importlib
import inspect
import json
import sys
import types
from pathlib import Path

#: The modules whose classes and functions are compared; all that is public where none is named.
MODULES = {
    "": ("Geti", "Visualizer"),
    "utils": ("get_server_details_from_env",),
    "rest_clients": (
        "AnnotationClient",
        "DatasetClient",
        "ImageClient",
        "ModelClient",
        "ProjectClient",
        "VideoClient",
    ),
    "deployment": ("Deployment",),
    "post_inference_hooks": (),
    "deployment.inference_hook_interfaces": (
        "PostInferenceAction",
        "PostInferenceHookInterface",
        "PostInferenceTrigger",
    ),
    "annotation_readers": (),
    "demos": (),
}

#: Calls of the development branch that no release has, as its notebook writes them.
UNRELEASED = {
    "detect_ood.ood_model.COODModel": ["self", "geti", "project", "deployment"],
    "detect_ood.utils.get_deployment_with_xai_head": ["geti", "model_client"],
    "post_inference_hooks.OODTrigger": ["self", "ood_model"],
}

_TRAINING = "a demo that waits until the platform has trained"
_REVISION = "what a model was trained on: the answers of a server were never seen here"
_VIDEOS = "videos are downloaded with their whole project: `Geti.download_project_data`"
_DEMO_DATA = "a demo that trains on the platform; the data are not the project's to hand out"

#: What may differ, and why.
REASONS = {
    "rest_clients.DatasetClient.get_training_dataset_summary": _REVISION,
    "rest_clients.DatasetClient.get_media_in_training_dataset": _REVISION,
    "rest_clients.VideoClient.download_all": _VIDEOS,
    "demos.create_anomaly_classification_demo_project": _DEMO_DATA,
    "demos.ensure_project_is_trained": _TRAINING,
    "demos.ensure_trained_anomaly_project": _TRAINING,
    "demos.ensure_trained_example_project": _TRAINING,
    "demos.get_mvtec_dataset": _DEMO_DATA,
    "demos.get_person_car_bike_video": _DEMO_DATA,
}


def load(package, module):
    """A module of a package; the SDK's demos want a helper of its tests, which no wheel has."""
    if package == "geti_sdk" and module == "demos":
        for name in ("tests", "tests.helpers"):
            sys.modules.setdefault(name, types.ModuleType(name))
        sys.modules["tests.helpers"].DatumAnnotationReader = object
    return importlib.import_module(f"{package}.{module}" if module else package)


def written(default):
    """A default as both packages can write it; enums are their values."""
    if default is inspect.Parameter.empty:
        return None
    return repr(default.value if isinstance(default, enum.Enum) else default)


def arguments(function):
    """Name, kind and default of each argument."""
    return [
        [it.name, it.kind.name, written(it.default)]
        for it in inspect.signature(function).parameters.values()
    ]


def described(thing):
    """The calls of a class, or a function; attributes and constants are known by name alone."""
    if not inspect.isclass(thing):
        return {"": arguments(thing) if inspect.isfunction(thing) else "attribute"}
    found = {}
    for name in dir(thing):
        if name.startswith("_") and name not in ("__init__", "__call__"):
            continue
        member = inspect.getattr_static(thing, name)
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        call = inspect.isfunction(member)
        found[f".{name}"] = arguments(member) if call else "attribute"
    return found


def collect(package):
    found = {}
    for module, names in MODULES.items():
        loaded = load(package, module)
        for name in names or loaded.__all__:
            path = f"{module}.{name}".lstrip(".")
            for member, what in described(getattr(loaded, name)).items():
                found[path + member] = what
    if package == "straylight":
        for path in UNRELEASED:
            module, name = path.rsplit(".", 1)
            thing = getattr(load(package, module), name)
            function = thing.__init__ if inspect.isclass(thing) else thing
            found[f"unreleased {path}"] = arguments(function)
    return found


def difference(theirs, ours):
    """What is not the same, as one line; None if nothing is."""
    if ours is None:
        return "missing"
    if "attribute" in (theirs, ours):
        return None if theirs == ours else f"{theirs} there, {ours} here"
    more = ours[len(theirs) :]
    if ours[: len(theirs)] != theirs:
        return f"{theirs} there, {ours} here"
    extra = [name for name, kind, default in more if kind != "KEYWORD_ONLY" or default is None]
    return f"further arguments that are no keywords: {extra}" if extra else None


def compare(theirs, ours):
    wrong = []
    differences = {path: difference(what, ours.get(path)) for path, what in theirs.items()}
    for path, names in UNRELEASED.items():
        found = [argument[0] for argument in ours[f"unreleased {path}"]]
        same = found[: len(names)] == names
        differences[path] = None if same else f"{names} there, {found} here"
    for path, what in differences.items():
        if what is not None and path not in REASONS:
            wrong.append(f"{path}: {what}")
    for path in REASONS:
        if differences.get(path) is None:
            wrong.append(f"{path}: is the same by now, but a reason says why it differs")
    print(f"{len(differences)} calls and attributes compared, {len(REASONS)} differ for a reason")
    print("\n".join(wrong))
    return 1 if wrong else 0


def main():
    if sys.argv[1] == "--compare":
        return compare(*(json.loads(Path(path).read_text()) for path in sys.argv[2:4]))
    Path(sys.argv[2]).write_text(json.dumps(collect(sys.argv[1]), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
