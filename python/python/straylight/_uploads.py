"""New projects from datasets on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._predictions import _has_videos
from .annotation_readers import AnnotationReader, GetiAnnotationReader
from .data_models import Project, TaskType

if TYPE_CHECKING:
    from .http_session import GetiSession
    from .rest_clients import AnnotationClient


class _Uploads:
    """The part of the connection that makes projects of datasets."""

    session: GetiSession
    workspace_id: str

    def create_single_task_project_from_dataset(
        self,
        project_name: str,
        project_type: str,
        path_to_images: str | os.PathLike[str],
        annotation_reader: AnnotationReader,
        labels: list[str] | list[dict[str, Any]] | None = None,
        keypoint_structure: dict[str, list] | None = None,
        number_of_images_to_upload: int = -1,
        number_of_images_to_annotate: int = -1,
        enable_auto_train: bool = True,
        upload_videos: bool = False,
        max_threads: int = 5,
    ) -> Project:
        """Makes a project of one task, uploads a dataset to it and annotates it.

        :param project_name: its name
        :param project_type: such as ``classification`` or ``detection``
        :param path_to_images: the folder with the images
        :param annotation_reader: where annotations come from
        :param labels: the labels, names or dictionaries; all of the reader's when None
        :param keypoint_structure: for key points alone, see
            :meth:`straylight.rest_clients.ProjectClient.create_project`
        :param number_of_images_to_upload: at most so many; -1 for all
        :param number_of_images_to_annotate: at most so many; -1 for all
        :param enable_auto_train: whether automatic training is on afterwards; it is off meanwhile
        :param upload_videos: whether the videos of the folder are uploaded as well
        :param max_threads: accepted for the SDK's sake
        :raises ValueError: if there are videos and the reader cannot annotate them, see
            :meth:`straylight.rest_clients.AnnotationClient.upload_annotations_for_video`; no
            project is made
        """
        from .rest_clients import ProjectClient, VideoClient

        if upload_videos and isinstance(annotation_reader, GetiAnnotationReader):
            if _has_videos(path_to_images):
                annotation_reader._refuse_for_videos()
        wanted = _labels(project_type, annotation_reader, labels)
        project = ProjectClient(self.session, self.workspace_id).create_project(
            project_name, project_type, [wanted], keypoint_structure
        )
        task = project.get_trainable_tasks()[0].task_type
        self._set_auto_train(project, False)
        images = self._upload_images(
            project, path_to_images, annotation_reader, number_of_images_to_upload
        )
        videos = []
        if upload_videos:
            client = VideoClient(self.session, self.workspace_id, project)
            videos = list(client.upload_folder(path_to_images))
        annotations = self._annotate_with(project, annotation_reader, task)
        annotations.upload_annotations_for_images(_first(images, number_of_images_to_annotate))
        annotations.upload_annotations_for_videos(videos)
        self._set_auto_train(project, enable_auto_train)
        return project

    def create_task_chain_project_from_dataset(
        self,
        project_name: str,
        project_type: str,
        path_to_images: str | os.PathLike[str],
        label_source_per_task: list[AnnotationReader | list[str]],
        number_of_images_to_upload: int = -1,
        number_of_images_to_annotate: int = -1,
        enable_auto_train: bool = True,
        max_threads: int = 5,
    ) -> Project:
        """Makes a project of two tasks, uploads a dataset to it and annotates it.

        :param project_name: its name
        :param project_type: ``detection_to_classification`` or ``detection_to_segmentation``
        :param path_to_images: the folder with the images
        :param label_source_per_task: for each task the reader that annotates for it, or the names
            of its labels alone
        :param number_of_images_to_upload: at most so many; -1 for all
        :param number_of_images_to_annotate: at most so many; -1 for all
        :param enable_auto_train: whether automatic training is on afterwards; it is off meanwhile
        :param max_threads: accepted for the SDK's sake
        """
        from .rest_clients import ProjectClient

        names: list[Any] = [
            source.get_all_label_names() if isinstance(source, AnnotationReader) else source
            for source in label_source_per_task
        ]
        project = ProjectClient(self.session, self.workspace_id).create_project(
            project_name, project_type, names
        )
        self._set_auto_train(project, False)
        readers = [it for it in label_source_per_task if isinstance(it, AnnotationReader)]
        uploaded = self._upload_images(
            project,
            path_to_images,
            readers[0] if readers else None,
            number_of_images_to_upload,
        )
        images = _first(uploaded, number_of_images_to_annotate)
        append = False
        for task, source in zip(project.get_trainable_tasks(), label_source_per_task, strict=True):
            if isinstance(source, AnnotationReader):
                client = self._annotate_with(project, source, task.task_type)
                client.upload_annotations_for_images(images, append_annotations=append)
                append = True
        self._set_auto_train(project, enable_auto_train)
        return project

    def _set_auto_train(self, project: Project, enabled: bool) -> None:
        self.session._client.set_auto_training(project.id, enabled)

    def _upload_images(
        self,
        project: Project,
        folder: str | os.PathLike[str],
        reader: AnnotationReader | None,
        most: int,
    ) -> Sequence[Any]:
        """The images of a folder; of a reader that was filtered only those that it accepts."""
        from .rest_clients import ImageClient

        client = ImageClient(self.session, self.workspace_id, project)
        if reader is None or not reader.applied_filters:
            return client.upload_folder(folder, n_images=most)
        paths = reader.get_image_paths()
        return client.upload_from_list("", paths, n_images=most, image_names_as_full_paths=True)

    def _annotate_with(
        self, project: Project, reader: AnnotationReader, task: TaskType
    ) -> AnnotationClient:
        from .rest_clients import AnnotationClient

        reader.prepare_and_set_dataset(task_type=task)
        return AnnotationClient(self.session, self.workspace_id, project, reader)


def _labels(
    project_type: str,
    reader: AnnotationReader,
    labels: list[str] | list[dict[str, Any]] | None,
) -> list[Any]:
    """The labels of a new project; all of the reader's, of which exactly one holds in a
    classification, when None. Names that are given for a classification exclude one another as
    well, unless the reader was filtered first by another criterion than XOR: then each may hold
    beside the others. Anomaly tasks have their labels from the server."""
    if str(project_type).startswith("anomaly"):
        return []
    if labels is None:
        return list(reader.get_all_label_names())
    if project_type != "classification" or not all(isinstance(it, str) for it in labels):
        return list(labels)
    filters = reader.applied_filters
    exclusive = not filters or filters[0].get("criterion") == "XOR"
    return [label if exclusive else {"name": label, "group": f"{label} group"} for label in labels]


def _first(items: Sequence[Any], most: int) -> Sequence[Any]:
    return items if most < 0 else items[:most]
