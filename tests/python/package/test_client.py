"""The clients, against `straylight serve`."""

import json

import numpy as np
import pytest
from conftest import of_project

from straylight import Geti
from straylight.annotation_readers import DirectoryTreeAnnotationReader
from straylight.data_models import Annotation, AnnotationScene, Rectangle, ScoredLabel
from straylight.deployment import Deployment
from straylight.detect_ood import COODModel, get_deployment_with_xai_head
from straylight.exceptions import NotFoundError, StraylightError
from straylight.post_inference_hooks import GetiDataCollection, OODTrigger, PostInferenceHook
from straylight.rest_clients import (
    AnnotationClient,
    DatasetClient,
    ImageClient,
    ModelClient,
    ProjectClient,
)
from straylight.utils import get_server_details_from_env


def test_details_come_from_a_file(server, tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text(f"HOST={server.url}\nTOKEN={server.token}\nCA_FILE={server.certificate}\n")
    details = get_server_details_from_env(env_file_path=file)
    assert server.token not in repr(details)
    assert Geti(server_config=details).workspace_id
    monkeypatch.setenv("GETI_HOST", server.url)
    monkeypatch.setenv("GETI_TOKEN", server.token)
    monkeypatch.setenv("GETI_VERIFY_CERT", "False")
    details = get_server_details_from_env(use_global_variables=True)
    assert details.token_reference == "env:GETI_TOKEN" and not details.has_valid_certificate


def test_a_wrong_token_is_refused_and_not_shown(server):
    with pytest.raises(PermissionError) as raised:
        Geti(host=server.url, token="geti_pat_wrong", ca_file=server.certificate)
    assert isinstance(raised.value, StraylightError)
    assert "geti_pat_wrong" not in str(raised.value)


def test_a_certificate_that_is_not_trusted_is_refused(server):
    with pytest.raises(ConnectionError):
        Geti(host=server.url, token=server.token)


def test_projects_datasets_images_annotations(geti, image, photos, tmp_path):
    projects = ProjectClient(session=geti.session, workspace_id=geti.workspace_id)
    project = projects.create_project("birds", "classification", [["tern", "gull"]])
    assert projects.get_project_by_name("birds").id == project.id
    assert geti.get_project(project_name="birds").get_all_labels()[0].name == "tern"
    assert projects.get_project_by_name("none") is None
    with pytest.raises(LookupError):
        geti.get_project(project_name="none")

    datasets = of_project(DatasetClient, geti, project)
    extra = datasets.create_dataset("extra")
    assert [it.name for it in datasets.get_all_datasets()] == ["Dataset", "extra"]
    assert datasets.get_dataset_by_name("extra").id == extra.id

    images = of_project(ImageClient, geti, project)
    first = images.upload_image(image)
    second = images.upload_image(photos / "fish/fish1.webp", dataset=extra)
    assert (first.media_information.width, second.name) == (160, "fish1")
    assert images.get_all_images().ids == [first.id]
    folder = images.upload_folder(photos / "other", n_images=3)
    assert len(folder) == 3 and len(images.get_all_images()) == 4
    below = images.base_url(project.training_dataset)
    assert images.plural_media_name == "images"
    assert first.download_url.endswith(f"/{below}/{first.id}/display/full")
    pixels = images.download_image(first)
    assert np.array_equal(pixels, image)

    annotations = of_project(AnnotationClient, geti, project)
    assert annotations.get_annotation(first) is None
    whole = Rectangle.generate_full_box(160, 120)
    scene = AnnotationScene(annotations=[Annotation([ScoredLabel(1.0, "gull")], whole)])
    annotations.upload_annotation(first, scene)
    found = annotations.get_annotation(first)
    assert found.get_label_names() == ["gull"] and found.annotations[0].shape == whole
    assert datasets.get_dataset_statistics(project.training_dataset)["overview"]["images"] == 4

    images.download_all(tmp_path / "all")
    assert len(list((tmp_path / "all/images").rglob("*.*"))) == 5
    annotations.download_all_annotations(tmp_path / "all")
    (file,) = (tmp_path / "all/annotations").glob("*.json")
    assert json.loads(file.read_text())["annotations"][0]["labels"][0]["name"] == "gull"

    images.delete_images([first])
    assert len(images.get_all_images()) == 3
    datasets.delete_dataset(extra)
    projects.delete_project(project, requires_confirmation=False)
    assert "birds" not in [it.name for it in projects.get_all_projects()]


@pytest.fixture(scope="module")
def filled(geti, photos, split, tmp_path_factory):
    """The demo's project with the photos that its model was trained on, annotated."""
    project = geti.get_project(project_name="straylight demo")
    folder = tmp_path_factory.mktemp("train")
    for photo in split["train"]:
        source = photos.parent / photo["file"]
        target = folder / photo["label"] / source.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    images = of_project(ImageClient, geti, project)
    uploaded = images.upload_folder(folder)
    assert len(uploaded) == len(split["train"])
    reader = DirectoryTreeAnnotationReader(folder)
    assert set(reader.get_all_label_names()) == {"fish", "monument", "renewable", "tool"}
    client = AnnotationClient(geti.session, geti.workspace_id, project, annotation_reader=reader)
    client.upload_annotations_for_all_media()
    overview = of_project(DatasetClient, geti, project).get_dataset_statistics(
        project.training_dataset
    )["overview"]
    assert overview["annotated_images"] == len(split["train"])
    return project


def test_the_way_of_the_notebook(geti, filled, photos, tmp_path, server, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    models = of_project(ModelClient, geti, filled)
    (active,) = models.get_all_active_models()
    assert any(form.has_xai_head for form in active.optimized_models)
    group = models.get_all_model_groups()[0]
    assert group.has_trained_models
    form = models.get_latest_optimized_model(group.name, "mo", "fp16", require_xai=True)
    assert form.has_xai_head and form.id in [it.id for it in active.optimized_models]
    with pytest.raises(NotFoundError, match="INT8"):
        models.get_latest_optimized_model(group.name, precision="INT8")
    assert models.get_task_for_model(form).id == models.get_task_for_model(active).id
    assert models.get_task_for_model(active).id == filled.get_trainable_tasks()[0].id
    deployment = get_deployment_with_xai_head(geti=geti, model_client=models)
    model = COODModel(geti=geti, project=filled, deployment=deployment)
    assert model.report["in_distribution"]["fit"] > 50 and not model.skipped
    dog = photos / "farm_animal/dog.webp"
    fish = photos / "fish/fish1.webp"
    assert model(deployment.explain(dog)) > model(deployment.explain(fish))

    trigger = OODTrigger(ood_model=model)
    action = GetiDataCollection(
        session=geti.session,
        workspace_id=geti.workspace_id,
        project=filled,
        dataset="OOD Images Collected",
        log_level="info",
    )
    deployment.add_post_inference_hook(PostInferenceHook(trigger=trigger, action=action))
    deployment.infer(dog)
    assert deployment.await_hooks(30)
    collected = of_project(DatasetClient, geti, filled).get_dataset_by_name("OOD Images Collected")
    assert len(of_project(ImageClient, geti, filled).get_all_images(collected)) == 1

    deployment.save(tmp_path / "saved")
    text = (tmp_path / "saved/deployment/hook_config.json").read_text()
    assert server.token not in text and "file:" in text
    offline = Deployment.from_folder(tmp_path / "saved")
    offline.infer(dog)
    assert offline.await_hooks(30)
    assert len(of_project(ImageClient, geti, filled).get_all_images(collected)) == 2


def test_projects_go_down_and_up(geti, filled, tmp_path):
    geti.download_project_data(filled, target_folder=tmp_path / "down")
    copy = geti.upload_project_data(tmp_path / "down", project_name="a copy")
    datasets = of_project(DatasetClient, geti, copy)
    overview = datasets.get_dataset_statistics(copy.training_dataset)["overview"]
    assert overview["images"] == overview["annotated_images"] == 105
