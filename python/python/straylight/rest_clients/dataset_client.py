"""Datasets of a project."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from .._names import safe_name
from ..data_models import Dataset, Project
from ..exceptions import NotFoundError
from ._base import _ProjectPart

if TYPE_CHECKING:
    from ..http_session import GetiSession


class DatasetClient(_ProjectPart):
    """The datasets of a project."""

    def __init__(self, workspace_id: str, project: Project, session: GetiSession) -> None:
        super().__init__(session, workspace_id, project)

    def create_dataset(self, name: str) -> Dataset:
        """Makes a dataset."""
        text = self._client.create_dataset(self.project.id, name)
        return Dataset.from_dict(json.loads(text))

    def delete_dataset(self, dataset: Dataset) -> None:
        """Deletes a dataset with its media."""
        self._client.delete_dataset(self.project.id, self._dataset_id(dataset))

    def get_all_datasets(self) -> list[Dataset]:
        """All datasets, the training dataset first."""
        return self._datasets()

    def get_dataset_by_name(self, dataset_name: str) -> Dataset:
        """The dataset of this name.

        :raises NotFoundError: (a LookupError) if there is none
        """
        for dataset in self._datasets():
            if dataset.name == dataset_name:
                return dataset
        raise NotFoundError(f"the project `{self.project.name}` has no dataset `{dataset_name}`")

    def get_dataset_statistics(self, dataset: Dataset) -> dict[str, Any]:
        """Counts of media and annotations, as the server gives them."""
        text = self._client.dataset_statistics(self.project.id, self._dataset_id(dataset))
        return json.loads(text)

    def has_dataset_subfolders(self, path_to_folder: str | os.PathLike[str]) -> bool:
        """Whether ``images`` and ``videos`` below a folder, as far as they are there, have a
        folder for each dataset of the project."""
        kinds = [os.path.join(path_to_folder, kind) for kind in ("images", "videos")]
        return all(
            os.path.isdir(os.path.join(kind, safe_name(dataset.name)))
            for kind in kinds
            if os.path.exists(kind)
            for dataset in self.project.datasets or []
        )
