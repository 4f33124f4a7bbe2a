"""Runs deployed vision models, finds the images they have never seen, and collects them.

Names, arguments and defaults are those of Intel's ``geti-sdk``; what is there besides is said
where it is. A higher OOD score is always more out of distribution.
"""

from __future__ import annotations

import atexit as _atexit
from typing import TYPE_CHECKING, Any

from . import _native, _runtime

if TYPE_CHECKING:
    from .geti import Geti
    from .prediction_visualization import Visualizer

__version__: str = _native.__version__
__all__ = ["Geti", "Visualizer", "__version__"]

_folder = _runtime.folder()
if _folder is not None:
    _native.use_runtime(_folder)
_native.start_log()
_atexit.register(_native.shut_down)


def __getattr__(name: str) -> Any:
    """Loads the large parts when they are asked for, so that importing costs little."""
    if name == "Geti":
        from .geti import Geti

        return Geti
    if name == "Visualizer":
        from .prediction_visualization import Visualizer

        return Visualizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
