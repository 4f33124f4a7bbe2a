"""Projects, their labels and models, archives and predictions, against `straylight serve`."""

import json

import numpy as np
import pytest
from conftest import of_project

from straylight import Visualizer
from straylight.annotation_readers import DatumAnnotationReader, DirectoryTreeAnnotationReader
from straylight.demos import DEMO_DEPLOYMENT_PATH
from straylight.deployment import Deployment
from straylight.exceptions import NotFoundError, NotSupportedError
from straylight.rest_clients import (
    AnnotationClient,
    DatasetClient,
    ImageClient,
    ModelClient,
    ProjectClient,
)


@pytest.fixture
def projects(geti):
    return ProjectClient(session=geti.session, workspace_id=geti.workspace_id)


@pytest.fixture
def demo(geti):
    return geti.get_project(project_name="straylight demo")


@pytest.fixture(scope="module")
def pets(photos, tmp_path_factory):
    """A folder for each of two labels, with two photos each."""
    folder = tmp_path_factory.mktemp("pets")
    for label, source in {"fish": "fish", "animal": "farm_animal"}.items():
        (folder / label).mkdir()
        for photo in sorted((photos / source).glob("*.webp"))[:2]:
            (folder / label / photo.name).write_bytes(photo.read_bytes())
    return folder


def labels_of(project):
    return {label.name: label for label in project.get_all_labels()}


def test_a_dataset_becomes_a_project(geti, pets):
    reader = DirectoryTreeAnnotationReader(pets)
    project = geti.create_single_task_project_from_dataset(
        "pets", "classification", pets, reader, number_of_images_to_annotate=3
    )
    overview = of_project(DatasetClient, geti, project).get_dataset_statistics(
        project.training_dataset
    )["overview"]
    assert (overview["images"], overview["annotated_images"]) == (4, 3)
    assert set(labels_of(project)) == {"fish", "animal"}
    annotations = of_project(AnnotationClient, geti, project)
    for image in of_project(ImageClient, geti, project).get_all_images():
        scene = annotations.get_annotation(image)
        if scene is not None:
            own = (pets / scene.get_label_names()[0] / f"{image.name}.webp").is_file()
            assert own and scene.annotations[0].shape.is_full_box(
                image.media_information.width, image.media_information.height
            )


def test_images_of_one_name_get_the_label_of_their_own_folder(geti, tmp_path):
    grey = {"cat": 40, "cow": 120, "dog": 200}
    for label, value in grey.items():
        (tmp_path / label).mkdir()
        for name in ("1", "2", f"only {label}"):
            Visualizer.save_image(
                np.full((64, 64, 3), value, np.uint8), tmp_path / label / f"{name}.png"
            )
    reader = DirectoryTreeAnnotationReader(tmp_path)
    project = geti.create_single_task_project_from_dataset(
        "one name", "classification", tmp_path, reader
    )
    client = of_project(ImageClient, geti, project)
    images = client.get_all_images()
    assert sorted(images.names) == sorted(["1", "2"] * 3 + [f"only {label}" for label in grey])
    annotations = of_project(AnnotationClient, geti, project)
    for image in images:
        value = int(client.download_image(image).mean())
        (label,) = annotations.get_annotation(image).get_label_names()
        assert grey[label] == value, image.name


def test_labels_that_were_filtered_by_or_exclude_nothing(geti, pets):
    reader = DirectoryTreeAnnotationReader(pets)
    reader.filter_dataset(["fish", "animal"], "OR")
    project = geti.create_single_task_project_from_dataset(
        "several", "classification", pets, reader, labels=["fish", "animal"]
    )
    groups = {label.group for name, label in labels_of(project).items() if name != "No class"}
    assert len(groups) == 2


def coco(folder, image):
    """A COCO dataset of two images with a box each."""
    (folder / "images/val2017").mkdir(parents=True)
    (folder / "annotations").mkdir()
    files = []
    for number in (1, 2):
        name = f"{number}.png"
        Visualizer.save_image(image, folder / "images/val2017" / name)
        files.append({"id": number, "file_name": name, "height": 120, "width": 160})
    box = {"bbox": [10, 20, 30, 40], "area": 1200, "iscrowd": 0, "segmentation": []}
    boxes = [
        {**box, "id": 1, "image_id": 1, "category_id": 1},
        {**box, "id": 2, "image_id": 2, "category_id": 2},
    ]
    names = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cow"}]
    text = json.dumps({"images": files, "annotations": boxes, "categories": names})
    (folder / "annotations/instances_val2017.json").write_text(text)
    return folder


