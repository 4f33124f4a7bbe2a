"""Videos and the annotations of their frames, against `straylight serve`."""

import json
import shutil

import numpy as np
import pytest
from conftest import of_project

from straylight import Visualizer
from straylight.annotation_readers import AnnotationReader, GetiAnnotationReader
from straylight.data_models import Annotation, AnnotationScene, Rectangle, ScoredLabel, VideoFrame
from straylight.rest_clients import AnnotationClient, DatasetClient, ProjectClient, VideoClient

pytest.importorskip("cv2", reason="videos are written with OpenCV")
needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="the server reads videos with FFmpeg"
)


def flat(grey, count=6):
    """Frames of one grey, uint8 of shape (count, 96, 128, 3)."""
    return np.full((count, 96, 128, 3), grey, np.uint8)


@pytest.fixture
def project(geti, request):
    client = ProjectClient(geti.session, geti.workspace_id)
    made = client.create_project(request.node.name, "detection", [["dog", "cat"]])
    yield made
    client.delete_project(made, requires_confirmation=False)


def scene_of(name, x):
    return AnnotationScene(
        annotations=[Annotation([ScoredLabel(1.0, name)], Rectangle(x, 2, 30, 40))]
    )


@needs_ffmpeg
def test_frames_are_annotated(geti, project, tmp_path):
    videos = of_project(VideoClient, geti, project)
    video = videos.upload_video(flat(200))
    assert videos.get_all_videos().ids == [video.id]
    frames = videos.get_frames(video, frame_stride=2)
    assert [frame.frame_index for frame in frames] == [0, 2, 4]
    assert abs(int(frames[1].numpy.mean()) - 200) < 5 and frames[1].numpy.shape == (96, 128, 3)

    client = of_project(AnnotationClient, geti, project)
    assert client.get_annotation(frames[1]) is None
    client.upload_annotation(frames[1], scene_of("dog", 5))
    found = client.get_annotation(VideoFrame.from_video(video, 2))
    assert found.get_label_names() == ["dog"] and found.annotations[0].shape.x == 5
    (scene,) = client.get_latest_annotations_for_video(video)
    assert scene.media_identifier["frame_index"] == 2 and scene.get_label_names() == ["dog"]
    again = client.annotation_scene_from_rest_response(scene.to_dict(), video.media_information)
    assert again.annotations == scene.annotations

    client.download_all_annotations(tmp_path)
    (file,) = (tmp_path / "annotations").glob("*.json")
    assert file.name == f"{video.name}_frame_2.json"
    (tmp_path / "images").mkdir()
    file.rename(file.with_name(f"{video.name}_frame_4.json"))
    reader = GetiAnnotationReader(tmp_path)
    client = of_project(AnnotationClient, geti, project, annotation_reader=reader)
    including = GetiAnnotationReader(tmp_path, label_names_to_include=["dog"])
    narrowed = of_project(AnnotationClient, geti, project, annotation_reader=including)
    with pytest.raises(ValueError, match="label_names_to_include"):
        narrowed.upload_annotations_for_videos([video])
    reader.group_labels(["dog"], "animal")
    with pytest.raises(ValueError, match="groups"):
        client.upload_annotations_for_videos([video])
    reader.reset_filters_and_grouping()
    assert client.upload_annotations_for_videos([video]) == 1
    annotated = client.get_latest_annotations_for_video(video)
    assert [it.media_identifier["frame_index"] for it in annotated] == [2, 4]
    assert client.download_annotations_for_video(video, tmp_path / "more") >= 0
    assert len(list((tmp_path / "more/annotations").glob("*.json"))) == 2
    assert videos.delete_videos([video]) and not videos.get_all_videos()


