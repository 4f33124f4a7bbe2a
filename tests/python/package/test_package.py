"""What comes with the wheel: the program, types, names."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import straylight
from straylight.annotation_readers import DatumAnnotationReader
from straylight.exceptions import StraylightError

PROGRAM = Path(sys.executable).with_name("straylight")


def run(*arguments, cwd=None):
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=300, cwd=cwd
    )


def test_the_program_came_with_the_package():
    assert straylight.__version__ in run("--version").stdout
    assert run("no such command").returncode == 2
    failed = run("ood", "show", "/nowhere")
    assert failed.returncode == 1 and "nowhere" in failed.stderr


def test_the_demo_works_right_after_the_installation(tmp_path):
    shown = run("demo", "--json", "report.json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "AUROC" in shown.stdout
    assert (tmp_path / "straylight-demo/contact-sheet.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("straylight", "Geti Visualizer"),
        ("straylight.utils", "get_server_details_from_env"),
        ("straylight.rest_clients", "ProjectClient ModelClient DatasetClient ImageClient"),
        ("straylight.deployment", "Deployment"),
        ("straylight.detect_ood", "COODModel get_deployment_with_xai_head"),
        ("straylight.detect_ood.utils", "get_deployment_with_xai_head"),
        ("straylight.detect_ood.ood_model", "COODModel"),
        ("straylight.annotation_readers", "DatumAnnotationReader"),
        ("straylight.demos", "EXAMPLE_IMAGE_PATH get_coco_dataset"),
    ],
)
def test_names_are_where_the_sdk_has_them(module, names):
    for name in names.split():
        assert getattr(importlib.import_module(module), name) is not None


def test_everything_public_is_documented():
    for name in ("deployment", "post_inference_hooks", "rest_clients", "detect_ood", "ood"):
        module = importlib.import_module(f"straylight.{name}")
        for public in module.__all__:
            thing = getattr(module, public)
            assert thing.__doc__, f"{name}.{public}"
            for member, value in vars(thing).items() if isinstance(thing, type) else ():
                if not member.startswith("_") and callable(value):
                    assert value.__doc__, f"{name}.{public}.{member}"


def test_types_come_along():
    folder = Path(straylight.__file__).parent
    assert (folder / "py.typed").is_file() and (folder / "_native.pyi").is_file()
    text = (folder / "_native.pyi").read_text()
    from straylight import _native

    for name in dir(_native):
        if not name.startswith("_"):
            assert f"def {name}(" in text or f"class {name}" in text, name


def test_every_exception_is_of_the_package_and_of_a_builtin():
    from straylight import exceptions

    for name, value in vars(exceptions).items():
        if isinstance(value, type) and value is not StraylightError:
            assert issubclass(value, StraylightError), name
            assert any(base.__module__ == "builtins" for base in value.__mro__[1:-3]), name


def test_coco_is_read_and_filtered(tmp_path, photos):
    import json

    import cv2

    images, annotations = [], []
    (tmp_path / "images/val2017").mkdir(parents=True)
    (tmp_path / "annotations").mkdir()
    for index, animal in enumerate(["dog", "cat", "dog"]):
        picture = cv2.imread(str(photos / f"farm_animal/{animal}.webp"))
        height, width = picture.shape[:2]
        cv2.imwrite(str(tmp_path / f"images/val2017/{index:012}.jpg"), picture)
        images.append(
            {"id": index, "file_name": f"{index:012}.jpg", "width": width, "height": height}
        )
        annotations.append(
            {
                "id": index,
                "image_id": index,
                "category_id": 1 + (animal == "cat"),
                "bbox": [1, 2, 30, 40],
                "area": 1200,
                "iscrowd": 0,
            }
        )
    categories = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    text = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    (tmp_path / "annotations/instances_val2017.json").write_text(text)

    reader = DatumAnnotationReader(str(tmp_path), annotation_format="coco")
    assert sorted(reader.get_all_label_names()) == ["cat", "dog"]
    reader.filter_dataset(labels=["dog"])
    assert reader.get_all_image_names() == [f"{0:012}", f"{2:012}"]
    assert reader.get_annotation_stats()["dog"] == {"n_images": 2, "n_objects": 2}
    reader.reset_filters_and_grouping()
    reader.filter_dataset(labels=["dog"], criterion="NOT")
    assert reader.get_all_image_names() == [f"{1:012}"]
    assert not reader.problems