def test_a_dataset_becomes_a_project_of_two_tasks(geti, image, tmp_path):
    folder = coco(tmp_path, image)
    detection = DatumAnnotationReader(folder, "coco")
    detection.group_labels(["dog", "cow"], "animal")
    project = geti.create_task_chain_project_from_dataset(
        "chain",
        "detection_to_classification",
        folder / "images",
        [detection, DatumAnnotationReader(folder, "coco")],
    )
    first, second = project.get_trainable_tasks()
    assert "animal" in first.get_label_names() and "dog" in second.get_label_names()
    annotations = of_project(AnnotationClient, geti, project)
    found = [
        annotations.get_annotation(it)
        for it in of_project(ImageClient, geti, project).get_all_images()
    ]
    (one,) = found[0].annotations
    assert (one.shape.x, one.shape.width) == (10, 30)
    assert {"animal"} < {name for scene in found for name in scene.get_label_names()}
    assert all(len(scene.annotations[0].labels) == 2 for scene in found)


def test_labels_are_added_and_changed(geti, projects):
    project = projects.create_project("labels", "classification", [["tern", "gull"]])
    project = projects.add_labels(["skua", {"name": "auk", "color": "#00ff00"}], project)
    found = labels_of(project)
    assert {"tern", "gull", "skua", "auk"} <= set(found)
    assert found["auk"].color_tuple == (0, 255, 0)
    project = projects.update_labels(project, {"tern": "#ff0000"}, {"gull": "ctrl+g"})
    found = labels_of(geti.get_project(project_id=project.id))
    assert found["tern"].color_tuple == (255, 0, 0) and found["gull"].hotkey == "ctrl+g"
    with pytest.raises(ValueError, match="kea"):
        projects.update_labels(project, {"kea": "#ff0000"}, {})
    with pytest.raises(ValueError, match="colour"):
        projects.update_labels(project, {"tern": "red"}, {})


def test_key_points_have_a_structure(projects):
    points = {
        "edges": [{"nodes": ["nose", "tail"]}],
        "positions": [
            {"label": "nose", "x": 0.1, "y": 0.5},
            {"label": "tail", "x": 0.9, "y": 0.5},
        ],
    }
    labels = [["nose", "tail"]]
    project = projects.create_project("points", "keypoint_detection", labels, points)
    (task,) = project.get_trainable_tasks()
    assert len(task.keypoint_structure["edges"]) == 1
    with pytest.raises(ValueError, match="key points"):
        projects.create_project("points too", "keypoint_detection", labels)
    with pytest.raises(ValueError, match="key points"):
        projects.create_project("no points", "detection", labels, points)


def test_a_project_is_made_of_its_description(projects, geti, tmp_path):
    project = projects.create_project("described", "detection", [["a", "b"]])
    of_project(DatasetClient, geti, project).create_dataset("more")
    projects.download_project_info(project, tmp_path)
    copy = projects.create_project_from_folder(tmp_path, project_name="described again")
    assert copy.id != project.id and [it.name for it in copy.datasets] == ["Dataset", "more"]
    assert projects.create_project_from_folder(tmp_path, "described again").id == copy.id
    datasets = of_project(DatasetClient, geti, copy)
    assert datasets.has_dataset_subfolders(tmp_path)
    (tmp_path / "images/Dataset").mkdir(parents=True)
    assert not datasets.has_dataset_subfolders(tmp_path)
    (tmp_path / "images/more").mkdir()
    assert datasets.has_dataset_subfolders(tmp_path)


