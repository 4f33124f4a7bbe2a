"""Predictions of a server's own models."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._files import write_json
from ._names import records_by_dataset, stems
from ._progress import showing
from .data_models import Dataset, Image, MediaList, Prediction, Project, Video, VideoFrame
from .exceptions import NotFoundError

if TYPE_CHECKING:
    import numpy as np

    from .http_session import GetiSession


class _Predictions:
    """The part of the connection that lets the server predict."""

    session: GetiSession
    workspace_id: str

    def upload_and_predict_image(
        self,
        project: Project,
        image: np.ndarray | Image | VideoFrame | str | os.PathLike[str],
        visualise_output: bool = True,
        delete_after_prediction: bool = False,
        dataset_name: str | None = None,
    ) -> tuple[Image, Prediction]:
        """Uploads an image and asks the project's models what is on it.

        :param project: the project
        :param image: a file, uint8 RGB of shape (height, width, 3), a frame with its pixels, or
            an image that the project has, which is not uploaded again
        :param visualise_output: whether a notebook shows the image with what was found
        :param delete_after_prediction: whether what was uploaded is deleted again
        :param dataset_name: the dataset that receives the image; the training dataset when None
        :return: the image on the server, and the prediction
        :raises NotFoundError: (a LookupError) if the project has no model, or no such dataset;
            nothing is uploaded
        """
        from .rest_clients import ImageClient

        self._check_ready(project)
        client = ImageClient(self.session, self.workspace_id, project)
        uploaded = _present(image)
        if uploaded is None:
            pixels = _pixels_of(image)
            uploaded = client.upload_image(pixels, self._dataset(project, dataset_name))
        is_new = uploaded is not image
        try:
            place = client._place_of(uploaded)
            text = self.session._client.predict(project.id, place, uploaded.id)
            prediction = _prediction(text, project)
            if visualise_output and _is_shown():
                _show(client.download_image(uploaded), prediction)
        finally:
            if delete_after_prediction and is_new:
                client.delete_images([uploaded])
        return uploaded, prediction

    def _dataset(self, project: Project, name: str | None) -> Dataset | None:
        from .rest_clients import DatasetClient

        if name is None:
            return None
        client = DatasetClient(self.workspace_id, project, self.session)
        return client.get_dataset_by_name(name)

    def upload_and_predict_media_folder(
        self,
        project: Project,
        media_folder: str | os.PathLike[str],
        output_folder: str | os.PathLike[str] | None = None,
        delete_after_prediction: bool = False,
        skip_if_filename_exists: bool = False,
        max_threads: int = 5,
    ) -> bool:
        """Uploads the images and videos of a folder and writes what the project's models see.

        Each image gives ``predictions/<name>.json`` below the output folder, each frame of a
        video (every so many, as the server says) ``predictions/<video>_frame_<number>.json``; the
        identifier is put after the name where several share one.

        :param project: the project
        :param media_folder: the folder
        :param output_folder: receives ``predictions``; ``<media_folder>_predictions`` when None
        :param delete_after_prediction: whether what was uploaded is deleted again
        :param skip_if_filename_exists: whether names that the project has are left out
        :param max_threads: accepted for the SDK's sake
        :return: True
        :raises NotFoundError: (a LookupError) if the project has no model; nothing is uploaded
        """
        from .rest_clients import ImageClient, VideoClient

        self._check_ready(project)
        images = ImageClient(self.session, self.workspace_id, project)
        videos = VideoClient(self.session, self.workspace_id, project)
        has_videos = _has_videos(media_folder)
        skip = skip_if_filename_exists
        folder = os.fspath(output_folder or f"{os.fspath(media_folder).rstrip(os.sep)}_predictions")
        media: MediaList[Image] = MediaList([])
        clips: MediaList[Video] = MediaList([])
        try:
            media = images.upload_folder(media_folder, skip_if_filename_exists=skip)
            if has_videos:
                clips = videos.upload_folder(media_folder, skip_if_filename_exists=skip)
            self._write_predictions(project, media, folder)
            for clip, stem in zip(clips, stems(clips), strict=True):
                self._write_frames(project, videos.get_frames(clip), folder, stem)
        finally:
            if delete_after_prediction:
                images.delete_images(media)
                videos.delete_videos(clips)
        return True

    def _check_ready(self, project: Project) -> None:
        from .rest_clients import ModelClient

        models = ModelClient(self.workspace_id, project, self.session).get_all_active_models()
        if not models or None in models:
            raise NotFoundError(
                f"a task of the project `{project.name}` has no model to predict with"
            )

    def _write_predictions(self, project: Project, images: Sequence[Image], folder: str) -> None:
        """Writes the predictions of images that are on the server into ``predictions``."""
        for place, records in records_by_dataset(images, lambda it: it.dataset_id or "").items():
            with showing() as progress:
                self.session._client.download_predictions(
                    project.id, place, records, folder, progress
                )

    def _write_frames(
        self, project: Project, frames: Sequence[VideoFrame], folder: str, stem: str
    ) -> None:
        """Writes the predictions of the frames of a video; ``stem`` stands for its name."""
        target = os.path.join(folder, "predictions")
        os.makedirs(target, exist_ok=True)
        for frame in frames:
            text = self.session._client.predict_pixels(project.id, frame.data)
            path = os.path.join(target, f"{stem}_frame_{frame.frame_index}.json")
            write_json(path, _prediction(text, project).to_dict())

    def upload_and_predict_video(
        self,
        project: Project,
        video: Video | str | os.PathLike[str] | Sequence[np.ndarray] | np.ndarray,
        frame_stride: int | None = None,
        visualise_output: bool = True,
        delete_after_prediction: bool = False,
    ) -> tuple[Video, MediaList[VideoFrame], list[Prediction]]:
        """Uploads a video and asks the project's models what is on its frames.

        :param project: the project
        :param video: a file, frames as uint8 RGB of shape (frames, height, width, 3), or a video
            that the project has, which is not uploaded again
        :param frame_stride: every how many frames one is predicted; the server's own stride when
            None
        :param visualise_output: whether a notebook shows the frames with what was found
        :param delete_after_prediction: whether what was uploaded is deleted again
        :return: the video on the server, its frames, and the prediction of each
        :raises NotFoundError: (a LookupError) if the project has no model
        """
        from .rest_clients import VideoClient

        self._check_ready(project)
        client = VideoClient(self.session, self.workspace_id, project)
        uploaded = video if isinstance(video, Video) else client.upload_video(video)  # type: ignore[arg-type]
        try:
            frames = client.get_frames(uploaded, frame_stride)
            texts = [
                self.session._client.predict_pixels(project.id, frame.data) for frame in frames
            ]
            predictions = [_prediction(text, project) for text in texts]
        finally:
            if delete_after_prediction and uploaded is not video:
                client.delete_videos([uploaded])
        if visualise_output and _is_shown():
            for frame, prediction in zip(frames, predictions, strict=True):
                _show(frame.data, prediction)
        return uploaded, frames, predictions


def _present(image: Any) -> Image | None:
    """An image that is on the server; None for what has to be uploaded."""
    return image if isinstance(image, Image) else None


def _pixels_of(image: Any) -> Any:
    if not isinstance(image, VideoFrame):
        return image
    if image.data is None:
        raise ValueError(
            f"the frame `{image.name}` has no pixels: `VideoClient.get_frames` gives them"
        )
    return image.data


def _prediction(text: str, project: Project) -> Prediction:
    found = json.loads(text)
    if found is None:
        raise NotFoundError(f"the project `{project.name}` has no model to predict with")
    return Prediction.from_dict(found)


def _has_videos(folder: str | os.PathLike[str]) -> bool:
    from .rest_clients.video_client import _EXTENSIONS

    names = (name for _, _, files in os.walk(folder) for name in files)
    return any(os.path.splitext(name)[1].lower() in _EXTENSIONS for name in names)


def _is_shown() -> bool:
    """Whether this is a notebook; elsewhere nobody would see a picture."""
    if "ipykernel" in sys.modules:
        return True
    logging.getLogger("straylight").debug("pictures are shown in notebooks alone")
    return False


def _show(image: Any, prediction: Prediction) -> None:
    """Shows a picture below the cell of a notebook."""
    from .prediction_visualization import Visualizer

    Visualizer.show_in_notebook(Visualizer().draw(image, prediction))
