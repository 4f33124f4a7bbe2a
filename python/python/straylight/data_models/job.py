"""Long work of a server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._record import Record

if TYPE_CHECKING:
    from ..http_session import GetiSession

#: States in which a job does not change any more.
_FINAL = ("finished", "failed", "error", "cancelled")


@dataclass(repr=False)
class Job(Record):
    """Long work of a server, as it was when it was last asked for."""

    id: str
    name: str = ""
    #: What it does: ``train``, ``optimize``, ``export_project``, ...
    type: str = ""
    #: ``scheduled``, ``running``, ``finished``, ``failed``, ``cancelled``, ...
    state: str = ""
    #: What it is about and what came of it; the keys depend on its type.
    metadata: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    creation_time: str | None = None
    start_time: str | None = None
    end_time: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it has ended well."""
        return self.state == "finished"

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.state not in _FINAL

    @property
    def project_id(self) -> str | None:
        """Identifier of the project that it is about, or that it made."""
        return self.metadata.get("project_id") or (self.metadata.get("project") or {}).get("id")

    def update(self, session: GetiSession) -> Job:
        """Asks the server how far it is; returns the job itself."""
        self.__dict__.update(Job.from_dict(json.loads(session._client.job(self.id))).__dict__)
        return self

    def __repr__(self) -> str:
        return f"Job({self.name or self.type}, {self.state}, id {self.id})"
