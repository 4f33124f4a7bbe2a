"""Projects and datasets as archives, and whole workspaces as folders."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ._names import safe_name
from ._progress import showing
from .data_models import Dataset, Project

if TYPE_CHECKING:
    from .http_session import GetiSession


class _Archives:
    """The part of the connection that moves whole projects."""

    session: GetiSession

    if TYPE_CHECKING:

        @property
        def projects(self) -> list[Project]: ...

        def download_project_data(
            self,
            project: Project,
            target_folder: str | os.PathLike[str] | None = None,
            include_predictions: bool = False,
        ) -> Project: ...

        def upload_project_data(self, target_folder: str | os.PathLike[str]) -> Project: ...

    def export_project(
        self,
        filepath: str | os.PathLike[str],
        project_id: str | None = None,
        project: Project | None = None,
        include_models: str = "all",
    ) -> None:
        """Writes a whole project to an archive, which a server of the same version can import.

        :param filepath: the zip file; it appears when it is complete
        :param project_id: identifier of the project
        :param project: the project itself instead
        :param include_models: ``all``, ``none`` or ``latest_active``
        """
        identifier = project_id or (None if project is None else project.id)
        if identifier is None:
            raise ValueError("give `project_id` or `project`")
        with showing() as progress:
            self.session._client.export_project(identifier, str(include_models), filepath, progress)

    def import_project(
        self, filepath: str | os.PathLike[str], project_name: str | None = None
    ) -> Project:
        """Makes a project of an archive that :meth:`export_project` wrote.

        :param filepath: the zip file
        :param project_name: its name; the server's choice when None
        """
        with showing() as progress:
            text = self.session._client.import_project(filepath, project_name, progress)
        return Project.from_dict(json.loads(text))

    def export_dataset(
        self,
        project: Project,
        dataset: Dataset,
        filepath: str | os.PathLike[str],
        export_format: str = "DATUMARO",
        include_unannotated_media: bool = False,
    ) -> None:
        """Writes a dataset to an archive.

        :param filepath: the zip file; it appears when it is complete
        :param export_format: ``DATUMARO``, ``COCO``, ``YOLO`` or ``VOC``, in any case
        :param include_unannotated_media: whether media without an annotation are written as well
        """
        name = str(getattr(export_format, "value", export_format))
        with showing() as progress:
            self.session._client.export_dataset(
                project.id, dataset.id, name, include_unannotated_media, filepath, progress
            )

    def write_dataset(
        self,
        project: Project,
        dataset: Dataset,
        folder: str | os.PathLike[str],
        annotation_format: str = "yolo",
        rule: str | None = None,
        split: str | None = None,
        seed: int = 0,
        yolo_task: str | None = None,
        merge: bool = False,
        include_unannotated_media: bool = False,
    ) -> dict[str, Any]:
        """Writes a dataset into a folder, ready to train with.

        Images come along that somebody annotated, with nothing on them as well, and did not
        reject, and annotated frames of videos. The classes are the labels of the project in its
        order, the same in every export.

        :param folder: a new or empty folder; with ``merge`` one with a YOLO dataset
        :param annotation_format: ``yolo``, ``coco``, ``datumaro``, ``voc``, ``tree`` or ``geti``
        :param rule: which images by their labels, such as ``dog and not (cat or "guide dog")``
        :param split: shares of train, val and test, such as ``80/10/10``; near-duplicates and
            frames of one video stay on one side, every label is shared out alike, and the same
            images give the same parts
        :param seed: another number shares the images out in another way
        :param yolo_task: ``detect``, ``segment``, ``pose`` or ``obb``; what keeps most when None
        :param merge: whether the images are added to the dataset that is in the folder, whose
            classes keep their numbers
        :param include_unannotated_media: whether images that nobody annotated come along; a
            training takes them for images of nothing
        :returns: ``images`` and ``objects``; ``parts`` with the number of images of each;
            ``losses``, what the format cannot hold, image by image, and ``summary``, the same in
            sum; ``left_out``, how many images were left out and why; ``problems``, images that
            could not be had
        """
        with showing() as progress:
            text = self.session._client.write_dataset(
                project.id,
                dataset.id,
                folder,
                annotation_format,
                rule,
                include_unannotated_media,
                split,
                seed,
                yolo_task,
                merge,
                progress,
            )
        done: dict[str, Any] = json.loads(text)
        return done

    def import_dataset(
        self, filepath: str | os.PathLike[str], project_name: str, project_type: str
    ) -> Project:
        """Makes a project of an archive of a dataset.

        :param filepath: the zip file, of Datumaro, COCO, YOLO or VOC
        :param project_name: name of the new project
        :param project_type: such as ``classification`` or ``detection``
        :raises ValueError: if the dataset cannot become such a project; the text tells what it can
            become
        """
        with showing() as progress:
            text = self.session._client.import_dataset(
                filepath, project_name, str(project_type), progress
            )
        return Project.from_dict(json.loads(text))

    def download_all_projects(
        self, target_folder: str | os.PathLike[str], include_predictions: bool = True
    ) -> list[Project]:
        """Downloads each project into a folder of its own below a folder, named by name and
        identifier.

        :param include_predictions: whether predictions are downloaded as well, of projects that
            have a model
        """
        return [
            self.download_project_data(
                project,
                os.path.join(
                    target_folder, f"{safe_name(project.name)}_{safe_name(str(project.id))}"
                ),
                include_predictions,
            )
            for project in self.projects
        ]

    def upload_all_projects(self, target_folder: str | os.PathLike[str]) -> list[Project]:
        """Makes a project of each folder below a folder that has a ``project.json``."""
        folders = sorted(os.path.join(target_folder, name) for name in os.listdir(target_folder))
        return [
            self.upload_project_data(folder)
            for folder in folders
            if os.path.isfile(os.path.join(folder, "project.json"))
        ]
