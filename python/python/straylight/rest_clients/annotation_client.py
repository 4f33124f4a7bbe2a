"""Annotations of the images of a project."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._progress import showing
from ..data_models import AnnotationScene, Image, Project
from ._base import _ProjectPart

if TYPE_CHECKING:
    from ..annotation_readers import AnnotationReader
    from ..http_session import GetiSession


class AnnotationClient(_ProjectPart):
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

    def _place_of(self, image: Image) -> str:
        return image.dataset_id or self._dataset_id(None)

    def get_annotation(self, media_item: Image) -> AnnotationScene | None:
        """The annotation of an image; None if it has none."""
        place = self._place_of(media_item)
        found = json.loads(self._client.annotation(self.project.id, place, media_item.id))
        return None if found is None else AnnotationScene.from_dict(found)

    def upload_annotation(
        self, media_item: Image, annotation_scene: AnnotationScene
    ) -> AnnotationScene:
        """Replaces the annotation of an image.

        Labels that have only a name get the identifier that the project has for it.
        """
        place = self._place_of(media_item)
        text = self._client.annotate(
            self.project.id, place, media_item.id, self._written(annotation_scene), False
        )
        return AnnotationScene.from_dict(json.loads(text))

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

        :param append_annotations: whether they are added to those that are there
        :param max_threads: accepted for the SDK's sake
        """
        if self.annotation_reader is None:
            raise ValueError("give the client an annotation_reader first")
        scenes: dict[str, list[tuple[str, str]]] = {}
        for image in images:
            found = self.annotation_reader.get_data(
                image.name, self.label_mapping, image.media_information
            )
            if found:
                text = self._written(AnnotationScene(annotations=found))
                scenes.setdefault(self._place_of(image), []).append((image.id, text))
        for place, written in scenes.items():
            with showing() as progress:
                self._client.annotate_all(
                    self.project.id, place, written, append_annotations, progress
                )

    def upload_annotations_for_all_media(
        self, append_annotations: bool = False, max_threads: int = 5
    ) -> None:
        """Uploads the annotations that the reader has for the images of all datasets; see
        :meth:`upload_annotations_for_images`."""
        from .image_client import ImageClient

        images = ImageClient(self.session, self.workspace_id, self.project)
        for dataset in self._datasets():
            found = images.get_all_images(dataset)
            self.upload_annotations_for_images(found, append_annotations, max_threads)

    def download_annotations_for_images(
        self,
        images: Sequence[Image],
        path_to_folder: str | os.PathLike[str],
        append_image_uid: bool = False,
        max_threads: int = 10,
    ) -> None:
        """Downloads annotations into ``annotations`` below a folder, one JSON file an image;
        images without an annotation have none.

        :param append_image_uid: accepted for the SDK's sake
        :param max_threads: accepted for the SDK's sake
        """
        by_dataset: dict[str, list[Image]] = {}
        for image in images:
            by_dataset.setdefault(self._place_of(image), []).append(image)
        for place, group in by_dataset.items():
            records = json.dumps([image.to_dict() for image in group])
            with showing() as progress:
                self._client.download_annotations(
                    self.project.id, place, records, path_to_folder, progress
                )

    def download_all_annotations(
        self, path_to_folder: str | os.PathLike[str], max_threads: int = 10
    ) -> None:
        """Downloads the annotations of all images; see
        :meth:`download_annotations_for_images`."""
        from .image_client import ImageClient

        images = ImageClient(self.session, self.workspace_id, self.project)
        for dataset in self._datasets():
            found = images.get_all_images(dataset)
            self.download_annotations_for_images(found, path_to_folder)
