"""Where a server is, and a session with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import _native


@dataclass
class ServerConfig:
    """Where a server is; ``https://`` is added when no scheme is there."""

    host: str
    #: Whether the server's certificate is checked.
    has_valid_certificate: bool = field(default=True, kw_only=True)
    #: Proxies by scheme; those of the environment when absent.
    proxies: dict[str, str] | None = field(default=None, kw_only=True)
    #: PEM file of the only certificates that may sign the server's.
    ca_file: str | None = field(default=None, kw_only=True)
    #: The workspace, where the account has several.
    workspace_id: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self.host = self.host.rstrip("/")


@dataclass
class ServerTokenConfig(ServerConfig):
    """Where a server is, with a personal access token."""

    token: str = field(repr=False, default="")
    #: What saved hooks hold in the place of the token: ``env:NAME`` or ``file:PATH``.
    token_reference: str | None = field(default=None, kw_only=True)


class GetiSession:
    """An open session with a server; any number of threads may share it."""

    def __init__(self, server_config: ServerTokenConfig) -> None:
        self.config = server_config
        proxies = server_config.proxies or {}
        self._client = _native.Client(
            server_config.host,
            server_config.token,
            server_config.has_valid_certificate,
            ca_file=server_config.ca_file,
            proxy=proxies.get("https") or proxies.get("http"),
            workspace_id=server_config.workspace_id,
        )

    @property
    def version(self) -> str:
        """The version that the server says it has."""
        return self._client.version

    @property
    def organization_id(self) -> str:
        """Identifier of the organization."""
        return self._client.organization_id

    @property
    def workspace_id(self) -> str:
        """Identifier of the workspace."""
        return self._client.workspace_id

    def __repr__(self) -> str:
        return f"GetiSession({self._client.host}, version {self.version})"


__all__ = ["GetiSession", "ServerConfig", "ServerTokenConfig"]
