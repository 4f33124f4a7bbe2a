"""Projects of a server."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from ..data_models import Project

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
    ) -> Project:
        """Makes a project.

        :param project_name: its name
        :param project_type: such as ``classification`` or ``detection_to_classification``
        :param labels: for each task its labels: names, or dictionaries with the keys name, color,
            group, parent_id and hotkey
        """
        text = self.session._client.create_project(
            project_name, str(project_type), json.dumps(labels)
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