def test_archives_go_out_and_come_back(geti, pets, tmp_path):
    reader = DirectoryTreeAnnotationReader(pets)
    project = geti.create_single_task_project_from_dataset("out", "classification", pets, reader)
    geti.export_project(tmp_path / "project.zip", project_id=project.id)
    back = geti.import_project(tmp_path / "project.zip", project_name="back")
    assert back.name == "back"
    assert len(of_project(ImageClient, geti, back).get_all_images()) == 4

    dataset = project.training_dataset
    geti.export_dataset(project, dataset, tmp_path / "data.zip", export_format="COCO")
    new = geti.import_dataset(tmp_path / "data.zip", "of a dataset", "classification")
    assert len(of_project(ImageClient, geti, new).get_all_images()) == 4
    assert {"fish", "animal"} <= set(labels_of(new))
    with pytest.raises(ValueError, match="it can become"):
        geti.import_dataset(tmp_path / "data.zip", "nothing", "keypoint_detection")
    with pytest.raises(ValueError, match="models"):
        geti.export_project(tmp_path / "x.zip", project=project, include_models="some")


def test_a_dataset_is_written_ready_to_train(geti, pets, tmp_path):
    reader = DirectoryTreeAnnotationReader(pets)
    project = geti.create_single_task_project_from_dataset(
        "train", "classification", pets, reader, number_of_images_to_annotate=3
    )
    dataset = project.training_dataset
    done = geti.write_dataset(project, dataset, tmp_path / "all", split="70/30")
    assert (done["images"], done["left_out"]["unlabelled"]) == (3, 1)
    assert sum(done["parts"].values()) == 3 and not done["problems"]
    fish = geti.write_dataset(project, dataset, tmp_path / "fish", "coco", rule="fish")
    assert fish["images"] + fish["left_out"]["filtered"] == 3
    whole = geti.write_dataset(
        project, dataset, tmp_path / "all", merge=True, include_unannotated_media=True
    )
    assert whole["images"] == 4
    with pytest.raises(ValueError, match="nothing to export"):
        geti.write_dataset(project, dataset, tmp_path / "none", rule="dog")


def test_all_projects_go_down_and_up(geti, projects, tmp_path):
    kept = [projects.create_project(name, "detection", [["x"]]) for name in ("../up/1", "up 2")]
    found = geti.download_all_projects(tmp_path, include_predictions=False)
    assert {it.id for it in kept} <= {it.id for it in found}
    folders = {folder.name for folder in tmp_path.iterdir()}
    assert f"_up_1_{kept[0].id}" in folders and len(folders) == len(found)
    for project in kept:
        projects.delete_project(project, requires_confirmation=False)
    wanted = tmp_path / "wanted"
    wanted.mkdir()
    for project in kept:
        (folder,) = tmp_path.glob(f"*up*{project.id}")
        folder.rename(wanted / folder.name)
    assert {it.name for it in geti.upload_all_projects(wanted)} == {"../up/1", "up 2"}


def test_the_server_predicts(geti, demo, photos, image, tmp_path):
    datasets = of_project(DatasetClient, geti, demo)
    extra = datasets.create_dataset("to predict")
    fish = photos / "fish/fish1.webp"
    uploaded, prediction = geti.upload_and_predict_image(demo, fish, dataset_name="to predict")
    local = Deployment.from_folder(DEMO_DEPLOYMENT_PATH).infer(fish)
    (theirs,), (ours,) = prediction.get_labels(), local.get_labels()
    assert (theirs.name, theirs.color) == (ours.name, ours.color) == ("fish", ours.color)
    assert abs(theirs.probability - ours.probability) < 1e-3
    images = of_project(ImageClient, geti, demo)
    assert images.get_all_images(extra).ids == [uploaded.id]
    again, _ = geti.upload_and_predict_image(demo, uploaded, delete_after_prediction=True)
    assert again is uploaded and len(images.get_all_images(extra)) == 1
    geti.upload_and_predict_image(
        demo, image, delete_after_prediction=True, dataset_name="to predict"
    )
    assert len(images.get_all_images(extra)) == 1

    before = len(images.get_all_images())
    (tmp_path / "media").mkdir()
    (tmp_path / "media/a fish.webp").write_bytes(fish.read_bytes())
    assert geti.upload_and_predict_media_folder(
        demo, tmp_path / "media", delete_after_prediction=True
    )
    assert len(images.get_all_images()) == before
    written = json.loads((tmp_path / "media_predictions/predictions/a fish.json").read_text())
    assert written["kind"] == "prediction"
    assert written["annotations"][0]["labels"][0]["name"] == "fish"
    datasets.delete_dataset(extra)


