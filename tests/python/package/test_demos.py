"""The projects and the videos of the demos."""

import json
import os
import stat

import numpy as np
import pytest

from straylight import Visualizer
from straylight.data_models import AnnotationScene
from straylight.demos import (
    AsyncVideoProcessor,
    create_classification_demo_project,
    create_detection_demo_project,
    create_detection_to_classification_demo_project,
    create_detection_to_segmentation_demo_project,
    create_segmentation_demo_project,
    get_coco_dataset,
    predict_video_from_deployment,
    set_directory_permissions,
)
from straylight.exceptions import FileError
from straylight.rest_clients import AnnotationClient, ImageClient

#: Images by the names of what is on them.
PHOTOS = (
    ["dog"],
    ["zebra"],
    ["cell phone", "person"],
    ["person"],
    ["backpack"],
    ["cat", "horse"],
    ["pizza"],
)


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """A folder like COCO's with a few images."""
    folder = tmp_path_factory.mktemp("coco")
    (folder / "images/val2017").mkdir(parents=True)
    (folder / "annotations").mkdir()
    names = sorted({name for photo in PHOTOS for name in photo})
    images, objects = [], []
    for number, photo in enumerate(PHOTOS, 1):
        file = f"{number:012}.jpg"
        Visualizer.save_image(
            np.full((96, 128, 3), number, np.uint8), folder / "images/val2017" / file
        )
        images.append({"id": number, "file_name": file, "width": 128, "height": 96})
        for place, name in enumerate(photo):
            x = 10 + 50 * place
            corners = [x, 10, x + 40, 10, x + 40, 60, x, 60]
            objects.append(
                {
                    "id": len(objects) + 1,
                    "image_id": number,
                    "category_id": names.index(name) + 1,
                    "bbox": [x, 10, 40, 50],
                    "segmentation": [corners],
                    "area": 2000,
                    "iscrowd": 0,
                }
            )
    categories = [{"id": index, "name": name} for index, name in enumerate(names, 1)]
    written = {"images": images, "annotations": objects, "categories": categories}
    (folder / "annotations/instances_val2017.json").write_text(json.dumps(written))
    return str(folder)


def found(geti, project):
    """The labels of each shape of each image, by the number of the image."""
    images = ImageClient(geti.session, geti.workspace_id, project).get_all_images()
    client = AnnotationClient(geti.session, geti.workspace_id, project)
    scenes = {int(image.name): client.get_annotation(image) for image in images}
    return {
        number: None if scene is None else [sorted(one.label_names) for one in scene.annotations]
        for number, scene in scenes.items()
    }


def test_demo_projects_have_the_photos_that_they_are_about(geti, coco):
    assert get_coco_dataset(coco) == coco
    project = create_detection_demo_project(geti, -1, dataset_path=coco)
    assert found(geti, project) == {3: [["cell phone"], ["person"]]}
    project = create_segmentation_demo_project(geti, -1, dataset_path=coco)
    assert project.project_type == "segmentation" and found(geti, project) == {5: [["backpack"]]}
    project = create_classification_demo_project(geti, -1, dataset_path=coco)
    assert found(geti, project) == {2: [["zebra"]]}


def test_demo_projects_of_two_tasks_say_what_each_animal_is(geti, coco):
    make = create_detection_to_classification_demo_project
    project = make(geti, -1, 2, dataset_path=coco, project_name="wild or not")
    labels = [set(task.get_label_names()) for task in project.get_trainable_tasks()]
    assert (
        {"animal"} <= labels[0] and {"domestic", "wild"} <= labels[1] and "pizza" not in labels[1]
    )
    assert found(geti, project) == {1: [["animal", "domestic"]], 2: [["animal", "wild"]], 6: None}
    project = create_detection_to_segmentation_demo_project(geti, 1, dataset_path=coco)
    assert {name for one in found(geti, project)[1] for name in one} == {"animal", "dog"}


def test_frames_are_handed_on_in_their_order(deployment):
    seen = []
    processor = AsyncVideoProcessor(
        deployment, lambda image, _, data: seen.append((image[0, 0, 0], data))
    )
    frame = lambda value: np.full((64, 64, 3), value, np.uint8)  # noqa: E731
    with pytest.raises(ValueError, match="start"):
        processor.process(frame(0))
    for _ in range(2):
        seen.clear()
        processor.start()
        for value in range(40):
            processor.process(frame(value), runtime_data=value)
        processor.await_all()
        assert seen == [(value, value) for value in range(40)]
    seen.clear()
    processor.start()
    processor.process(frame(1))
    processor.stop()
    assert seen in ([], [(1, None)])
    with pytest.raises(ValueError, match="start"):
        processor.process(frame(2))


