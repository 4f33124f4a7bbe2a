"""Videos, frame by frame."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .._files import replacing
from ..data_models import Prediction
from ..deployment import Deployment
from ..exceptions import FileError, ImageError
from ..prediction_visualization import Visualizer, _write_video

if TYPE_CHECKING:
    import numpy as np

#: With so many frames that wait for an earlier one, it is looked whether that has failed.
_MOST_WAITING = 32


class AsyncVideoProcessor:
    """Infers frames several at once, and hands them on in their own order.

    :param deployment: infers; its callback is replaced
    :param processing_function: is called with image, prediction and runtime data of each frame,
        one after another
    :param min_buffer_size: accepted for the SDK's sake: the order is kept whatever the number
    :param max_buffer_size: accepted for the SDK's sake: as many frames wait as are inferred at once
    """

    def __init__(
        self,
        deployment: Deployment,
        processing_function: Callable[[np.ndarray, Prediction, Any], None],
        min_buffer_size: int | None = None,
        max_buffer_size: int | None = None,
    ) -> None:
        self.deployment = deployment
        self.processing_function = processing_function
        self._lock = threading.Lock()
        self._is_running = False
        self._reset()
        deployment.set_asynchronous_callback(self._inferred)

    def _reset(self) -> None:
        self._given = self._next = 0
        self._waiting: dict[int, tuple[Any, Prediction, Any]] = {}
        self._failure: Exception | None = None

    def _inferred(self, image: Any, prediction: Prediction, runtime_data: Any) -> None:
        index, own = runtime_data
        with self._lock:
            self._waiting[index] = (image, prediction, own)
            while self._goes_on() and self._next in self._waiting:
                item = self._waiting.pop(self._next)
                self._next += 1
                try:
                    self.processing_function(*item)
                except Exception as error:
                    self._failure = error
                    raise

    def _goes_on(self) -> bool:
        return self._is_running and self._failure is None

    def start(self, num_frames: int | None = None) -> None:
        """Begins with a video.

        :param num_frames: accepted for the SDK's sake
        """
        if self._is_running:
            raise ValueError("it is running already")
        self._reset()
        self._is_running = True

    def process(self, frame: np.ndarray, runtime_data: Any | None = None) -> None:
        """Hands over the next frame; waits while too many are on their way.

        Raises what an earlier frame raised, as soon as that is known; no frame is handed on then.

        :param frame: uint8 RGB of shape (height, width, 3); do not change it before it is handed on
        :param runtime_data: what the function gets with it
        """
        if not self._is_running:
            raise ValueError("call `start` first")
        if len(self._waiting) >= _MOST_WAITING:
            self._catch_up()
        if self._failure is not None:
            raise self._failure
        self.deployment.infer_async(frame, (self._given, runtime_data))
        self._given += 1

    def _catch_up(self) -> None:
        """Waits for all frames on their way; one that failed is never handed on, and all that
        follow it would wait for it."""
        try:
            self.deployment.await_all()
        except Exception as error:
            self._failure = self._failure or error

    def await_all(self) -> None:
        """Waits until all frames were handed on, and ends the video, also where a frame has
        failed; raises what the first failed one raised."""
        if not self._is_running:
            return
        try:
            self._catch_up()
        finally:
            failure = self._failure
            self._is_running = False
            self._reset()
        if failure is not None:
            raise failure

    def stop(self) -> None:
        """Ends the video; frames that were not handed on yet are left out."""
        self._is_running = False
        try:
            self.deployment.await_all()
        finally:
            self._reset()


def predict_video_from_deployment(
    video_path: str | os.PathLike[str],
    deployment: Deployment | str | os.PathLike[str],
    device: str = "CPU",
    preserve_audio: bool | None = True,
) -> str | None:
    """Draws what a deployment sees onto every frame of a video; needs OpenCV.

    :param video_path: the video
    :param deployment: the deployment, or its folder
    :param device: OpenVINO's name of the device
    :param preserve_audio: whether the sound is kept; that needs the program ``ffmpeg``
    :return: the new video, ``<name>_reconstructed`` beside the old one
    :raises ImageError: (a ValueError) if the video cannot be read
    :raises InvalidValueError: (a ValueError) if it has no frame
    """
    if not isinstance(deployment, Deployment):
        deployment = Deployment.from_folder(deployment)
    deployment.load_inference_models(device=device)
    stem, extension = os.path.splitext(os.path.abspath(video_path))
    target = f"{stem}_reconstructed{extension}"
    rate, frames = _frames(os.fspath(video_path))
    with replacing(target) as part:
        _write_video(part, _drawn(frames, deployment), rate, "mp4v")
        if preserve_audio:
            _add_sound(part, os.fspath(video_path))
    return target


def _frames(path: str) -> tuple[float, Iterator[np.ndarray]]:
    """Frames a second, and the frames as uint8 RGB."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError("reading videos needs OpenCV: pip install opencv-python") from error
    capture = cv2.VideoCapture(path)
    if not capture.isOpened():
        raise ImageError(f"the video {path} cannot be read")

    def read() -> Iterator[np.ndarray]:
        try:
            while True:
                is_there, frame = capture.read()
                if not is_there:
                    return
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            capture.release()

    return capture.get(cv2.CAP_PROP_FPS), read()


def _drawn(frames: Iterator[np.ndarray], deployment: Deployment) -> Iterator[np.ndarray]:
    painter = Visualizer()
    for frame in frames:
        yield painter.draw(frame, deployment.infer(frame))


def _add_sound(pictures: str, sound: str) -> None:
    """Joins the sound of another video, if it has any, to the pictures of one."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        logging.getLogger("straylight").warning("without the program ffmpeg the video has no sound")
        return
    with replacing(pictures) as joined:
        command = [ffmpeg, "-y", "-loglevel", "error", "-i", pictures, "-i", sound, "-map", "0:v"]
        command += ["-map", "1:a?", "-c", "copy", joined]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise FileError(f"ffmpeg cannot add the sound of {sound}: {done.stderr.strip()}")
