"""Models of a project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..data_models import Model, ModelGroup, OptimizedModel, Project, Task
from ._base import _ProjectPart

if TYPE_CHECKING:
    from ..http_session import GetiSession


class ModelClient(_ProjectPart):
    """The models of a project."""

    def __init__(self, workspace_id: str, project: Project, session: GetiSession) -> None:
        super().__init__(session, workspace_id, project)

    def get_all_model_groups(self) -> list[ModelGroup]:
        """The groups of models: one for each algorithm that was trained."""
        found = json.loads(self._client.model_groups(self.project.id))
        return [ModelGroup.from_dict(item) for item in found]

    def get_latest_model_for_all_model_groups(self) -> list[Model]:
        """The latest model of each group that has one."""
        latest = [(group, group.get_latest_model()) for group in self.get_all_model_groups()]
        return [self._model(group.id, model.id) for group, model in latest if model is not None]

    def _model(self, group_id: str | None, model_id: str | None) -> Model:
        found = json.loads(self._client.model(self.project.id, group_id, model_id))
        return _model({**found, "model_group_id": group_id})

    def _active(self) -> list[dict[str, Any]]:
        return json.loads(self._client.active_models(self.project.id))

    def get_all_active_models(self) -> list[Model | None]:
        """The active model of each task; None for a task that has none."""
        found = {item["task_id"]: item for item in self._active()}
        tasks = self.project.get_trainable_tasks()
        return [_active_model(found.get(task.id)) for task in tasks]

    def get_active_model_for_task(self, task: Task) -> Model | None:
        """The active model of a task; None if it has none."""
        found = (item for item in self._active() if item["task_id"] == task.id)
        return _active_model(next(found, None))

    def get_model_group_by_algo_name(self, algorithm_name: str) -> ModelGroup | None:
        """The group of an algorithm; None if it was not trained."""
        groups = self.get_all_model_groups()
        return next((group for group in groups if group.name == algorithm_name), None)

    def get_latest_model_by_algo_name(self, algorithm_name: str) -> Model | None:
        """The latest model of an algorithm; None if it was not trained."""
        group = self.get_model_group_by_algo_name(algorithm_name)
        latest = None if group is None else group.get_latest_model()
        return None if group is None or latest is None else self._model(group.id, latest.id)

    def _best_xai_models(self) -> list[OptimizedModel]:
        """Of each active model the form with an XAI head that scores best."""
        best: list[OptimizedModel] = []
        for item in self._active():
            model = _active_model(item)
            forms = model.optimized_models if model is not None else []
            best.extend(form for form in forms if form.id == item["best_xai_model"])
        return best


def _model(values: dict[str, Any]) -> Model:
    return Model.from_dict(values)


def _active_model(item: dict[str, Any] | None) -> Model | None:
    return None if item is None else _model({**item["model"], "model_group_id": item["group_id"]})
