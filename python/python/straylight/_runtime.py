"""Where things are that came with the package and its dependencies."""

from __future__ import annotations

import os
from importlib.machinery import PathFinder


def folder() -> str | None:
    """The folder of OpenVINO's libraries, found without importing it; None without it."""
    spec = PathFinder.find_spec("openvino")
    for place in (spec.submodule_search_locations or []) if spec else []:
        libraries = os.path.join(place, "libs")
        if os.path.isdir(libraries):
            return libraries
    return None


def demo_assets() -> str:
    """The folder with the deployment and the photos of the demo."""
    return os.path.join(os.path.dirname(__file__), "demos", "data")
