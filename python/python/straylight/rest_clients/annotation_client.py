"""Annotations of the images of a project."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._names import records_by_dataset
from .._progress import showing
from ..data_models import (
    Annotation,
    AnnotationScene,
    Image,
    MediaInformation,
    Project,
    Video,
    VideoFrame,
)
from ._video_annotations import _VideoAnnotations

if TYPE_CHECKING:
    from ..annotation_readers import AnnotationReader
    from ..http_session import GetiSession


class AnnotationClient(_VideoAnnotations):
    """The annotations of a project.

    :param annotation_reader: where annotations come from that are uploaded
    """

    def __init__(
        self,
        session: GetiSession,
        workspace_id: str,
        project: Project,
        annotation_reader: AnnotationReader | None = None,
    ) -> None:
        super().__init__(session, workspace_id, project)
        self.annotation_reader = annotation_reader

    @property
    def label_mapping(self) -> dict[str, str]:
        """Identifiers of the project's labels by their names."""
        return {label.name: label.id or "" for label in self.project.get_all_labels()}

    def _place_of(self, image: Image | Video | VideoFrame) -> str:
        return image.dataset_id or self._dataset_id(None)

    def _reader(self) -> AnnotationReader:
        if self.annotation_reader is None:
            raise ValueError("give the client an annotation_reader first")
        return self.annotation_reader

    def get_annotation(self, media_item: Image | VideoFrame) -> AnnotationScene | None:
        """The annotation of an image or of a frame of a video; None if it has none."""
        place = self._place_of(media_item)
        if isinstance(media_item, VideoFrame):
            text = self._client.frame_annotation(
                self.project.id, place, media_item.id, media_item.frame_index
            )
        else:
            text = self._client.annotation(self.project.id, place, media_item.id)
        found = json.loads(text)
        return None if found is None else AnnotationScene.from_dict(found)

    def upload_annotation(
        self, media_item: Image | VideoFrame, annotation_scene: AnnotationScene
    ) -> AnnotationScene:
        """Replaces the annotation of an image or of a frame of a video.

        Labels that have only a name get the identifier that the project has for it.
        """
        place, written = self._place_of(media_item), self._written(annotation_scene)
        if isinstance(media_item, VideoFrame):
            text = self._client.annotate_frame(
                self.project.id, place, media_item.id, media_item.frame_index, written, False
            )
        else:
            text = self._client.annotate(self.project.id, place, media_item.id, written, False)
        return AnnotationScene.from_dict(json.loads(text))

    def annotation_scene_from_rest_response(
        self, response_dict: dict[str, Any], media_information: MediaInformation
    ) -> AnnotationScene:
        """The scene that the REST API writes as ``response_dict``.

        :param media_information: accepted for the SDK's sake: shapes are in pixels
        """
        return AnnotationScene.from_dict(response_dict)

    def _written(self, scene: AnnotationScene) -> str:
        ids = self.label_mapping
        annotations = [annotation.to_dict() for annotation in scene.annotations]
        for annotation in annotations:
            for label in annotation["labels"]:
                label.setdefault("id", ids.get(label.get("name"), ""))
        return json.dumps(annotations)

    def upload_annotations_for_images(
        self, images: Sequence[Image], append_annotations: bool = False, max_threads: int = 5
    ) -> None:
        """Uploads the annotations that the reader has for images.

        Of images that share a name, those that were uploaded from files by this connection get the
        annotations of their own file; others get none, with a warning, where it is not known whose
        annotations they are.

        :param append_annotations: whether they are added to those that are there
        :param max_threads: accepted for the SDK's sake
        """
        scenes: dict[str, list[tuple[str, str]]] = {}
        names, ids = Counter(image.name for image in images), self.label_mapping
        for image in images:
            # What is added to shapes that are there is about these, not about the whole image.
            found = self._read(image, names[image.name] > 1, ids, append_annotations)
            if found:
                text = self._written(AnnotationScene(annotations=found))
                scenes.setdefault(self._place_of(image), []).append((image.id, text))
        for place, written in scenes.items():
            with showing() as progress:
                self._client.annotate_all(
                    self.project.id, place, written, append_annotations, progress
                )

    def _read(
        self, image: Image, is_repeated: bool, ids: dict[str, str], keep: bool
    ) -> list[Annotation]:
        """What the reader has for an image: by its file where its name does not tell which."""
        reader, about = self._reader(), image.media_information
        if image._source is not None and (is_repeated or reader._is_repeated(image.name)):
            return reader._data_at(image._source, ids, about, keep)
        return reader.get_data(image.name, ids, about, keep)

    def upload_annotations_for_all_media(
        self, append_annotations: bool = False, max_threads: int = 5
    ) -> None:
        """Uploads the annotations that the reader has for the images and videos of all datasets;
        see :meth:`upload_annotations_for_images` and :meth:`upload_annotations_for_videos`."""
        for images, videos in self._all_media():
            self.upload_annotations_for_images(images, append_annotations, max_threads)
            self.upload_annotations_for_videos(videos, append_annotations, max_threads)

    def _all_media(self) -> Iterator[tuple[Sequence[Image], Sequence[Video]]]:
        """The images and the videos of each dataset."""
        from .image_client import ImageClient
        from .video_client import VideoClient

        images = ImageClient(self.session, self.workspace_id, self.project)
        videos = VideoClient(self.session, self.workspace_id, self.project)
        for dataset in self._datasets():
            yield images.get_all_images(dataset), videos.get_all_videos(dataset)

    def download_annotations_for_images(
        self,
        images: Sequence[Image],
        path_to_folder: str | os.PathLike[str],
        append_image_uid: bool = False,
        max_threads: int = 10,
    ) -> None:
        """Downloads annotations into ``annotations`` below a folder, one JSON file an image;
        images without an annotation have none. The identifier is put after an image's name where
        several share one.

        :param append_image_uid: accepted for the SDK's sake
        :param max_threads: accepted for the SDK's sake
        """
        for place, records in records_by_dataset(images, self._place_of).items():
            with showing() as progress:
                self._client.download_annotations(
                    self.project.id, place, records, path_to_folder, progress
                )

    def download_all_annotations(
        self, path_to_folder: str | os.PathLike[str], max_threads: int = 10
    ) -> None:
        """Downloads the annotations of all images and videos; see
        :meth:`download_annotations_for_images` and :meth:`download_annotations_for_videos`."""
        all_media = list(self._all_media())
        images = [image for some, _ in all_media for image in some]
        self.download_annotations_for_images(images, path_to_folder)
        videos = [video for _, some in all_media for video in some]
        self.download_annotations_for_videos(videos, path_to_folder)
