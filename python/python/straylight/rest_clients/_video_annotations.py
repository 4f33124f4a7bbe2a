"""Annotations of the frames of videos."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._names import records_by_dataset
from .._progress import showing
from ..annotation_readers import GetiAnnotationReader
from ..data_models import AnnotationScene, Image, Video, VideoFrame
from ._base import _ProjectPart

if TYPE_CHECKING:
    from ..annotation_readers import AnnotationReader


class _VideoAnnotations(_ProjectPart):
    """The part of the client of annotations that is about videos."""

    annotation_reader: AnnotationReader | None

    if TYPE_CHECKING:

        @property
        def label_mapping(self) -> dict[str, str]: ...

        def _place_of(self, image: Image | Video | VideoFrame) -> str: ...

        def _written(self, scene: AnnotationScene) -> str: ...

        def _reader(self) -> AnnotationReader: ...

    def get_latest_annotations_for_video(self, video: Video) -> list[AnnotationScene]:
        """The annotations of the annotated frames of a video, one scene a frame; the key
        ``frame_index`` of ``media_identifier`` tells which."""
        place = self._place_of(video)
        found = json.loads(self._client.video_annotations(self.project.id, place, video.id))
        return [AnnotationScene.from_dict(item) for item in found if item["annotations"]]

    def upload_annotations_for_video(
        self, video: Video, append_annotations: bool = False, max_threads: int = 5
    ) -> int:
        """Uploads the annotations that the reader has for frames of a video: those named
        ``<video>_frame_<number>``.

        :param append_annotations: whether they are added to those that are there
        :param max_threads: accepted for the SDK's sake
        :return: how many frames were annotated
        :raises ValueError: if a :class:`GetiAnnotationReader` was filtered or grouped or includes
            some labels only; of videos it takes all
        """
        reader, place = self._reader(), self._place_of(video)
        if isinstance(reader, GetiAnnotationReader):
            reader._refuse_for_videos()
            text = self._client.upload_frame_annotations(
                self.project.id,
                place,
                json.dumps([video.to_dict()]),
                reader.base_folder,
                append_annotations,
            )
            return len(json.loads(text))
        frames = [
            name for name in reader.get_all_image_names() if _frame_of(video, name) is not None
        ]
        for name in frames:
            about = video.media_information
            found = reader.get_data(name, self.label_mapping, about, append_annotations)
            self._client.annotate_frame(
                self.project.id,
                place,
                video.id,
                _frame_of(video, name) or 0,
                self._written(AnnotationScene(annotations=found)),
                append_annotations,
            )
        return len(frames)

    def upload_annotations_for_videos(
        self, videos: Sequence[Video], append_annotations: bool = False, max_threads: int = 5
    ) -> int:
        """Uploads the annotations of several videos; see :meth:`upload_annotations_for_video`."""
        counts = [
            self.upload_annotations_for_video(video, append_annotations, max_threads)
            for video in videos
        ]
        return sum(counts)

    def download_annotations_for_video(
        self,
        video: Video,
        path_to_folder: str | os.PathLike[str],
        append_video_uid: bool = False,
        max_threads: int = 10,
    ) -> float:
        """Downloads the annotations of the frames of a video into ``annotations`` below a folder,
        one JSON file ``<video>_frame_<number>.json`` a frame.

        :param append_video_uid: accepted for the SDK's sake
        :param max_threads: accepted for the SDK's sake
        :return: seconds that it took
        """
        return self.download_annotations_for_videos([video], path_to_folder)

    def download_annotations_for_videos(
        self,
        videos: Sequence[Video],
        path_to_folder: str | os.PathLike[str],
        append_video_uid: bool = False,
        max_threads: int = 10,
    ) -> float:
        """Downloads the annotations of several videos; see
        :meth:`download_annotations_for_video`. The identifier is put after a video's name where
        several share one."""
        start = time.monotonic()
        for place, records in records_by_dataset(videos, self._place_of).items():
            with showing() as progress:
                self._client.download_video_annotations(
                    self.project.id, place, records, path_to_folder, progress
                )
        return time.monotonic() - start


def _frame_of(video: Video, name: str) -> int | None:
    """The number at the end of a frame's name; None if it is no frame of the video."""
    beginning = f"{video.name}_frame_"
    number = name.removeprefix(beginning)
    return int(number) if name.startswith(beginning) and number.isdecimal() else None
