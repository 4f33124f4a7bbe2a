"""Server details from a ``.env`` file or from the environment."""

from __future__ import annotations

import json
import os

from .. import _native
from ..http_session import ServerTokenConfig


def get_server_details_from_env(
    env_file_path: str | os.PathLike[str] = ".env", use_global_variables: bool = False
) -> ServerTokenConfig:
    """Reads where the server is and how to log in.

    :param env_file_path: file with the keys HOST and TOKEN, and perhaps VERIFY_CERT, CA_FILE,
        HTTPS_PROXY and WORKSPACE_ID. TOKEN may be a reference, ``env:NAME`` or ``file:PATH``.
    :param use_global_variables: read the same keys, each with the prefix ``GETI_``, from the
        environment of the process instead
    :raises ConfigurationError: if a key is missing or has a value that cannot be used
    """
    found = json.loads(_native.server_details(None if use_global_variables else env_file_path))
    return ServerTokenConfig(
        host=found["host"],
        token=found["token"],
        token_reference=found["token_reference"],
        has_valid_certificate=found["has_valid_certificate"],
        proxies={"https": found["proxy"]} if found["proxy"] else None,
        ca_file=found["ca_file"],
        workspace_id=found["workspace_id"],
    )


__all__ = ["get_server_details_from_env"]
