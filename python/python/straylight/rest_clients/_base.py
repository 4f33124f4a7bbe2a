"""What the clients of one project share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..data_models import Dataset, Project
from ..exceptions import NotFoundError

if TYPE_CHECKING:
    from .. import _native
    from ..http_session import GetiSession


class _ProjectPart:
    """A client of one project."""

    def __init__(self, session: GetiSession, workspace_id: str, project: Project) -> None:
        self.session = session
        self.workspace_id = workspace_id
        self.project = project

    @property
    def _client(self) -> _native.Client:
        return self.session._client

    def _datasets(self) -> list[Dataset]:
        text = self._client.datasets(self.project.id)
        return [Dataset.from_dict(item) for item in json.loads(text)]

    def _dataset_id(self, dataset: Dataset | None) -> str:
        """Identifier of a dataset; of the training dataset when None."""
        if dataset is not None and dataset.id:
            return dataset.id
        for found in self._datasets():
            if (dataset is None and found.use_for_training) or (
                dataset is not None and found.name == dataset.name
            ):
                return found.id or ""
        name = "for training" if dataset is None else f"`{dataset.name}`"
        raise NotFoundError(f"the project `{self.project.name}` has no dataset {name}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.project.name} on {self.session!r})"
