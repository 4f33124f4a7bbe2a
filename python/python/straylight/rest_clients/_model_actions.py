"""What a server does with models: activate, optimize, delete, hand out."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

from .._files import write_json
from .._names import safe_name, unique_names
from .._progress import showing
from ..data_models import Job, Model, ModelGroup, ModelSummary, OptimizedModel, Task
from ..exceptions import ServerError, ServerTimeoutError
from ._base import _ProjectPart

#: How long a job that was just started may be unknown to the server, seconds.
_UNKNOWN = 15.0


class _ModelActions(_ProjectPart):
    """The part of the client of models that changes something on the server."""

    if TYPE_CHECKING:

        def get_active_model_for_task(self, task: Task) -> Model | None: ...

        def get_all_model_groups(self) -> list[ModelGroup]: ...

        def get_model_group_by_algo_name(self, algorithm_name: str) -> ModelGroup | None: ...

        def _model(self, group_id: str | None, model_id: str | None) -> Model: ...

    def update_model_detail(self, model: Model | ModelSummary) -> Model:
        """The model as it is now, with the optimized forms that it has by now."""
        return self._model(_group_of(model), model.id)

    def set_active_model(
        self, model: Model | ModelSummary | None = None, algorithm: Any | None = None
    ) -> None:
        """Makes the latest model of an algorithm the one that predicts.

        :param model: a model of the algorithm
        :param algorithm: the algorithm, or its name, instead of a model
        :raises ValueError: if the project cannot be trained with the algorithm, or was not
        """
        if model is None and algorithm is None:
            raise ValueError("give `model` or `algorithm`")
        name = self._architecture(model) if model is not None else _name(algorithm)
        known = self._client.algorithms(self.project.id)
        if name not in known:
            raise ValueError(
                f"the project `{self.project.name}` has no algorithm `{name}`; it has: "
                f"{', '.join(known) or 'none'}"
            )
        group = self.get_model_group_by_algo_name(name)
        if group is None or group.id is None:
            raise ValueError(f"no model of `{name}` was trained yet")
        self._client.activate_models(self.project.id, group.id)
        logging.getLogger("straylight").info("the model of `%s` is active now", name)

    def _architecture(self, model: Model | ModelSummary) -> str:
        return self.update_model_detail(model).architecture

    def optimize_model(self, model: Model, optimization_type: str = "pot") -> Job:
        """Starts to make a model smaller and faster; see :meth:`monitor_job`.

        :param model: the model as it was trained
        :param optimization_type: ``pot``, in any case
        :raises NotSupportedError: (a NotImplementedError) from a server that does not train, such
            as ``straylight serve``
        :raises ValueError: if the model is optimized already
        """
        if isinstance(model, OptimizedModel):
            raise ValueError(f"`{model.name}` is optimized already; give the model it was made of")
        if optimization_type.lower() != "pot":
            raise ValueError(f"`{optimization_type}` is no optimization_type: use pot")
        job = self._client.optimize(self.project.id, _group_of(model), model.id)
        return self._job(job)

    def _job(self, job: str) -> Job:
        """A job that was just started; servers know it only after a while."""
        import time

        end = time.monotonic() + _UNKNOWN
        while True:
            try:
                return Job.from_dict(json.loads(self._client.job(job)))
            except (ServerError, LookupError):
                if time.monotonic() > end:
                    raise
                time.sleep(1.0)

    def purge_model(self, model: Model | ModelSummary) -> None:
        """Deletes the files of a model for good.

        :param model: neither an optimized form, nor the latest of its group, nor the active one
        """
        self._client.purge(self.project.id, _group_of(model), model.id)

    def monitor_job(self, job: Job, timeout: int = 10000, interval: int = 15) -> Job:
        """Waits until a job has ended, well or not, and shows how far it is.

        :param timeout: seconds after which waiting stops; the job goes on
        :param interval: seconds between two looks
        :return: the job as it is then
        """
        if job.is_running:
            try:
                with showing() as progress:
                    self._client.wait_for_job(job.id, float(interval), float(timeout), progress)
            except ServerTimeoutError as error:
                logging.getLogger("straylight").warning("%s", error)
            except ServerError:
                # It may have failed, which its state tells; anything else is raised again.
                if job.update(self.session).is_running:
                    raise
        return job.update(self.session)

    def get_model_for_job(self, job: Job, check_status: bool = True) -> Model:
        """The model that a job has made.

        :param job: a job that trained a model or optimized one
        :param check_status: whether the server is asked first how far the job is
        :raises ValueError: if the job is of another project, has not finished or makes no model
        """
        if check_status:
            job.update(self.session)
        if job.project_id != self.project.id:
            raise ValueError(f"{job!r} is no job of the project `{self.project.name}`")
        if not job.is_finished:
            raise ValueError(f"{job!r} has not finished: wait for it with `monitor_job`")
        made = job.metadata.get("trained_model") or {}
        group = made.get("model_storage_id") or job.metadata.get("model_storage_id")
        model = made.get("model_id") or job.metadata.get("base_model_id")
        if group is None or model is None:
            raise ValueError(f"{job!r} has made no model")
        return self._model(group, model)

    def get_model_by_algorithm_task_and_version(
        self, algorithm: Any, version: int | None = None, task: Task | None = None
    ) -> Model | None:
        """The model of an algorithm; None if it was not trained.

        :param algorithm: the algorithm, or its name
        :param version: its version; the latest when None
        :param task: only models of this task
        """
        for group in self.get_all_model_groups():
            if group.name != _name(algorithm) or (task is not None and group.task_id != task.id):
                continue
            latest = group.get_latest_model()
            if version is not None:
                latest = next((it for it in group.models if it.version == version), None)
            return None if latest is None else self._model(group.id, latest.id)
        return None

    def download_active_model_for_task(
        self, path_to_folder: str | os.PathLike[str], task: Task
    ) -> Model | None:
        """Downloads the active model of a task and its optimized forms, each as a zip file, into
        ``models`` below a folder; with ``<task type>_model_details.json``. The identifier is put
        after the name of a form where several share one.

        :return: the model; None if the task has none
        """
        model = self.get_active_model_for_task(task)
        if model is None:
            return None
        folder = os.path.join(path_to_folder, "models")
        group, project = model.model_group_id, self.project.id
        path = os.path.join(folder, f"{safe_name(model.name)}_base.zip")
        self._client.export_model(project, group, model.id, None, path)
        forms = model.optimized_models
        names = unique_names([(f"{it.name}_{it.optimization_type}", it.id or "") for it in forms])
        for form, name in zip(forms, names, strict=True):
            path = os.path.join(folder, f"{name}_optimized.zip")
            self._client.export_model(project, group, model.id, form.id, path)
        details = f"{safe_name(str(task.task_type))}_model_details.json"
        write_json(os.path.join(folder, details), model.to_dict())
        return model

    def download_all_active_models(
        self, path_to_folder: str | os.PathLike[str]
    ) -> list[Model | None]:
        """Downloads the active model of each task; see :meth:`download_active_model_for_task`."""
        tasks = self.project.get_trainable_tasks()
        return [self.download_active_model_for_task(path_to_folder, task) for task in tasks]


def _group_of(model: Model | ModelSummary) -> str:
    group = model.model_storage_id if isinstance(model, ModelSummary) else model.model_group_id
    if group is None:
        raise ValueError(f"it is not known which group the model `{model.name}` belongs to")
    return group


def _name(algorithm: Any) -> str:
    """An algorithm's name; strings are names."""
    return algorithm if isinstance(algorithm, str) else algorithm.name
