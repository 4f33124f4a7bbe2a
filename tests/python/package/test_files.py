"""Names that a server gives become names of files, and files are whole or not there."""

import os

import numpy as np
import pytest

from straylight import Visualizer
from straylight._files import replacing, write_json
from straylight._names import safe_name, stems, unique_names
from straylight.data_models import AnnotationScene, Image, MediaInformation, MediaType


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Vögel 1", "Vögel 1"),
        ("a/b\\c", "a_b_c"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\x", "C__x"),
        ("..", "_"),
        ("", "_"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("a. ", "a"),
        (".hidden", "hidden"),
        ("line\nbreak\0", "line_break_"),
        ("ö" * 200, "ö" * 90),
    ],
)
def test_names_are_made_safe(name, safe):
    assert safe_name(name) == safe and safe_name(safe) == safe


def test_equal_names_get_their_identifiers():
    named = [("a", "1"), ("B", "2"), ("b", "3"), ("../x", "4"), (".", "../5"), ("..", "6")]
    assert unique_names(named) == ["a", "B_2", "b_3", "_x", "___5", "__6"]
    long = unique_names([("n" * 300, "1" * 24), ("n" * 300, "2" * 24)])
    assert len(set(long)) == 2 and {len(name) for name in long} == {180}


def test_media_of_several_datasets_have_stems_of_their_own():
    def image(identifier, dataset):
        about = MediaInformation(height=1, width=1)
        return Image(identifier, "1", MediaType.IMAGE, about, dataset_id=dataset)

    assert stems([image("x", "first"), image("y", "second")]) == ["1_x", "1_y"]


def test_a_file_is_whole_or_as_it_was(tmp_path):
    target = tmp_path / "a.json"
    write_json(target, {"whole": True})
    before = target.read_text()
    with pytest.raises(TypeError):
        write_json(target, {"first": 1, "second": object()})
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "b.avi") as part:
        assert part.endswith(".avi") and os.path.dirname(part) == str(tmp_path)
        with open(part, "w") as file:
            file.write("half")
        raise KeyboardInterrupt
    with pytest.raises(FileNotFoundError), replacing(target):
        pass
    assert target.read_text() == before and os.listdir(tmp_path) == ["a.json"]


def test_a_video_is_whole_or_as_it_was(tmp_path):
    pytest.importorskip("cv2")
    target = tmp_path / "a.avi"
    frames = [np.full((96, 128, 3), 90, np.uint8)] * 3
    Visualizer.save_video(frames, [AnnotationScene()] * 3, target)
    before = target.read_bytes()
    small = np.full((48, 64, 3), 90, np.uint8)

    def failing():
        yield frames[0]
        raise RuntimeError("no more")

    for wrong, scenes, kind, said in (
        (frames, 2, ValueError, "shorter"),
        ([], 0, ValueError, "no frame"),
        ([*frames, small], 4, ValueError, "frame 3 has"),
        (failing(), 3, RuntimeError, "no more"),
    ):
        with pytest.raises(kind, match=said):
            Visualizer.save_video(wrong, [AnnotationScene()] * scenes, target)
        assert target.read_bytes() == before and os.listdir(tmp_path) == ["a.avi"]
