"""Models of a project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..data_models import Model, ModelGroup, OptimizedModel, Project, Task
from ..exceptions import NotFoundError
from ._model_actions import _ModelActions

if TYPE_CHECKING:
    from ..http_session import GetiSession


class ModelClient(_ModelActions):
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

    def get_latest_optimized_model(
        self,
        algorithm_name: str,
        optimization_type: str = "MO",
        precision: str = "FP16",
        require_xai: bool = False,
    ) -> OptimizedModel:
        """An optimized form of the latest model of an algorithm.

        :param algorithm_name: name of the algorithm
        :param optimization_type: ``MO``, ``NNCF``, ``POT`` or ``ONNX``, in any case
        :param precision: ``INT8``, ``FP16`` or ``FP32``, in any case
        :param require_xai: whether it must have an XAI head
        :raises NotFoundError: if there is none
        """
        model = self.get_latest_model_by_algo_name(algorithm_name)
        wanted = (optimization_type.upper(), precision.upper(), require_xai)
        found = None if model is None else model.get_optimized_model(*wanted)
        if found is None:
            head = " with an XAI head" if require_xai else ""
            raise NotFoundError(
                f"the project `{self.project.name}` has no model of `{algorithm_name}` in the form "
                f"{wanted[0]} {wanted[1]}{head}"
            )
        return found

    def get_task_for_model(self, model: Model | OptimizedModel) -> Task:
        """The task that a model was trained for.

        :raises ValueError: if the model belongs to no task of the project
        """
        groups = [
            group for group in self.get_all_model_groups() if group.id == model.model_group_id
        ]
        tasks = {task.id: task for task in self.project.get_trainable_tasks()}
        found = next((tasks[group.task_id] for group in groups if group.task_id in tasks), None)
        if found is None:
            raise ValueError(
                f"the model `{model.name}` belongs to no task of the project `{self.project.name}`"
            )
        return found

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