def test_media_of_one_name_in_several_datasets_do_not_overwrite_one_another(
    geti, demo, photos, tmp_path
):
    datasets = of_project(DatasetClient, geti, demo)
    client = of_project(ImageClient, geti, demo)
    annotations = of_project(AnnotationClient, geti, demo)
    second = datasets.create_dataset("../second")
    seen = {}
    for dataset, kind in ((None, "fish/fish1"), (second, "farm_animal/dog")):
        photo = tmp_path / kind / "same name.webp"
        photo.parent.mkdir(parents=True)
        photo.write_bytes((photos / f"{kind}.webp").read_bytes())
        uploaded = client.upload_image(photo, dataset)
        _, prediction = geti.upload_and_predict_image(demo, uploaded)
        seen[uploaded.id] = (uploaded, prediction.get_label_names())
        annotations.upload_annotation(uploaded, prediction)
    assert len({tuple(labels) for _, labels in seen.values()}) == 2

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    geti.download_project_data(demo, whole, include_predictions=True)
    annotations.download_all_annotations(parts)
    client.download_all(parts)
    for identifier, (_, labels) in seen.items():
        stem = f"same name_{identifier}"
        assert len(list(whole.glob(f"images/*/{stem}.webp"))) == 1
        assert len(list(parts.glob(f"images/*/{stem}.webp"))) == 1
        for file in (whole / "predictions", whole / "annotations", parts / "annotations"):
            written = json.loads((file / f"{stem}.json").read_text())
            assert [it["labels"][0]["name"] for it in written["annotations"]] == labels
    assert not (tmp_path / "second").exists() and (parts / "images/_second").is_dir()
    client.delete_images([image for image, _ in seen.values()])
    datasets.delete_dataset(second)


def test_a_project_without_a_model_predicts_nothing(geti, projects, image, tmp_path):
    project = projects.create_project("untrained", "detection", [["x"]])
    with pytest.raises(NotFoundError, match="no model"):
        geti.upload_and_predict_image(project, image)
    assert len(of_project(ImageClient, geti, project).get_all_images()) == 0
    with pytest.raises(NotFoundError, match="no model"):
        geti.upload_and_predict_media_folder(project, tmp_path)
    with pytest.raises(NotFoundError, match="no model"):
        geti.upload_and_predict_video(project, np.zeros((2, 64, 64, 3), np.uint8))


def test_what_was_uploaded_is_deleted_where_predictions_cannot_be_written(
    geti, demo, photos, tmp_path, monkeypatch
):
    (tmp_path / "media").mkdir()
    (tmp_path / "media/fish.webp").write_bytes((photos / "fish/fish1.webp").read_bytes())
    client = of_project(ImageClient, geti, demo)
    before = set(client.get_all_images().ids)

    def fail(*_):
        assert set(client.get_all_images().ids) > before
        raise OSError("the disk is full")

    monkeypatch.setattr(geti, "_write_predictions", fail)
    with pytest.raises(OSError, match="full"):
        geti.upload_and_predict_media_folder(
            demo, tmp_path / "media", tmp_path / "out", delete_after_prediction=True
        )
    assert set(client.get_all_images().ids) == before


def test_models_are_chosen_and_not_trained(geti, demo, tmp_path):
    models = of_project(ModelClient, geti, demo)
    (active,) = models.get_all_active_models()
    group = models.get_model_group_by_algo_name(active.architecture)
    models.set_active_model(active)
    models.set_active_model(group.get_latest_model())
    models.set_active_model(algorithm=group)
    assert models.get_all_active_models()[0].id == active.id
    with pytest.raises(ValueError, match="it has"):
        models.set_active_model(algorithm="no such")
    with pytest.raises(ValueError, match="give"):
        models.set_active_model()
    assert models.update_model_detail(active).id == active.id
    version = group.models[0].version
    find = models.get_model_by_algorithm_task_and_version
    assert find(group.name, version, demo.get_trainable_tasks()[0]).id == active.id
    assert find(group.name, 99) is None and find("no such") is None
    with pytest.raises(ValueError, match="optimized already"):
        models.optimize_model(active.optimized_models[0])
    with pytest.raises(NotSupportedError, match="straylight serve"):
        Deployment.from_folder(DEMO_DEPLOYMENT_PATH).generate_ovms_config(tmp_path)


def test_the_local_server_has_no_credits(geti):
    assert geti.credit_balance is None