def test_a_video_that_is_stopped_hands_on_no_further_frame():
    class Late:
        """Infers what it was given only when it is waited for."""

        def __init__(self):
            self.given = []

        def set_asynchronous_callback(self, callback):
            self.callback = callback

        def infer_async(self, image, runtime_data):
            self.given.append((image, runtime_data))

        def await_all(self):
            given, self.given = self.given, []
            for image, runtime_data in reversed(given):
                self.callback(image, None, runtime_data)

    seen = []
    processor = AsyncVideoProcessor(Late(), lambda image, _, data: seen.append(image))
    for end, handed_on in ((processor.stop, []), (processor.await_all, [1, 2, 3])):
        processor.start()
        for frame in (1, 2, 3):
            processor.process(frame)
        end()
        assert seen == handed_on


def test_a_frame_that_fails_is_told_and_the_next_video_goes_well(deployment):
    frame, no_image = np.full((64, 64, 3), 9, np.uint8), np.zeros((3, 3), np.float64)
    seen = []

    def hand_on(image, prediction, data):
        if data == "fails":
            raise RuntimeError("this frame")
        seen.append(data)

    processor = AsyncVideoProcessor(deployment, hand_on)
    processor.start()
    with pytest.raises((TypeError, ValueError)):
        processor.process(no_image)
    processor.process(frame, 0)
    processor.await_all()
    assert seen == [0]

    processor.start()
    processor.process(frame, "fails")
    given = 0
    with pytest.raises(RuntimeError, match="this frame"):
        for given in range(1, 500):
            processor.process(frame, given)
    assert given < 499 and seen == [0]
    with pytest.raises(RuntimeError, match="this frame"):
        processor.await_all()

    processor.start()
    for value in range(1, 4):
        processor.process(frame, value)
    processor.await_all()
    assert seen == [0, 1, 2, 3]


def test_frames_do_not_pile_up_behind_one_that_cannot_be_inferred():
    class Broken:
        """Cannot infer the first frame, which only who waits is told."""

        failed = False

        def set_asynchronous_callback(self, callback):
            self.callback = callback

        def infer_async(self, image, runtime_data):
            if image == 0:
                self.failed = True
            else:
                self.callback(image, None, runtime_data)

        def await_all(self):
            failed, self.failed = self.failed, False
            if failed:
                raise RuntimeError("no inference")

    processor = AsyncVideoProcessor(Broken(), lambda *_: None)
    processor.start()
    given = 0
    with pytest.raises(RuntimeError, match="no inference"):
        for given in range(500):
            processor.process(given)
    assert given < 100
    with pytest.raises(RuntimeError, match="no inference"):
        processor.await_all()
    processor.start()
    processor.process(1)
    processor.await_all()


def test_a_video_is_drawn_on(loaded, tmp_path):
    cv2 = pytest.importorskip("cv2")
    source = tmp_path / "clip.avi"
    Visualizer.save_video(
        np.full((3, 240, 320, 3), 90, np.uint8), [AnnotationScene()] * 3, source, 10
    )
    target = predict_video_from_deployment(source, loaded)
    assert os.path.basename(target) == "clip_reconstructed.avi"
    assert sorted(os.listdir(tmp_path)) == ["clip.avi", "clip_reconstructed.avi"]
    read = cv2.VideoCapture(target)
    assert round(read.get(cv2.CAP_PROP_FPS)) == 10
    frames = [read.read()[1] for _ in range(3)]
    assert all(frame is not None for frame in frames) and not read.read()[0]
    assert np.ptp(frames[0].astype(int)) > 60
    with pytest.raises(ValueError, match="cannot be read"):
        predict_video_from_deployment(tmp_path / "none.avi", loaded)


def test_a_video_whose_sound_cannot_be_added_is_not_written(loaded, tmp_path, monkeypatch):
    pytest.importorskip("cv2")
    clip = tmp_path / "media/clip.avi"
    clip.parent.mkdir()
    Visualizer.save_video(np.full((2, 240, 320, 3), 90, np.uint8), [AnnotationScene()] * 2, clip)
    before = tmp_path / "media/clip_reconstructed.avi"
    before.write_bytes(b"an earlier one")
    program = tmp_path / "ffmpeg"
    program.write_text(
        '#!/bin/sh\nfor last; do :; done\necho half > "$last"\necho no >&2\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileError, match="sound of .*clip.avi: no"):
        predict_video_from_deployment(clip, loaded)
    assert before.read_bytes() == b"an earlier one"
    assert sorted(os.listdir(clip.parent)) == ["clip.avi", "clip_reconstructed.avi"]


def test_permissions_are_set_below_a_folder(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below/file").write_text("")
    set_directory_permissions(tmp_path, 0o600, 0o700)
    modes = [stat.S_IMODE(os.stat(tmp_path / it).st_mode) for it in (".", "below", "below/file")]
    assert modes == [0o700, 0o700, 0o600]
