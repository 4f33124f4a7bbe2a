"""Loading, inferring, explaining, saving."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from straylight import Visualizer
from straylight.data_models import Annotation, Prediction, Rectangle, ScoredLabel
from straylight.demos import DEMO_DEPLOYMENT_PATH, EXAMPLE_IMAGE_PATH
from straylight.deployment import Deployment
from straylight.exceptions import StraylightError


def test_a_photo_gets_its_label(loaded, photos):
    prediction = loaded.infer(photos / "fish" / "fish1.webp")
    assert prediction.get_label_names() == ["fish"]
    (annotation,) = prediction.annotations
    assert 0.5 < annotation.labels[0].probability <= 1
    assert isinstance(annotation.shape, Rectangle) and annotation.shape.x == 0
    assert prediction.feature_vector is None and prediction.kind == "prediction"


def test_explain_has_features_and_maps(loaded, image):
    prediction = loaded.explain(image)
    assert prediction.feature_vector.shape == (1, 1280)
    assert prediction.feature_vector.dtype == np.float32
    assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)
    maps = prediction.maps[0].data
    assert set(maps) == {"fish", "monument", "renewable", "tool"}
    shown = Visualizer().explain_label(image, prediction, "fish")
    assert shown.dtype == np.uint8 and shown.ndim == 3


def test_models_of_a_deployment_make_another(loaded, image):
    again = Deployment(loaded.project, loaded.models)
    assert again.infer(image).get_labels() == loaded.infer(image).get_labels()
    assert not again.post_inference_hooks and again.models == loaded.models
    other = replace(loaded.project, id="another")
    for project, models in ((loaded.project, []), (other, loaded.models)):
        with pytest.raises(ValueError, match="models"):
            Deployment(project, models)
    loose = replace(loaded.models[0], folder="")
    with pytest.raises(ValueError, match="one deployment"):
        Deployment(loaded.project, [loose])


def test_a_prediction_has_the_score_of_the_ood_model(deployment, fitted, photos):
    assert deployment.infer(photos / "fish/fish1.webp").ood_score is None
    deployment.ood_model = fitted
    known, strange = (
        deployment.infer(photos / name, activations=True)
        for name in ("fish/fish1.webp", "farm_animal/dog.webp")
    )
    assert 0 <= known.ood_score < strange.ood_score <= 1
    assert known.ood_score == fitted.score_prediction(known)
    assert "ood_score" not in known.to_dict()  # the record is the SDK's


def test_activations_own_their_data(loaded):
    images = [np.full((64, 64, 3), grey, np.uint8) for grey in (0, 255)]
    first = loaded.infer(images[0], activations=True).feature_vector
    kept = first.copy()
    for _ in range(20):
        loaded.infer(images[1], activations=True)
    assert np.array_equal(first, kept)
    assert not np.array_equal(first, loaded.infer(images[1], activations=True).feature_vector)


@pytest.mark.parametrize(
    "change",
    [
        lambda rgb: rgb[:, ::-1],
        lambda rgb: np.asfortranarray(rgb),
        lambda rgb: rgb.astype(np.uint16) * 257,
        lambda rgb: np.dstack([rgb, np.full(rgb.shape[:2], 9, np.uint8)]),
        lambda rgb: rgb[:, :, 0],
        lambda rgb: rgb[:, :, :1],
        lambda rgb: rgb[:, :, :2],
    ],
    ids=["mirrored", "fortran", "16 bit", "rgba", "grey", "grey in 3 dimensions", "grey and alpha"],
)
def test_every_layout_of_an_image(loaded, image, change):
    changed = change(image)
    if changed.ndim == 2 or changed.shape[2] < 3:
        plain = np.repeat(changed.reshape(*changed.shape[:2], -1)[:, :, :1], 3, axis=2)
    else:
        plain = changed[:, :, :3]
    if plain.dtype == np.uint16:
        plain = (plain >> 8).astype(np.uint8)
    expected = loaded.infer(np.ascontiguousarray(plain), activations=True).logits
    assert np.array_equal(loaded.infer(changed, activations=True).logits, expected)


@pytest.mark.parametrize("wrong", [np.zeros((4, 4, 3)), np.zeros((4, 4, 9), np.uint8), "x" * 3, 7])
def test_what_is_no_image_is_refused_and_nothing_breaks(loaded, image, wrong):
    with pytest.raises((ValueError, FileNotFoundError)) as raised:
        loaded.infer(wrong)
    assert isinstance(raised.value, StraylightError)
    assert loaded.infer(image).annotations


def test_a_missing_deployment_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="project.json") as raised:
        Deployment.from_folder(tmp_path)
    assert isinstance(raised.value, StraylightError) and raised.value.hint


def test_ten_threads_see_their_own_predictions(loaded):
    images = [np.full((64, 64, 3), 25 * i, np.uint8) for i in range(10)]
    expected = [loaded.infer(image, activations=True).logits for image in images]
    wrong = []

    def run(index):
        for _ in range(20):
            found = loaded.infer(images[index], activations=True).logits
            if not np.array_equal(found, expected[index]):
                wrong.append(index)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not wrong


def test_asynchronous_inference_brings_image_and_data_together(deployment):
    images = [np.full((32, 32, 3), 10 * i, np.uint8) for i in range(20)]
    expected = [deployment.explain(image).logits for image in images]
    seen = {}

    def done(image, prediction, runtime_data):
        seen[runtime_data] = (image, prediction)

    deployment.set_asynchronous_callback(done)
    for index, image in enumerate(images):
        deployment.explain_async(image, index)
    deployment.await_all()
    assert sorted(seen) == list(range(20))
    for index, (image, prediction) in seen.items():
        assert image is images[index]
        assert np.array_equal(prediction.logits, expected[index])
    assert deployment.infer(images[0]).annotations


def test_a_callback_that_raises_is_told(deployment, image):
    def done(image, prediction, runtime_data):
        raise KeyError("no")

    deployment.set_asynchronous_callback(done)
    deployment.infer_async(image)
    with pytest.raises(KeyError):
        deployment.await_all()
    deployment.await_all()


def test_saving_and_loading(deployment, tmp_path, image):
    expected = deployment.infer(image, activations=True).logits
    assert deployment.save(tmp_path / "saved")
    again = Deployment.from_folder(tmp_path / "saved")
    assert np.array_equal(again.infer(image, activations=True).logits, expected)
    assert again.project.name == deployment.project.name
    again.load_inference_models(device="CPU", max_async_infer_requests=2)
    assert again.infer(image).annotations


def test_predictions_made_by_hand_are_drawn(image):
    shape = Rectangle(10, 10, 50, 40)
    label = ScoredLabel(0.9, "dog", "#ff0000ff")
    prediction = Prediction(annotations=[Annotation([label], shape)])
    drawn = Visualizer().draw(image, prediction)
    assert drawn.shape[2] == 3 and (drawn != Visualizer().draw(image, Prediction())).any()
    unsure = Visualizer().draw(image, prediction, confidence_threshold=0.95)
    assert (unsure == Visualizer().draw(image, Prediction())).all()


def test_reprs_help(loaded, image):
    assert repr(loaded) == "Deployment(straylight demo, classification, 0 hooks)"
    assert repr(loaded.infer(image)).startswith("Prediction(1 annotations: ")
    assert "classification" in repr(loaded.project)


def test_pictures_are_shown_inline(image, tmp_path):
    from straylight.prediction_visualization import Picture

    assert Picture(image)._repr_png_().startswith(b"\x89PNG")
    Visualizer.save_image(image, tmp_path / "x.png")
    import cv2

    assert (cv2.imread(str(tmp_path / "x.png"))[:, :, ::-1] == image).all()


def test_the_example_is_an_image_and_the_project_is_whole():
    import cv2

    assert cv2.imread(EXAMPLE_IMAGE_PATH) is not None
    project = Deployment.from_folder(DEMO_DEPLOYMENT_PATH).project
    assert [label.name for label in project.get_all_labels()][:2] == ["fish", "monument"]
    assert project.training_dataset.use_for_training
