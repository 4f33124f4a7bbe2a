"""Videos of a project."""

from __future__ import annotations

import datetime
import json
import os
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._progress import showing
from ..data_models import Dataset, MediaList, Video, VideoFrame
from ._base import _ProjectPart

if TYPE_CHECKING:
    import numpy as np

#: Files of other extensions are no videos that servers take.
_EXTENSIONS = {".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v"}


class VideoClient(_ProjectPart):
    """The videos of a project, dataset by dataset; the training dataset where none is named."""

    @property
    def plural_media_name(self) -> str:
        """What its media are called in messages."""
        return "videos"

    def base_url(self, dataset: Dataset) -> str:
        """Where the videos of a dataset are in the REST API, below the organization."""
        project = f"workspaces/{self.workspace_id}/projects/{self.project.id}"
        return f"{project}/datasets/{self._dataset_id(dataset)}/media/videos"

    def get_all_videos(self, dataset: Dataset | None = None) -> MediaList[Video]:
        """All videos of a dataset."""
        place = self._dataset_id(dataset)
        found = json.loads(self._client.videos(self.project.id, place))
        return MediaList([Video.from_dict({**item, "dataset_id": place}) for item in found])

    def upload_video(
        self, video: np.ndarray | str | os.PathLike[str], dataset: Dataset | None = None
    ) -> Video:
        """Uploads a video.

        :param video: a file, sent as it is, or frames as uint8 **RGB** of shape (frames, height,
            width, 3), which OpenCV writes as motion JPEG of one frame a second
        :param dataset: where to
        """
        place = self._dataset_id(dataset)
        if isinstance(video, (str, os.PathLike)):
            text = self._client.upload_video(self.project.id, place, video)
            return Video.from_dict({**json.loads(text), "dataset_id": place})
        from ..prediction_visualization import _write_video

        with tempfile.TemporaryDirectory(prefix="straylight-") as folder:
            name = f"numpy_{datetime.datetime.now():%Y-%m-%dT%H-%M-%S.%f}.avi"
            path = os.path.join(folder, name)
            _write_video(path, video, 1.0)
            return self.upload_video(path, dataset)

    def upload_folder(
        self,
        path_to_folder: str | os.PathLike[str],
        n_videos: int = -1,
        skip_if_filename_exists: bool = False,
        dataset: Dataset | None = None,
        max_threads: int = 5,
    ) -> MediaList[Video]:
        """Uploads the videos of a folder and of its subfolders, one after another.

        :param n_videos: at most so many; -1 for all
        :param skip_if_filename_exists: whether names that the dataset has are left out
        :param max_threads: accepted for the SDK's sake
        """
        paths = sorted(
            os.path.join(folder, file)
            for folder, _, files in os.walk(path_to_folder)
            for file in files
            if os.path.splitext(file)[1].lower() in _EXTENSIONS
        )
        present = set(self.get_all_videos(dataset).names) if skip_if_filename_exists else set()
        wanted = [path for path in paths if _stem(path) not in present]
        wanted = wanted[: n_videos if n_videos >= 0 else None]
        return MediaList([self.upload_video(path, dataset) for path in wanted])

    def delete_videos(self, videos: Sequence[Video]) -> bool:
        """Deletes videos with their annotations; those that are gone are no error."""
        for video in videos:
            self._client.delete_video(self.project.id, self._place_of(video), video.id)
        return True

    def get_frames(
        self, video: Video, frame_stride: int | None = None, include_data: bool = True
    ) -> MediaList[VideoFrame]:
        """Frames of a video, every ``frame_stride``-th.

        :param frame_stride: the server's own stride when None
        :param include_data: whether their pixels are downloaded
        """
        about = video.media_information
        stride = frame_stride or about.frame_stride or 1
        indices = range(0, about.frame_count or 0, stride)
        frames = [VideoFrame.from_video(video, index) for index in indices]
        if include_data:
            with showing() as progress:
                for done, frame in enumerate(frames):
                    frame.data = self._pixels(frame)
                    if progress is not None:
                        progress(f"Downloading frames of {video.name}", done + 1, len(frames))
        return MediaList(frames)

    def _pixels(self, frame: VideoFrame) -> np.ndarray:
        place = self._place_of(frame)
        return self._client.frame_pixels(self.project.id, place, frame.id, frame.frame_index)

    def _place_of(self, item: Any) -> str:
        return item.dataset_id or self._dataset_id(None)


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]
