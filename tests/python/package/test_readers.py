"""Readers of annotations: what filters and groups do to labels, and which image is meant."""

import json
import shutil

import pytest

from straylight import Visualizer
from straylight.annotation_readers import (
    AnnotationReader,
    DirectoryTreeAnnotationReader,
    GetiAnnotationReader,
)
from straylight.data_models import MediaInformation, Rectangle, TaskType
from straylight.exceptions import NotSupportedError, StraylightError

SIZE = MediaInformation(width=160, height=120)
IDS = {name: name for name in ("dog", "cat", "cow", "animal", "Anomalous")}


@pytest.fixture
def tree(tmp_path, image):
    """A folder for each of three labels; two images have the same name."""
    for label, name in (("dog", "1"), ("cat", "1"), ("cow", "2")):
        (tmp_path / label).mkdir()
        Visualizer.save_image(image, tmp_path / label / f"{name}.png")
    return tmp_path


def names(annotations):
    return [name for one in annotations for name in one.label_names]


def test_filters_and_groups_choose_the_labels(tree):
    reader = DirectoryTreeAnnotationReader(tree)
    assert set(reader.label_map) == {"dog", "cat", "cow"}
    reader.filter_dataset(["dog", "cow"])
    assert set(reader.get_all_label_names()) == set(reader.label_map) == {"dog", "cow"}
    reader.group_labels(["dog", "cow"], "animal")
    assert reader.label_map == {"dog": "animal", "cow": "animal"}
    assert reader.get_all_label_names() == ["animal"]
    assert names(reader.get_data("2", IDS, SIZE)) == ["animal"]
    reader.reset_filters_and_grouping()
    assert reader.label_map == {name: name for name in ("dog", "cat", "cow")}
    assert names(reader.get_data("2", IDS, SIZE)) == ["cow"] and not reader.applied_filters
    reader.filter_dataset(["cow"], "NOT")
    assert set(reader.get_all_label_names()) == {"dog", "cat"}


def test_a_path_tells_images_of_one_name_apart(tree):
    reader = DirectoryTreeAnnotationReader(tree)
    for label in ("dog", "cat"):
        path = str(tree / label / "1.png")
        found = reader.get_data(path, IDS, SIZE, image_name_as_full_path=True)
        assert names(found) == [label] and found[0].shape == Rectangle(0, 0, 160, 120)
    assert not reader.get_data(str(tree / "1.png"), IDS, SIZE, image_name_as_full_path=True)


def test_a_name_of_several_images_is_no_guess(tree, image, caplog):
    reader = DirectoryTreeAnnotationReader(tree)
    assert reader.get_data("1", IDS, SIZE) == [] == reader.get_data("1.png", IDS, SIZE)
    assert "2 images" in caplog.text
    assert names(reader.get_data("dog/1.png", IDS, SIZE)) == ["dog"]
    for name in ("2.old", "3"):
        Visualizer.save_image(image, tree / "dog" / f"{name}.png")
        Visualizer.save_image(image, tree / "dog" / f"{name}.jpg")
    reader = DirectoryTreeAnnotationReader(tree)
    assert names(reader.get_data("2.old", IDS, SIZE)) == ["dog"]
    assert names(reader.get_data("2", IDS, SIZE)) == ["cow"]
    assert names(reader.get_data("3", IDS, SIZE)) == ["dog"]


def test_anomalies_are_reduced_to_whole_images(tmp_path, image):
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations").mkdir()
    Visualizer.save_image(image, tmp_path / "images/scratch.png")
    shape = {"type": "RECTANGLE", "x": 5, "y": 6, "width": 7, "height": 8}
    scene = {"annotations": [{"shape": shape, "labels": [{"name": "Anomalous", "probability": 1}]}]}
    (tmp_path / "annotations/scratch.json").write_text(json.dumps({**scene, "kind": "annotation"}))
    own = GetiAnnotationReader(tmp_path)
    assert own.get_data("scratch", IDS, SIZE)[0].shape == Rectangle(5, 6, 7, 8)
    whole = GetiAnnotationReader(tmp_path, anomaly_reduction=True)
    assert whole.get_data("scratch", IDS, SIZE)[0].shape == Rectangle(0, 0, 160, 120)
    found = AnnotationReader(tmp_path)
    assert found.task_type == TaskType.DETECTION
    assert found.get_data("scratch", IDS, SIZE)[0].shape == Rectangle(5, 6, 7, 8)
    with pytest.raises(NotSupportedError, match="keypoint_structure"):
        found.get_keypoint_joints()


def test_what_filters_leave_is_written_shared_out_and_merged(tree, tmp_path_factory):
    reader = DirectoryTreeAnnotationReader(tree)
    folder = tmp_path_factory.mktemp("written")
    out = folder / "out"
    done = reader.write(out, split="50/50", seed=1)
    assert (done["images"], done["objects"]) == (3, 3)
    assert set(done["parts"]) == {"train", "val"} and sum(done["parts"].values()) == 3
    assert any("whole image" in line for line in done["summary"])
    names = (out / "data.yaml").read_text().split("names:")[1].split()
    assert [name for name in names if name.startswith('"')] == ['"cat"', '"cow"', '"dog"']
    with pytest.raises(StraylightError, match="not empty"):
        reader.write(out)
    reader.filter_dataset(["cow"])
    before = len(list(out.glob("labels/*/*.txt")))
    assert reader.write(out, merge=True)["images"] == 1
    assert len(list(out.glob("labels/*/*.txt"))) in (before, before + 1)
    with pytest.raises(ValueError, match="80/10/10"):
        reader.write(folder / "other", split="most")
    with pytest.raises(ValueError, match="detect, segment, pose, obb"):
        reader.write(folder / "other", yolo_task="guess")


def test_a_zip_file_is_read_and_written(tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zipped")
    archive = shutil.make_archive(str(folder / "set"), "zip", tree)
    reader = AnnotationReader(archive, "tree")
    done = reader.write(folder / "coco", "coco")
    assert done["images"] == 3 and done["parts"] is None
    assert len(list((folder / "coco" / "images").rglob("*.png"))) == 3
