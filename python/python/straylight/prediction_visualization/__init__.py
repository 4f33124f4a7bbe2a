"""Pictures of predictions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .. import _native
from .._files import replacing
from ..data_models import AnnotationScene, Prediction, VideoFrame
from ..exceptions import FileError, InvalidValueError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: How strongly the inside of a shape is coloured, of 255.
_FILL = 50


class Picture:
    """An image that notebooks show: ``display(Picture(array))``."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image

    def _repr_png_(self) -> bytes:
        return _native.png(self.image)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"Picture({width} x {height})"


class Visualizer:
    """Draws predictions and annotations onto images.

    :param window_name: title of the window of :meth:`show_window`
    :param show_labels: whether names are written
    :param show_confidence: whether the probability follows each name
    :param show_count: accepted for the SDK's sake; a list of labels tells the number
    :param is_one_label: whether there is only one label, so that its name need not be written
    """

    def __init__(
        self,
        window_name: str | None = None,
        show_labels: bool = True,
        show_confidence: bool = True,
        show_count: bool = False,
        is_one_label: bool = False,
    ) -> None:
        self.window_name = window_name or "Window"
        self.show_labels = show_labels and not is_one_label
        self.show_confidence = show_confidence
        self.show_count = show_count

    def draw(
        self,
        image: np.ndarray,
        annotation: AnnotationScene,
        fill_shapes: bool = True,
        confidence_threshold: float | None = None,
        meta: dict[str, Any] | None = None,
        *,
        ood_score: float | None = None,
    ) -> NDArray[np.uint8]:
        """Draws a prediction or an annotation.

        :param image: uint8 RGB of shape (height, width, 3); it is not changed
        :param annotation: what to draw
        :param fill_shapes: whether the inside of shapes is coloured
        :param confidence_threshold: labels below this probability are left out
        :param meta: accepted for the SDK's sake
        :param ood_score: OOD score to be written; higher is stranger
        :return: uint8 RGB of shape (height, width, 3); images too small for text are enlarged
        """
        if confidence_threshold is not None and isinstance(annotation, Prediction):
            annotation = annotation.filter_by_confidence(confidence_threshold)
        fill = _FILL if fill_shapes else 0
        return _native.draw(
            image, annotation, self.show_labels, self.show_confidence, fill, ood_score
        )

    def explain_label(
        self,
        image: np.ndarray,
        prediction: Prediction,
        label_name: str,
        opacity: float = 0.5,
        show_predictions: bool = True,
    ) -> NDArray[np.uint8]:
        """Lays the saliency map of a label over an image.

        :param image: uint8 RGB of shape (height, width, 3); it is not changed
        :param prediction: what ``explain`` returned
        :param label_name: the label whose map is shown
        :param opacity: how strongly the map covers the image, 0 to 1
        :param show_predictions: whether the shapes of the label are drawn as well
        :return: uint8 RGB of shape (height, width, 3)
        """
        maps = {name: grey for medium in prediction.maps for name, grey in medium.data.items()}
        if label_name not in maps:
            known = ", ".join(maps) or "none; ask `explain`, not `infer`"
            raise ValueError(f"there is no saliency map of `{label_name}`; there are: {known}")
        heat = round(255 * opacity)
        shown = _native.draw_saliency(image, maps[label_name], label_name, heat, self.show_labels)
        if show_predictions:
            kept = prediction.filter_annotations([label_name])
            shown = self.draw(shown, kept, fill_shapes=False)
        return shown

    @staticmethod
    def save_image(image: np.ndarray, output_path: str | os.PathLike[str]) -> None:
        """Writes an RGB image as PNG or JPEG, as the extension says."""
        _native.write_image(image, output_path)

    @staticmethod
    def save_video(
        video_frames: Sequence[VideoFrame] | Sequence[np.ndarray],
        annotation_scenes: Sequence[AnnotationScene],
        output_path: str | os.PathLike[str],
        fps: float = 1,
    ) -> None:
        """Draws predictions or annotations onto frames and writes them as motion JPEG; needs
        OpenCV.

        :param video_frames: frames with their pixels, or uint8 RGB of shape (height, width, 3)
        :param annotation_scenes: what to draw, one for each frame
        :param output_path: the file, best with the extension ``.avi``
        :param fps: frames a second
        :raises InvalidValueError: (a ValueError) if there is no frame, or one of another size
        """
        painter = Visualizer()
        pairs = zip((_pixels(frame) for frame in video_frames), annotation_scenes, strict=True)
        _write_video(output_path, (painter.draw(*pair) for pair in pairs), fps)

    @staticmethod
    def show_in_notebook(image: np.ndarray) -> None:
        """Shows an RGB image below the cell of a notebook."""
        try:
            from IPython.display import display
        except ImportError as error:
            raise ImportError(
                "showing images needs IPython: pip install 'straylight-vision[notebook]'"
            ) from error
        display(Picture(image))

    def show_window(self, image: np.ndarray) -> None:
        """Shows an RGB image in a window; needs OpenCV with its windows."""
        import cv2

        cv2.imshow(self.window_name, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def is_quit(self, delay: int = 1) -> bool:
        """Whether q or Escape was pressed in the window within ``delay`` milliseconds."""
        import cv2

        return cv2.waitKey(delay) in (ord("q"), ord("Q"), 27)


def _pixels(frame: VideoFrame | np.ndarray) -> np.ndarray:
    if not isinstance(frame, VideoFrame):
        return frame
    if frame.data is None:
        raise ValueError(
            f"the frame `{frame.name}` has no pixels: `VideoClient.get_frames` gives them"
        )
    return frame.data


def _write_video(
    path: str | os.PathLike[str],
    frames: Iterable[np.ndarray],
    frames_a_second: float,
    codec: str = "MJPG",
) -> None:
    """Writes uint8 RGB frames of one size; ``codec`` is OpenCV's four letters.

    :raises InvalidValueError: (a ValueError) if there is no frame, or one of another size
    """
    with replacing(path) as part:
        writer = None
        try:
            for number, frame in enumerate(frames):
                size = (frame.shape[1], frame.shape[0])
                if writer is None:
                    writer, first = _writer(part, path, frames_a_second, codec, size), size
                if size != first:
                    raise InvalidValueError(
                        f"frame {number} has {size[0]} x {size[1]} pixels, the first one "
                        f"{first[0]} x {first[1]}: the frames of a video are of one size"
                    )
                writer.write(_bgr(frame))
        finally:
            if writer is not None:
                writer.release()
        if writer is None:
            raise InvalidValueError(f"there is no frame to write into {os.fspath(path)}")
        if not os.path.isfile(part):
            raise FileError(f"OpenCV did not write the video {os.fspath(path)}")


def _writer(
    part: str,
    path: str | os.PathLike[str],
    frames_a_second: float,
    codec: str,
    size: tuple[int, int],
) -> Any:
    """OpenCV's writer of a part file; errors name the file that it is a part of."""
    cv2 = _opencv()
    writer = cv2.VideoWriter(part, cv2.VideoWriter.fourcc(*codec), frames_a_second, size)
    if not writer.isOpened():
        raise FileError(f"OpenCV cannot write the video {os.fspath(path)}")
    return writer


def _bgr(frame: np.ndarray) -> Any:
    cv2 = _opencv()
    return cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ImportError("writing videos needs OpenCV: pip install opencv-python") from error
    return cv2


__all__ = ["Picture", "Visualizer"]
