"""Projects of a server."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

from ..data_models import Project, Task

if TYPE_CHECKING:
    from ..http_session import GetiSession


class ProjectClient:
    """The projects of a workspace.

    :param session: an open session
    :param workspace_id: identifier of the workspace
    """

    def __init__(self, session: GetiSession, workspace_id: str) -> None:
        self.session = session
        self.workspace_id = workspace_id

    def get_all_projects(
        self, request_page_size: int = 50, get_project_details: bool = True
    ) -> list[Project]:
        """All projects.

        :param request_page_size: accepted for the SDK's sake
        :param get_project_details: whether each is asked for its datasets, one request a project
        """
        found = [Project.from_dict(item) for item in json.loads(self.session._client.projects())]
        return [self._detailed(project) for project in found] if get_project_details else found

    def _detailed(self, project: Project) -> Project:
        return Project.from_dict(json.loads(self.session._client.project(project.id)))

    def list_projects(self) -> list[Project]:
        """All projects; writes their names into the log."""
        projects = self.get_all_projects(get_project_details=False)
        names = ", ".join(project.name for project in projects)
        logging.getLogger("straylight").info("%d projects: %s", len(projects), names)
        return projects

    def get_project_by_name(self, project_name: str) -> Project | None:
        """The project of this name; None (and a warning) if there is none.

        :raises ServerError: if several have the name
        """
        found = json.loads(self.session._client.project_named(project_name))
        if found is None:
            logging.getLogger("straylight").warning("there is no project `%s`", project_name)
            return None
        return Project.from_dict(found)

    def get_project_by_id(self, project_id: str) -> Project | None:
        """The project of this identifier; None if there is none."""
        from ..exceptions import NotFoundError

        try:
            return Project.from_dict(json.loads(self.session._client.project(project_id)))
        except NotFoundError:
            return None

    def get_project(
        self,
        project_name: str | None = None,
        project_id: str | None = None,
        project: Project | None = None,
    ) -> Project | None:
        """The project of a name or of an identifier, or a project as it is now."""
        if project is not None and project.id:
            project_id = project.id
        if project_id is not None:
            return self.get_project_by_id(project_id)
        name = project.name if project is not None else project_name
        if name is None:
            raise TypeError("give `project_name`, `project_id` or `project`")
        return self.get_project_by_name(name)

    def create_project(
        self,
        project_name: str,
        project_type: str,
        labels: list[list[str] | list[dict[str, Any]]],
        keypoint_structure: dict[str, list] | None = None,
    ) -> Project:
        """Makes a project.

        :param project_name: its name
        :param project_type: such as ``classification`` or ``detection_to_classification``
        :param labels: for each task its labels: names, or dictionaries with the keys name, color,
            group, parent_id and hotkey
        :param keypoint_structure: for key points alone: ``edges``, each ``{"nodes": [label,
            label]}``, and ``positions``, each ``{"label", "x", "y"}`` with x and y in 0 to 1
        """
        points = None if keypoint_structure is None else json.dumps(keypoint_structure)
        text = self.session._client.create_project(
            project_name, str(project_type), json.dumps(labels), points
        )
        return Project.from_dict(json.loads(text))

    def get_or_create_project(
        self,
        project_name: str,
        project_type: str,
        labels: list[list[str] | list[dict[str, Any]]],
    ) -> Project:
        """The project of this name, made if there is none."""
        found = self.get_project_by_name(project_name)
        return found or self.create_project(project_name, project_type, labels)

    def create_project_from_folder(
        self, path_to_folder: str | os.PathLike[str], project_name: str | None = None
    ) -> Project:
        """The project that ``project.json`` in a folder describes, with its datasets and without
        media; made if there is none of its name. A project that has the name already gets the
        datasets that it lacks, and is not changed otherwise.

        :param path_to_folder: what :meth:`download_project_info` wrote
        :param project_name: another name
        """
        text = self.session._client.project_like(path_to_folder, project_name)
        return Project.from_dict(json.loads(text))

    def download_project_info(
        self, project: Project, path_to_folder: str | os.PathLike[str]
    ) -> None:
        """Writes ``project.json`` into a folder: the project as it is now."""
        self.session._client.download_description(project.id, path_to_folder)

    def add_labels(
        self,
        labels: list[str] | list[dict[str, Any]],
        project: Project,
        task: Task | None = None,
        revisit_affected_annotations: bool = False,
    ) -> Project:
        """Adds labels to a project.

        :param labels: names, or dictionaries with the keys name, color, group, parent_id and
            hotkey; without a group a label excludes no other
        :param task: the task that they are for, where the project has several
        :param revisit_affected_annotations: whether annotations are to be looked at again that a
            label may concern
        :return: the project as it is then
        """
        revisit = {"revisit_affected_annotations": revisit_affected_annotations}
        named = [{"name": label} if isinstance(label, str) else label for label in labels]
        text = self.session._client.add_labels(
            project.id,
            None if task is None else task.id,
            json.dumps([{**label, **revisit} for label in named]),
        )
        return Project.from_dict(json.loads(text))

    def update_labels(
        self,
        project: Project,
        colors_to_update: dict[str, str],
        hotkeys_to_update: dict[str, str],
    ) -> Project:
        """Changes colours and keyboard shortcuts of labels.

        :param colors_to_update: ``#rrggbb`` or ``#rrggbbaa`` by the names of labels
        :param hotkeys_to_update: shortcuts by the names of labels
        :return: the project as it is then
        :raises ValueError: if the project has no such label, or a colour is none
        """
        text = self.session._client.change_labels(project.id, colors_to_update, hotkeys_to_update)
        return Project.from_dict(json.loads(text))

    def delete_project(self, project: Project, requires_confirmation: bool = True) -> None:
        """Deletes a project with all that is in it.

        :param requires_confirmation: whether the user is asked first, on the terminal
        """
        if requires_confirmation:
            answer = input(f"Delete the project `{project.name}` with all that is in it? (y/n) ")
            if answer.strip().lower() not in ("y", "yes"):
                return
        self.session._client.delete_project(project.id)

    def __repr__(self) -> str:
        return f"ProjectClient({self.session!r})"