@needs_ffmpeg
def test_frames_are_read_from_any_format(geti, project, tmp_path):
    videos = of_project(VideoClient, geti, project)
    Visualizer.save_video(flat(90), [AnnotationScene()] * 6, tmp_path / "clip.avi")
    (video,) = videos.upload_folder(tmp_path)
    assert video.name == "clip"
    assert not videos.upload_folder(tmp_path, skip_if_filename_exists=True)
    data = tmp_path / "data"
    (data / "images").mkdir(parents=True)
    Visualizer.save_image(flat(90)[0], data / "images/clip_frame_3.png")
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40], "area": 1200}
    written = {
        "images": [{"id": 1, "file_name": "clip_frame_3.png", "width": 128, "height": 96}],
        "annotations": [{**box, "iscrowd": 0, "segmentation": []}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (data / "annotations").mkdir()
    (data / "annotations/instances_default.json").write_text(json.dumps(written))
    reader = AnnotationReader(data, "coco")
    client = of_project(AnnotationClient, geti, project, annotation_reader=reader)
    client.upload_annotation(VideoFrame.from_video(video, 3), scene_of("dog", 50))
    client.upload_annotations_for_all_media(append_annotations=True)
    (scene,) = client.get_latest_annotations_for_video(video)
    assert scene.media_identifier["frame_index"] == 3
    assert set(scene.get_label_names()) == {"dog", "cat"}


@needs_ffmpeg
def test_the_server_predicts_frames(geti, photos, tmp_path):
    import cv2

    demo = geti.get_project(project_name="straylight demo")
    photo = cv2.imread(str(photos / "fish/fish1.webp"))[..., ::-1]
    clip = np.stack([photo] * 4)
    video, frames, predictions = geti.upload_and_predict_video(
        demo, clip, frame_stride=2, delete_after_prediction=True
    )
    assert len(frames) == len(predictions) == 2
    assert [it.get_label_names() for it in predictions] == [["fish"]] * 2
    assert video.id not in of_project(VideoClient, geti, demo).get_all_videos().ids

    (tmp_path / "media").mkdir()
    Visualizer.save_video(frames, predictions, tmp_path / "media/drawn.avi")
    assert geti.upload_and_predict_media_folder(
        demo, tmp_path / "media", tmp_path / "out", delete_after_prediction=True
    )
    files = sorted((tmp_path / "out/predictions").glob("drawn_frame_*.json"))
    assert files and json.loads(files[0].read_text())["kind"] == "prediction"
    assert not of_project(VideoClient, geti, demo).get_all_videos()


@needs_ffmpeg
def test_videos_of_one_name_do_not_overwrite_one_another(geti, project, tmp_path):
    videos = of_project(VideoClient, geti, project)
    more = of_project(DatasetClient, geti, project).create_dataset("more")
    client = of_project(AnnotationClient, geti, project)
    given = {}
    for dataset, label in ((project.training_dataset, "dog"), (more, "cat")):
        clip = tmp_path / label / "clip.avi"
        clip.parent.mkdir()
        Visualizer.save_video(flat(90), [AnnotationScene()] * 6, clip)
        video = videos.upload_video(clip, dataset)
        client.upload_annotation(VideoFrame.from_video(video, 3), scene_of(label, 5))
        given[f"clip_{video.id}_frame_3.json"] = label
    client.download_all_annotations(tmp_path / "all")
    files = {file.name: json.loads(file.read_text()) for file in (tmp_path / "all").rglob("*.json")}
    found = {name: it["annotations"][0]["labels"][0]["name"] for name, it in files.items()}
    assert found == given

    demo = geti.get_project(project_name="straylight demo")
    media = tmp_path / "media"
    for folder in ("a", "b"):
        (media / folder).mkdir(parents=True)
        (media / folder / "clip.avi").write_bytes((tmp_path / "dog/clip.avi").read_bytes())
    geti.upload_and_predict_media_folder(demo, media, delete_after_prediction=True)
    names = sorted(file.name for file in (tmp_path / "media_predictions").rglob("*.json"))
    stems = {name.partition("_frame_")[0] for name in names}
    assert len(stems) == 2 and len(names) % 2 == 0
    assert all(stem.startswith("clip_") for stem in stems)


def test_a_video_shows_what_was_drawn(tmp_path):
    import cv2

    scenes = [AnnotationScene(), scene_of("dog", 60)]
    Visualizer.save_video(flat(128, 2), scenes, tmp_path / "drawn.avi", fps=5)
    read = cv2.VideoCapture(str(tmp_path / "drawn.avi"))
    assert round(read.get(cv2.CAP_PROP_FPS)) == 5
    plain, drawn = (read.read()[1].astype(int) for _ in range(2))
    assert abs(plain - 128).max() < 6 and abs(drawn - plain).max() > 40
    with pytest.raises(ValueError):
        Visualizer.save_video(flat(1, 2), scenes[:1], tmp_path / "short.avi")
    with pytest.raises(OSError):
        Visualizer.save_video(flat(1, 2), scenes, tmp_path / "no folder/x.avi")
